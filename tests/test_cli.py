"""The command line, as typed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from PIL import Image
from safetensors.numpy import save_file

from minires import Tensor, backend, checkpoint, cli, data, models, nn, no_grad, watch
from minires.backend import machine
from tests.halves import needs_bfloat16

ROOT = Path(__file__).parents[1]


def typed(*words):
    """Run a command in this process; the exit status."""
    try:
        cli.main(list(words))
    except SystemExit as stop:
        return stop.code
    finally:
        backend.use("numpy")
    return 0


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def few_digits():
    """A tenth of the digits, so that a run takes a moment: 120 for training, 20 for validation, 40 for test."""
    whole = data.digits()
    parts = [
        part.part(slice(count), mean=part.mean, std=part.std)
        for part, count in zip(whole, (120, 20, 40))
    ]
    with pytest.MonkeyPatch.context() as there:
        there.setattr(data, "digits", lambda: parts)
        yield whole


@pytest.fixture
def all_digits(few_digits, monkeypatch):
    """The digits as they are in the package."""
    monkeypatch.setattr(data, "digits", lambda: few_digits)


QUICK = ("train", "--epochs", "2", "--batch-size", "60")


def lines(capsys):
    return capsys.readouterr().out.replace("\\", "/").splitlines()


# Training.


def test_evaluate_draws_confusion_mistakes_and_filters(trained, elsewhere, capsys):
    assert typed("evaluate", "a", "--pictures", "seen") == 0
    assert "pictures in seen: confusion.png, mistakes.png, filters.png" in lines(capsys)
    assert sorted(path.name for path in (elsewhere / "seen").iterdir()) == [
        "confusion.png",
        "filters.png",
        "mistakes.png",
    ]


@pytest.mark.usefixtures("all_digits")
def test_train_prints_a_line_an_epoch_and_ends_with_the_test_accuracy(elsewhere, capsys):
    """A ResNet-20 on all the digits, as make train has it, for two epochs."""
    assert typed("train", "--epochs", "2") == 0
    said = lines(capsys)
    first = "resnet20, 269,434 parameters, on 1,257 images of handwritten digits; backend numpy; runs/digits-resnet20"
    epoch = r"epoch  {}/2  train: loss \d\.\d{{3}}, accuracy \d+\.\d\d %  validation: \d+\.\d{{3}}, \d+\.\d\d %"
    assert said[0] == first and len(said) == 5
    assert re.fullmatch(epoch.format(1), said[1]) and re.fullmatch(epoch.format(2), said[2])
    assert re.fullmatch(
        r"trained in \d+ s, [\d,]+ images/s; curves in runs/digits-resnet20/curves.png", said[3]
    )
    assert re.fullmatch(r"test loss \d\.\d{3}, accuracy \d+\.\d\d %", said[4])


def test_a_run_leaves_settings_logs_card_curves_predictions_weights_and_two_checkpoints(
    elsewhere, capsys
):
    typed(*QUICK, "--name", "a", "--seed", "3", "--augment", "none", "--save-every", "0")
    folder = elsewhere / "runs" / "a"
    assert sorted(path.name for path in folder.iterdir() if path.name != ".lock") == [
        "card.md", "checkpoints", "config.json", "curves.png", "log.csv", "predictions.npz", "result.json", "steps.csv", "weights.safetensors"]  # fmt: skip
    config, result = (
        json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("config.json", "result.json")
    )
    assert (config["seed"], config["augment"], config["epochs"], config["lr"]) == (
        3,
        "none",
        2,
        0.05,
    )
    head, *rows = (folder / "log.csv").read_text(encoding="utf-8").splitlines()
    assert (
        head
        == "epoch,step,lr,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds"
    )
    assert [row.split(",")[:2] for row in rows] == [["1", "2"], ["2", "4"]]
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((folder / "checkpoints").iterdir())) == 2
    card, blas = (folder / "card.md").read_text(encoding="utf-8"), machine.blas()
    accuracy = f"{100 * result['test_accuracy']:.2f} % ({result['test_hits']} of 40)"
    for fact in ("120 for training, 20 for validation, 40 for test; UCI", "| seed | 3 |", f"once, at the end | {accuracy} |",
                 f"NumPy {numpy.__version__}", machine.processor(), f"{backend.threads()} threads",
                 f"kernel {blas['kernel']}" if blas else "unknown"):  # fmt: skip
        assert fact in card, fact
    assert lines(capsys)[-1].startswith("test loss")


def test_the_same_seed_prints_the_same_and_another_does_not(capsys):
    def results(seed):
        typed("train", "--epochs", "1", "--seed", seed)
        return [line for line in lines(capsys)[1:] if not line.startswith("trained")]

    first, again, other = results("3"), results("3"), results("4")
    assert first == again and first != other


def test_a_run_without_a_name_never_takes_the_place_of_another(elsewhere, capsys):
    for _ in range(2):
        typed("train", "--epochs", "1")
    assert sorted(path.name for path in (elsewhere / "runs").iterdir()) == [
        "digits-resnet20",
        "digits-resnet20-2",
    ]
    before = (elsewhere / "runs" / "digits-resnet20" / "log.csv").read_bytes()
    assert typed("train", "--epochs", "1", "--name", "digits-resnet20") == 2
    assert "digits-resnet20 already exists: --resume" in capsys.readouterr().err.replace("\\", "/")
    assert (elsewhere / "runs" / "digits-resnet20" / "log.csv").read_bytes() == before


@pytest.mark.parametrize("precision", [pytest.param("bfloat16", marks=needs_bfloat16), "float16"])
def test_train_in_another_precision_says_so_and_goes_back_to_float32(precision, elsewhere, capsys):
    assert (
        typed(
            "train", "--epochs", "1", "--model", "resnet20", "--precision", precision, "--name", "a"
        )
        == 0
    )
    assert f"backend numpy, {precision}; runs/a" in lines(capsys)[0]
    assert f"| backend | numpy, {precision} |" in (elsewhere / "runs" / "a" / "card.md").read_text(
        encoding="utf-8"
    )
    assert (
        json.loads((elsewhere / "runs" / "a" / "config.json").read_text(encoding="utf-8"))[
            "precision"
        ]
        == precision
    )
    assert not backend.settings().tf32 and backend.settings().half is None
    state, _ = checkpoint.load_weights(elsewhere / "runs" / "a" / "weights.safetensors")
    assert {value.dtype for value in state.values()} == {numpy.dtype("f4")}


def test_train_runs_on_another_backend_and_as_the_options_say(elsewhere, capsys):
    words = "--epochs 1 --backend strict --optimizer adamw --schedule step --milestones 0.4 --shortcut none --preactivation --lr 0.001 --drop-last"
    assert typed("train", *words.split(), "--mean", "0.3", "--std", "0.4", "--name", "s") == 0
    assert "backend strict" in capsys.readouterr().out
    state, facts = checkpoint.load_weights(elsewhere / "runs" / "s" / "weights.safetensors")
    assert facts["options"] == {
        "num_classes": 10,
        "in_channels": 1,
        "shortcut": "none",
        "preactivation": True,
    }
    assert (facts["mean"], facts["std"], facts["size"]) == ([0.3], [0.4], [8, 8, 1])
    assert "bn.weight" in state and not any("downsample" in name for name in state)


def test_watch_notes_the_layers_and_leaves_the_training_as_it_is(elsewhere, capsys):
    words = ("train", "--epochs", "1", "--batch-size", "10", "--name")
    typed(*words, "plain")
    typed(*words, "watched", "--watch", "4")
    plain, watched = (elsewhere / "runs" / name for name in ("plain", "watched"))
    assert (plain / "weights.safetensors").read_bytes() == (
        watched / "weights.safetensors"
    ).read_bytes()
    rows = (watched / "layers.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith(
        "step,layer,depth,activation_mean,activation_std,activation_zeros,gradient_mean"
    )
    assert {row.split(",")[0] for row in rows[1:]} == {"0", "4", "8"}
    assert (watched / "layers.png").read_bytes().startswith(b"\x89PNG")
    assert "layers in runs/watched/layers.csv and runs/watched/layers.png" in lines(capsys)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_net_that_blows_up_leaves_its_layers_and_a_finding(elsewhere, capsys):
    assert typed("train", "--epochs", "2", "--lr", "1e30", "--watch", "1", "--name", "x") == 2
    streams = capsys.readouterr()
    assert re.search(
        r"the loss is (nan|inf) at step \d+; .* The last good checkpoint is runs/x/checkpoints/step-00000000",
        streams.err,
    )
    assert "not finite" in streams.out and (elsewhere / "runs" / "x" / "layers.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "resnet19"], "unknown model 'resnet19': choose from .*did you mean 'resnet1"),
        (["--precision", "bfloat61"], "unknown precision 'bfloat61': .*did you mean 'bfloat16'"),
        (["--backend", "nunpy"], "unknown backend 'nunpy': .*did you mean 'numpy'"),
        (["--data", "cifar-10"], "unknown data 'cifar-10': .*did you mean 'cifar10'"),
        (["--data", "foldr:x"], "unknown data 'foldr': .*did you mean 'folder'"),
        (["--data", "folder:nowhere"], "nowhere is not there: expected a folder"),
        (
            ["--data", "cifar10", "--data-dir", "nowhere"],
            "nowhere is not there: --data-dir expects",
        ),
        (["--epochs", "0"], "--epochs is 0, expected at least 1"),
        (["--batch-size", "0"], "--batch-size is 0, expected at least 1"),
        (["--batch-size", "2000", "--drop-last"], "120 images do not fill a batch of 2000"),
        (["--lr", "-1"], "--lr is -1.0, expected a number above 0"),
        (["--lr", "nan"], "--lr is nan, expected a number above 0"),
        (["--lr", "inf"], "--lr is inf, expected a number above 0"),
        (["--weight-decay", "inf"], "--weight-decay is inf, expected 0 or more"),
        (["--bias-lr", "inf"], "--bias-lr is inf, expected 0 or more"),
        (["--momentum", "-1"], "--momentum is -1.0, expected a number from 0 to below 1"),
        (["--momentum", "2"], "--momentum is 2.0, expected a number from 0 to below 1"),
        (["--weight-decay", "-1"], "--weight-decay is -1.0, expected 0 or more"),
        (["--weight-decay", "nan"], "--weight-decay is nan, expected 0 or more"),
        (["--data", "folder:x", "--validation", "1"], "--validation is 1.0, expected a number"),
        (["--data", "folder:x", "--size", "0"], "--size is 0, expected at least 1"),
        (["--num-classes", "0"], "--num-classes is 0, expected at least 1"),
        (["--precision", "tf32"], "--precision tf32 needs a GPU: the backend is numpy"),
        (["--precision", "tf32", "--backend", "strict"], "tf32 needs a GPU: the backend is strict"),
        (["--cuda-graph"], "--cuda-graph needs a GPU: the backend is numpy, expected cupy"),
        (["--dirac"], "--dirac: resnet20 has no such option .--no-dirac turns it off"),
        (
            ["--model", "resnet8", "--zero-init-residual"],
            "--zero-init-residual: resnet8 has no such option",
        ),
        (
            ["--shortcut", "none", "--zero-init-residual"],
            "zero_init_residual: expected shortcuts, got shortcut='none'",
        ),
        (["--model", "resnet8", "--stem", "imagenet"], "--stem: resnet8 has no such option"),
        (["--model", "resnet8", "--shortcut", "A"], "--shortcut: resnet8 has no such option"),
        (["--model", "resnet8", "--preactivation"], "--preactivation: resnet8 has no such option"),
        (
            ["--recipe", "cpu-30min", "--data", "digits"],
            "--whiten: resnet8 computes 24 filters, but patches of 3x3 pixels with 1 channel have at "
            "most 18: it needs images in colour .--no-whiten turns it off",
        ),
        (["--log", "json"], "unknown log 'json': .*did you mean 'jsonl'"),
        (["--label-smoothing", "1"], "--label-smoothing is 1.0, expected"),
        (["--schedule", "cosin"], "unknown schedule 'cosin': .*did you mean 'cosine'"),
        (["--optimizer", "adma"], "unknown optimizer 'adma': .*did you mean 'adam'"),
        (["--warmup", "1"], "--warmup is 1.0, expected a number from 0 to below 1"),
        (["--augment", "crop"], "--augment: expected crop=PIXELS, got 'crop'"),
        (["--augment", "crop=1,flop"], "unknown augmentation 'flop': .*did you mean 'flip'"),
        (["--augment", "flip=often"], "unknown flip 'often'"),
        (["--seed", "-1"], "--seed is -1, expected 0 or more"),
        (["--mean", "1", "2"], "mean: expected one number for each of 1 channels, got 2"),
        (["--watch", "-1"], "--watch is -1"),
        (["--save-every", "nan"], "--save-every is nan"),
        (["--milestones", "30", "60"], r"--milestones are \[30.0, 60.0\], expected fractions"),
        (["--schedule", "triangle", "--warmup", "0"], "--warmup is 0, expected a fraction above 0"),
        (["--validation", "0.2"], "--validation cannot be used with the digits"),
        (["--augment", "crop=²"], "--augment: expected crop=PIXELS, got 'crop=²'"),
        (["--resume", ""], ". is not a run"),
        (["--name", ""], "--name is '', expected a name"),
        (["--name", ".."], "--name is '..', expected a name"),
        (["--name", "../x"], "--name is '../x', expected a name without slashes"),
        (["--resume", "nowhere"], "nowhere is not a run"),
        (["--shortcut", "C"], "unknown shortcut 'C'"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_status_2_and_no_folder(
    elsewhere, capsys, words, message
):
    assert typed("train", *words) == 2
    error = capsys.readouterr().err
    assert re.match(f"minires train: .*({message})", error) and error.count("\n") == 1
    assert not (elsewhere / "runs").exists()


def test_a_folder_that_cannot_be_made_is_named_before_the_training(elsewhere, capsys):
    (elsewhere / "runs").write_text("a file in the way")
    assert typed("train") == 2
    streams = capsys.readouterr()
    assert "runs" in streams.err and "epoch" not in streams.out


def test_a_checkpoint_of_another_model_is_refused(trained, capsys):
    (trained / "result.json").unlink()
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    for change, told in (
        ({"model": "resnet32"}, "missing: layer1.3.conv1.weight"),
        ({"optimizer": "adam"}, "expected the state of Adam of 59 parameters, got an entry"),
    ):
        (trained / "config.json").write_text(json.dumps({**config, **change}))
        assert typed("train", "--resume", "a") == 2
        error = capsys.readouterr().err
        assert (
            "its checkpoint belongs to a different model (resnet20) or optimizer" in error
            and told in error
        )


# A trained net at work.


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder in which a net has been trained, once for all tests."""
    folder = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as there:
        there.chdir(folder)
        typed("train", "--epochs", "2", "--name", "a")
    return folder


@pytest.fixture
def trained(once, elsewhere):
    shutil.copytree(once, elsewhere, dirs_exist_ok=True)
    return elsewhere / "runs" / "a"


def test_a_resumed_run_keeps_its_settings(trained, capsys):
    for words, told in (
        (["--lr", "1", "--seed", "2"], "leave out --lr, --seed"),
        (["--name", "b"], "leave out --name"),
    ):
        assert typed("train", "--resume", "a", *words) == 2
        assert f"--resume keeps the settings of the run: {told}" in capsys.readouterr().err
    assert typed("train", "--resume", "a") == 0 and re.match(
        r"runs.a is finished: test accuracy \d", capsys.readouterr().out
    )


def test_evaluate_repeats_what_the_run_saw(trained, capsys):
    result = json.loads((trained / "result.json").read_text(encoding="utf-8"))
    expected = f"({result['test_hits']} of 40)"
    for words in (
        ["a"],
        ["runs/a"],
        [],
        ["--weights", str(trained / "weights.safetensors"), "--data", "digits"],
    ):
        assert typed("evaluate", *words) == 0
        assert expected in capsys.readouterr().out
    last = (trained / "log.csv").read_text(encoding="utf-8").splitlines()[-1].split(",")
    typed("evaluate", "a", "--part", "validation")
    assert (
        f"validation part of handwritten digits: loss {float(last[5]):.3f}, accuracy {100 * float(last[6]):.2f} %"
        in lines(capsys)[1]
    )


def test_a_run_that_is_not_finished_is_evaluated_as_it_is_so_far(trained, capsys):
    (trained / "weights.safetensors").unlink()
    (trained / "result.json").unlink()
    assert typed("evaluate", "a") == 0 and "of 40)" in capsys.readouterr().out


def test_predict_names_the_likeliest_classes(trained, elsewhere, capsys):
    _, _, test = data.digits()
    pixels = (test.images[:6] * 15.9).astype(numpy.uint8)
    paths = [f"{i}.png" for i in range(6)]
    for image, path in zip(pixels, paths):
        Image.fromarray(image[..., 0]).convert("RGB").save(elsewhere / path)
    state, facts = checkpoint.load_weights(trained / "weights.safetensors")
    model = models.build(facts["model"], **facts["options"]).eval()
    model.load_state_dict(state)
    with no_grad():
        logits = model(
            Tensor(((pixels / 255 - facts["mean"]) / facts["std"]).astype(numpy.float32))
        ).numpy()
    shares = 100 * numpy.exp(logits) / numpy.exp(logits).sum(axis=1, keepdims=True)
    assert typed("predict", *paths, "--top", "3", "--picture", "p.png") == 0
    first, *said, last = lines(capsys)
    for path, row, line in zip(paths, shares, said, strict=True):
        assert line == f"{path}: " + ", ".join(
            f"{k} {row[k]:.1f} %" for k in numpy.argsort(-row)[:3]
        )
    assert (
        first == "the net of runs/a"
        and last == "picture in p.png"
        and (elsewhere / "p.png").read_bytes().startswith(b"\x89PNG")
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predict", "none.png"], "none.png is not there"),
        (["predict", "text.png"], "text.png does not decode as an image"),
        (["predict", "text.png", "--run", "b"], "b is not a run: it has no config.json"),
        (["predict", "text.png", "--classes", "cat,dog"], "text.png does not decode"),
        (
            ["predict", "other/test/cat/1.png", "--classes", "cat,dog"],
            "the network has 10 classes, expected as many names, got 2: cat, dog",
        ),
        (
            ["evaluate", "--weights", "text.png"],
            "text.png is damaged, cut off, or no safetensors file",
        ),
        (
            ["evaluate", "a", "--data", "cifar10", "--data-dir", "."],
            "expected cifar-10-binary.tar.gz .*, got ",
        ),
        (
            ["evaluate", "a", "--shortcut", "B"],
            "does not fit resnet20 .*choose another with --model, --shortcut and --stem",
        ),
        (["evaluate", "a", "--model", "resnet32"], "does not fit resnet32 "),
        (
            ["evaluate", "--weights", "runs/a/weights.safetensors"],
            "expected a dataset, such as --data",
        ),
        (
            ["evaluate", "a", "--data", "folder:other"],
            "the network has the classes 0, 1, 2.*, the images have cat",
        ),
        (["plot", "a", "b"], "b is not a run"),
        (
            ["plot", "a", "--picture", "p.jpg"],
            "picture: expected a name that ends in .png, got p.jpg",
        ),
        (["predict", "text.png", "--top", "0"], "--top is 0, expected at least 1"),
        (["evaluate", "a", "--weights", "x"], "expected a run or --weights, got a and x"),
        (
            ["evaluate", "--weights", "bare", "--model", "resnet20", "--data", "folder:other"],
            "the network has 10 classes, the images have 1: cat",
        ),
        (["data", "digit"], "unknown data 'digit': .*did you mean 'digits'"),
        (["summary", "resnet21"], "unknown model 'resnet21'"),
        (["summary", "resnet20", "--input", "32", "32"], "expected three numbers"),
    ],
)
def test_other_commands_say_what_is_wrong_too(trained, elsewhere, capsys, words, message):
    (elsewhere / "text.png").write_text("no image")
    state, _ = checkpoint.load_weights(trained / "weights.safetensors")
    save_file(
        {
            name: numpy.ascontiguousarray(checkpoint._turned(array, outward=True))
            for name, array in state.items()
        },
        "bare",
    )
    (elsewhere / "other" / "test" / "cat").mkdir(parents=True)
    Image.new("L", (8, 8)).save(elsewhere / "other" / "test" / "cat" / "1.png")
    assert typed(*words) == 2
    assert re.match(f"minires {words[0]}: .*({message})", capsys.readouterr().err)


def test_weights_of_others_are_read_with_the_settings_that_they_need(elsewhere, capsys):
    """A net as another library saves it: other names, and no word about itself."""
    nn.manual_seed(0)
    model = models.resnet20(shortcut="A")
    save_file({name.replace("fc.", "linear."): numpy.ascontiguousarray(checkpoint._turned(array, outward=True))
               for name, array in model.state_dict().items()} | {"bn1.num_batches_tracked": numpy.array(3)}, "w")  # fmt: skip
    for i, name in enumerate(data.CLASSES["cifar10"]):
        (elsewhere / "images" / "test" / name).mkdir(parents=True)
        pixels = numpy.random.default_rng(i).integers(0, 256, (32, 32, 3)).astype(numpy.uint8)
        Image.fromarray(pixels).save(elsewhere / "images" / "test" / name / "1.png")
    words = [
        "--weights",
        "w",
        "--model",
        "resnet20",
        "--shortcut",
        "A",
        "--mean",
        ".485",
        ".456",
        ".406",
        "--std",
        ".229",
        ".224",
        ".225",
    ]
    assert typed("evaluate", *words, "--data", "folder:images") == 0
    x = (data.folder("images")[2].images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with no_grad():
        logits = model.eval()(Tensor(x.astype(numpy.float32))).numpy()
    hits = int((logits.argmax(axis=1) == numpy.arange(10)).sum())
    assert f"({hits} of 10)" in capsys.readouterr().out
    assert (
        typed(
            "predict",
            "images/test/cat/1.png",
            *words,
            "--classes",
            "cifar10",
            "--size",
            "32",
            "--top",
            "1",
        )
        == 0
    )
    assert f": {data.CLASSES['cifar10'][logits[3].argmax()]} " in capsys.readouterr().out
    assert typed("predict", "images/test/cat/1.png", *words) == 2
    assert "do not say how images are prepared: add --size" in capsys.readouterr().err
    # Which net it is, its shapes say.
    assert typed("evaluate", *words[:2], *words[6:], "--data", "folder:images") == 0
    assert f"({hits} of 10)" in capsys.readouterr().out
    checkpoint.save_weights("other", models.ResNet(models.BasicBlock, (1,), (4,)).state_dict())
    assert typed("evaluate", "--weights", "other", "--data", "folder:images") == 2
    assert "other does not say which model it belongs to: name it" in capsys.readouterr().err


# Things to look at.


def test_a_net_for_images_that_are_not_square_is_evaluated_on_such(elsewhere, capsys):
    rng = numpy.random.default_rng(0)
    for k, name in enumerate("ab"):
        for i in range(10):
            pixels = rng.integers(0, 255, (6, 20, 3)).astype(numpy.uint8)
            pixels[:, :4] = 250 * k  # what tells them apart lies at the left edge
            path = elsewhere / "wide" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    typed(
        "train",
        "--data",
        "folder:wide",
        "--epochs",
        "3",
        "--batch-size",
        "4",
        "--augment",
        "none",
        "--validation",
        "0",
        "--name",
        "w",
    )
    result = json.loads((elsewhere / "runs" / "w" / "result.json").read_text(encoding="utf-8"))
    capsys.readouterr()
    typed("evaluate", "w")
    assert (
        f"loss {result['test_loss']:.3f}, accuracy {100 * result['test_accuracy']:.2f} % ("
        in capsys.readouterr().out
    )


def test_a_run_can_be_used_from_another_folder(elsewhere, capsys, monkeypatch):
    for name in "ab":
        for i in range(5):
            path = elsewhere / "images" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (i, 50 * "ab".index(name), 0)).save(path)
    typed("train", "--data", "folder:images", "--epochs", "1", "--validation", "0", "--name", "r")
    (elsewhere / "x").mkdir()
    monkeypatch.chdir(elsewhere / "x")
    assert typed("evaluate", "../runs/r") == 0 and "of 2)" in capsys.readouterr().out
    assert str(elsewhere) not in (elsewhere / "runs" / "r" / "card.md").read_text(encoding="utf-8")


def test_one_class_is_nothing_to_train_on(elsewhere, capsys):
    for i in range(5):
        (elsewhere / "images" / "a").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (i, 0, 0)).save(elsewhere / "images" / "a" / f"{i}.png")
    assert typed("train", "--data", "folder:images", "--validation", "0") == 2
    assert "images has one class, a: expected at least two" in capsys.readouterr().err


def test_plot_lays_runs_over_each_other(trained, elsewhere, capsys):
    shutil.copytree(trained, trained.with_name("b"))
    assert typed("plot", "a", "runs/b", "--picture", "both.png") == 0
    assert (elsewhere / "both.png").read_bytes().startswith(b"\x89PNG") and lines(capsys)[
        -1
    ] == "picture in both.png"
    (elsewhere / "runs" / "b" / "log.csv").unlink()
    assert typed("plot", "a", "b") == 2 and "has no finished epoch yet" in capsys.readouterr().err
    assert (
        typed("plot", "a", "--depths") == 2
        and "runs/a has no layers.csv: its layers were not recorded" in capsys.readouterr().err
    )
    watch.write(
        trained / "layers.csv",
        [watch.Row(0, f"conv{i}", i, 0.0, 1.0, 0.0, 0.0, 0.1, 0.0) for i in (1, 2)],
    )
    assert typed("plot", "a", "--depths") == 0
    assert (elsewhere / "depths.png").read_bytes().startswith(b"\x89PNG") and lines(capsys)[
        -1
    ] == "picture in depths.png"


@pytest.mark.usefixtures("all_digits")
def test_data_describes_a_set_and_draws_it(elsewhere, capsys):
    assert typed("data", "digits") == 0
    said = lines(capsys)
    assert said[0].startswith("handwritten digits. UCI") and said[-1] == "picture in digits.png"
    assert (
        said[1]
        == "train       Dataset(1,257 images of 8 x 8 x 1, 10 classes), 122 to 128 per class"
    )
    assert (elsewhere / "digits.png").read_bytes().startswith(b"\x89PNG")


def test_summary_shows_the_published_number_of_parameters(capsys):
    assert (
        typed(
            "summary",
            "resnet18",
            "--stem",
            "imagenet",
            "--num-classes",
            "1000",
            "--input",
            "64",
            "64",
            "3",
        )
        == 0
    )
    assert re.search(r"^sum +11,689,512 ", capsys.readouterr().out, re.M)
    assert typed("summary", "resnet20") == 0 and re.search(
        r"^sum +269,722 ", capsys.readouterr().out, re.M
    )


def test_no_command_and_unknown_ones_show_the_usage(capsys):
    assert typed() == 2 and "usage: minires" in capsys.readouterr().err
    assert typed("trian") == 2 and "invalid choice: 'trian'" in capsys.readouterr().err
    assert typed("--version") == 0 and capsys.readouterr().out.startswith("minires 0.")


def test_info_names_backend_processor_and_kernel(capsys):
    assert typed("info") == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["backend"].startswith("numpy") and "cores" in lines["processor"]
    blas = machine.blas()
    assert blas is None or str(blas["kernel"]) in lines["BLAS"]
    assert lines["GPU"]


def test_info_goes_on_where_the_threads_are_no_number(elsewhere):
    environment = {"PYTHONPATH": str(ROOT), "MINIRES_THREADS": "x"}
    result = subprocess.run(
        [sys.executable, "-m", "minires", "info"], capture_output=True, text=True, env=environment
    )
    assert (
        result.returncode == 0
        and "\nthreads     none: MINIRES_THREADS: expected a number" in result.stdout
    )
    assert "\nGPU " in result.stdout


def test_info_warns_of_a_pinned_kernel(capsys, monkeypatch):
    monkeypatch.setattr(
        machine,
        "blas",
        lambda: {"name": "openblas", "version": "0.3", "kernel": "Haswell", "threads": 2},
    )
    monkeypatch.setattr(machine, "features", lambda: {"AVX2", "AVX512_SKX"})
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    typed("info")
    assert "warning     the kernel does not use this processor's AVX512_SKX" in (
        told := capsys.readouterr().out
    )
    assert "OPENBLAS_CORETYPE=Haswell pins it: unset it" in told
    monkeypatch.setattr(machine, "features", lambda: {"AVX2"})
    typed("info")
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize("command", ["train", "info"])
def test_a_wrong_minires_backend_is_a_line_and_no_traceback(elsewhere, command):
    environment = {"PYTHONPATH": str(ROOT), "MINIRES_BACKEND": "cuda"}
    result = subprocess.run(
        [sys.executable, "-m", "minires", command], capture_output=True, text=True, env=environment
    )
    assert "MINIRES_BACKEND=cuda: unknown backend 'cuda'" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr and result.returncode == (
        2 if command == "train" else 0
    )


def test_python_m_minires_is_the_command(elsewhere):
    result = subprocess.run(
        [sys.executable, "-m", "minires", "info"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0 and result.stdout.startswith("minires")
