"""evaluate, predict and export: what they say of unfinished runs, of odd images, and of weights that are not finite."""

import json
import re
import shutil

import numpy
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from minires import checkpoint, models, nn, pretrained
from tests.test_cli import elsewhere, few_digits, typed  # noqa: F401

FACTS = {"model": "resnet20", "options": {"in_channels": 1}, "size": [8, 8, 1], "mean": [0.3], "std": [0.4]}  # fmt: skip


def saved(path="w.safetensors", change=None, **facts):
    """A file of a small net for grey images of 8 x 8; `change` is called with its state."""
    nn.manual_seed(0)
    state = models.resnet20(in_channels=1).state_dict()
    if change:
        change(state)
    checkpoint.save_weights(path, state, **{**FACTS, **facts})
    return path


def drawn(path, background, line, mode="L"):
    image = Image.new(mode, (16, 16), background)
    image.paste(line, (6, 3, 9, 13))
    image.save(path)
    return path


# Runs that are not finished.


@pytest.fixture
def stopped(elsewhere):
    """A run of two epochs of two steps, as it was when the first epoch was done."""
    assert typed("train", "--epochs", "2", "--batch-size", "60", "--save-every", "0", "--name", "a") == 0  # fmt: skip
    run = elsewhere / "runs" / "a"
    for name in ("weights.safetensors", "result.json"):
        (run / name).unlink()
    shutil.rmtree(max((run / "checkpoints").iterdir()))
    return run


def test_each_command_says_that_a_run_is_unfinished(stopped, capsys):
    step = checkpoint.load_weights(*(stopped / "checkpoints").glob("*/weights.safetensors"))[1]["step"]  # fmt: skip
    assert 0 < step < 4
    drawn("a.png", 0, 255)
    capsys.readouterr()
    for words in (["evaluate"], ["predict", "a.png"], ["evaluate", "a", "--part", "validation"]):
        assert typed(*words) == 0
        first = capsys.readouterr().out.replace("\\", "/").splitlines()[0]
        assert first == f"the net of runs/a, unfinished: step {step} of 4"
    for words in (["evaluate", "--data", "digits"], ["predict", "a.png"], ["train", "--epochs", "1"]):  # fmt: skip
        assert typed(*words, "--weights", "a") == 0
        assert capsys.readouterr().out.splitlines()[0] == f"a: unfinished: step {step} of 4"


def test_export_says_so_too(stopped, capsys):
    pytest.importorskip("onnx")
    capsys.readouterr()
    assert typed("export", "a") == 0
    assert ", unfinished: step " in capsys.readouterr().out.splitlines()[0]


def test_of_a_finished_run_no_more_is_said(elsewhere, capsys):
    assert typed("train", "--epochs", "1", "--batch-size", "60", "--name", "a") == 0
    capsys.readouterr()
    assert typed("evaluate") == 0
    assert capsys.readouterr().out.replace("\\", "/").startswith("the net of runs/a\n")
    assert "step" not in json.loads(
        (elsewhere / "runs" / "a" / "result.json").read_text(encoding="utf-8")
    )


# Images that are not like those of the training.


@pytest.mark.parametrize(
    ("mean", "background", "line", "told"),
    [(0.3, 255, 0, "has a light background, but the training images are mostly dark"), (0.3, 0, 255, None), (0.5, 255, 0, None), (0.5, 0, 255, None),
     (0.8, 0, 255, "has a dark background, but the training images are mostly light"), (0.8, 255, 0, None), (0.3, 120, 0, None)],
)  # fmt: skip
def test_a_background_unlike_that_of_the_training_images_is_said(mean, background, line, told, capsys):  # fmt: skip
    saved(mean=[mean])
    drawn("a.png", background, line)
    assert typed("predict", "a.png", "--weights", "w.safetensors") == 0
    *said, last = capsys.readouterr().out.splitlines()
    assert last.startswith("a.png: class ")
    assert [line for line in said if "background" in line] == said and len(said) == bool(told)
    assert not told or said[0].startswith(f"a.png {told}")


def test_a_colour_image_that_turns_grey_is_said(capsys):
    saved()
    drawn("grey.png", (0, 0, 0), (250, 250, 250), "RGB")
    drawn("grey.jpg", (0, 0, 0), (250, 250, 250), "RGB")
    drawn("red.png", (0, 0, 0), (250, 0, 0), "RGB")
    images = ["grey.png", "red.png", "grey.jpg"]
    assert typed("predict", *images, "--weights", "w.safetensors", "--top", "1") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if "class" not in line] == ["red.png is in colour, but the network sees it in grey"]  # fmt: skip
    assert len(said) == 4


def test_a_net_for_grey_images_takes_a_size_without_being_told_its_channels(capsys):
    state = models.resnet20(in_channels=1).state_dict()
    checkpoint.save_weights("bare.safetensors", state)
    drawn("a.png", 0, 255)
    words = ["--weights", "bare.safetensors", "--size", "8", "--mean", ".3", "--std", ".4"]
    assert typed("predict", "a.png", *words) == 0


# Numbers that are not finite.


def not_a_number(state):
    state["fc.bias"][3] = numpy.nan


def infinite(state):
    state["layer2.0.bn1.running_var"][...] = -numpy.inf


def too_large(state):
    """Finite in the file, and not in float32."""
    state["conv1.weight"] = state["conv1.weight"] + 1e300


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(
    ("change", "name"), [(not_a_number, "fc.bias"), (infinite, "layer2.0.bn1.running_var"), (too_large, "conv1.weight")]
)  # fmt: skip
@pytest.mark.parametrize("words", [["predict", "a.png"], ["evaluate", "--data", "digits"], ["export"], ["train"]], ids=lambda words: words[0])  # fmt: skip
def test_weights_that_are_not_finite_are_named(words, change, name, capsys):
    drawn("a.png", 0, 255)
    saved(change=change, classes=list("0123456789"))
    assert typed(*words, "--weights", "w.safetensors") == 2
    source = "--weights" if words[0] == "train" else "w.safetensors"
    told = f"minires {words[0]}: {source}: {name} contains NaN or infinity"
    assert capsys.readouterr().err.startswith(told)


def overflowing(state):
    """All numbers are finite; those that come out are not."""
    state["bn1.weight"][...], state["bn1.running_var"][...] = 3e38, 0


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_logits_that_are_not_finite_are_said(capsys):
    drawn("a.png", 0, 255)
    saved(change=overflowing)
    for words, told in ((["predict", "a.png"], "a.png: the logits are not finite"), (["evaluate", "--data", "digits"], "not all logits are finite")):  # fmt: skip
        assert typed(*words, "--weights", "w.safetensors") == 2
        assert told in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_export_refuses_a_net_that_is_not_finite(capsys, tmp_path):
    pytest.importorskip("onnx")
    from minires.export import export

    model = models.resnet20(in_channels=1)
    model.fc.bias.data[0] = numpy.inf
    with pytest.raises(ValueError, match="export: fc.bias contains NaN or infinity"):
        export(model, tmp_path / "net.onnx", (8, 8, 1))
    model.fc.bias.data[0], model.fc.weight.data[...], model.bn1.running_mean[...] = 0, 1e30, -1e30
    with pytest.raises(ValueError, match="export: the logits of an image of zeros are not finite"):
        export(model, tmp_path / "net.onnx", (8, 8, 1))
    assert not list(tmp_path.glob("*.onnx"))


# Names of files.


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predict", "a.png", "--weights", "/nope.pth"], "no such file: /nope.pth"),
        (["evaluate", "--weights", "nope.safetensors"], "no such file: nope.safetensors"),
        (["export", "--weights", "some/where"], "no such file: some/where"),
        (["train", "--weights", "there"], "there is a folder without a run"),
        (["predict", "a.png", "--weights", "resnet18.tv"], "unknown file, run or published name 'resnet18.tv'.*did you mean 'resnet18.tv_in1k'"),
        (["predict", "a.png", "--weights", "w.safetensors:ema"], "w.safetensors has no weights under 'ema'"),
        (["predict", "a.png", "--weights", "none.pth:ema"], "no such file: none.pth:ema"),
        (["predict", "--weights", "w.safetensors", "--mean", "1", "2", "3", "a.png"], "expected a number, got 'a.png'; file names go before the options"),
        (["predict", "there"], "there .*folder"),
        (["summary", "resnet20", "--input", "-1", "32", "3"], "--input -1 32 3: expected three numbers of at least 1"),
        (["summary", "resnet20", "--input", "32", "32", "0"], "--input 32 32 0: expected three numbers of at least 1"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_in_a_line(words, message, elsewhere, capsys):
    saved()
    drawn("a.png", 0, 255)
    (elsewhere / "there").mkdir()
    words = [*words, "--weights", "w.safetensors"] if words == ["predict", "there"] else words
    assert typed(*words) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"minires {words[0]}: ")
    assert re.search(message, told), told


def test_one_of_several_sets_of_weights_is_chosen_by_its_name(capsys):
    nn.manual_seed(0)
    one, other = (models.resnet20(in_channels=1).state_dict() for _ in range(2))
    both = {f"{prefix}.{name}": array for prefix, state in (("net", one), ("ema", other)) for name, array in state.items()}  # fmt: skip
    checkpoint.save_weights("both.safetensors", both)
    for key, expected in (("", one), (":net", one), (":ema", other)):
        state, _ = pretrained.read(f"both.safetensors{key}")
        assert_array_equal(state["conv1.weight"], expected["conv1.weight"])
