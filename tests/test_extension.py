"""A run that gets more epochs than it began with: what changes, what continues, and what survives a kill."""

import csv
import functools
import itertools
import json
import math
from pathlib import Path

import pytest

from minires import models, optim
from minires.cli import extension
from minires.runs import Run
from minires.show.picture import Picture
from tests.test_cli import elsewhere, few_digits, lines, typed  # noqa: F401  (two are fixtures)

# 120 images in steps of 24: 5 per epoch.
TRAIN = ("train", "--batch-size", "24", "--save-every", "0", "--model", "tiny", "--augment")
STEPS = 5


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A model of 430 parameters, and figures that are not drawn."""
    tiny = functools.partial(models.ResNet, models.BasicBlock, (1,), (4,))
    monkeypatch.setitem(models.MODELS, "tiny", tiny)
    numbers = itertools.count()
    monkeypatch.setattr(Picture, "_png", lambda picture, dpi: b"figure %d" % next(numbers))


CONSTANT = ("crop=1", "--schedule", "constant", "--warmup", "0", "--lr", "0.02")


def outcome(name):
    """What a run ended with, without times."""
    run = Run(Path("runs", name))
    log = [{key: value for key, value in row.items() if key != "seconds"} for row in run.log()]
    # All but "test_reads": a run that finishes twice reads the test images twice.
    result = {key: value for key, value in run.result().items()
              if key in ("test_loss", "test_accuracy", "test_hits", "test_images")}  # fmt: skip
    _, _, arrays, loop = run.newest()
    layers = run.folder / "layers.csv"
    return (
        (run.folder / "weights.safetensors").read_bytes(),
        log,
        result,
        {name: array.tobytes() for name, array in arrays.items()},
        (loop["meter"], loop["generator"], loop["optimizer"]),
        layers.read_text(encoding="utf-8") if layers.exists() else None,
    )


def killed_in(step, monkeypatch, *words):
    """Run a command, and interrupt it in this step (of optimizers, counted from 1); the status."""
    original = optim.Optimizer.step

    def interrupted(self):
        if self.steps + 1 == step:
            raise KeyboardInterrupt
        original(self)

    with monkeypatch.context() as there:
        there.setattr(optim.Optimizer, "step", interrupted)
        return typed(*words)


slow = functools.partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "more", [(), slow(("--watch", "3")), slow(("--optimizer", "adam", "--lr", "0.001"))]
)
def test_at_a_constant_rate_a_run_extended_twice_ends_as_one_that_had_all_epochs(more):
    """The oracle knows nothing of extensions: it is a run with four epochs from the start."""
    assert typed(*TRAIN, *CONSTANT, *more, "--epochs", "4", "--name", "whole") == 0
    assert typed(*TRAIN, *CONSTANT, *more, "--epochs", "1", "--name", "a") == 0
    for epochs in ("2", "4"):
        assert typed("train", "--resume", "a", "--epochs", epochs, "--save-every", "0") == 0
    assert outcome("a") == outcome("whole")


def cosine(lr, steps, warmup):
    """By the formula in the documentation of optim.schedules."""
    return lambda step: (
        lr * (1 + math.cos(math.pi * step / steps)) / 2 * min((step + 1) / warmup, 1)
    )


def test_the_schedule_is_stretched_over_all_epochs_and_the_config_the_card_and_a_line_say_so(
    capsys,
):
    words = ("none", "--lr", "0.1", "--schedule", "cosine", "--warmup", "0.2")
    assert typed(*TRAIN, *words, "--epochs", "2", "--name", "a") == 0
    accuracy = Run("runs/a").result()["test_accuracy"]
    first, second = cosine(0.1, 10, 2), cosine(0.1, 20, 4)
    capsys.readouterr()
    assert typed("train", "--resume", "a", "--epochs", "4") == 0
    said = lines(capsys)
    assert said[0].endswith("runs/a resumes at step 10")
    assert said[1] == (
        "extended from 2 to 4 epochs: the schedule is stretched over all 4, "
        f"and the learning rate goes from {first(9):.2g} to {second(10):.2g}"
    )
    run = Run("runs/a")
    rates = [row["lr"] for row in run.log()]
    assert rates == pytest.approx([first(4), first(9), second(14), second(19)])
    assert [row["epoch"] for row in run.log()] == [1, 2, 3, 4]
    assert run.config["epochs"] == 4
    made = {"epoch": 2, "step": 10, "from": 2, "to": 4, "schedule": "stretched"}
    assert run.extensions == [{**made, "test_accuracy": accuracy}]
    card = (run.folder / "card.md").read_text(encoding="utf-8")
    assert (
        f"| extended | after epoch 2 (step 10), with test accuracy {100 * accuracy:.2f} %: "
        "from 2 to 4 epochs, schedule stretched |" in card
    )
    assert "| accuracy on test, at the end |" in card and '"extensions": [' in card
    assert "for 4 epochs and their validation" in card
    head = (run.folder / "log.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head.startswith("epoch,step,lr,train_loss")  # as before it was resumed


@pytest.mark.parametrize("old", [False, True])
def test_what_the_run_finished_with_before_is_kept(old):
    """Also of a run of minires 0.1.0, whose result does not say for how many epochs it is."""
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    run = Run("runs/a")
    result = json.loads((run.folder / "result.json").read_text(encoding="utf-8"))
    assert result.pop("epochs") == 1
    if old:
        (run.folder / "result.json").write_text(json.dumps(result))
    names = ("weights.safetensors", "curves.png", "card.md", "result.json")
    before = {name: (run.folder / name).read_bytes() for name in names}
    assert typed("train", "--resume", "a", "--epochs", "2") == 0
    assert {name: (run.folder / "epoch-1" / name).read_bytes() for name in names} == before
    assert all((run.folder / name).read_bytes() != before[name] for name in names)


VARIANTS = {
    "averaged": ("crop=1", "--average", "3"),
    "float16": ("none", "--precision", "float16"),
    "both": ("crop=1", "--precision", "float16", "--average", "2"),
    "watched": ("flip=alternating", "--watch", "2"),
    "adamw": ("none", "--optimizer", "adamw", "--lr", "0.01", "--schedule", "step"),
    "triangle": ("none", "--schedule", "triangle", "--drop-last"),
}


@pytest.mark.parametrize("name", ["both", *map(slow, VARIANTS)])
def test_an_extension_that_was_interrupted_ends_with_the_bits_of_one_that_was_not(
    name, monkeypatch
):
    """Killed in the first step of the extension, in mid-epoch, and in the first step of an epoch."""
    for folder in ("whole", "killed"):
        assert typed(*TRAIN, *VARIANTS[name], "--epochs", "1", "--name", folder) == 0
    words = ("train", "--save-every", "0", "--resume")
    assert typed(*words, "whole", "--epochs", "3") == 0
    assert killed_in(STEPS + 1, monkeypatch, *words, "killed", "--epochs", "3") == 130
    assert Run("runs/killed").result() is None and Run("runs/killed").config["epochs"] == 3
    for step in (STEPS + 3, 2 * STEPS + 1):
        assert killed_in(step, monkeypatch, *words, "killed") == 130
    assert typed(*words, "killed") == 0
    assert outcome("killed") == outcome("whole")


@pytest.mark.parametrize("name", ["averaged", slow("triangle")])
def test_so_does_one_whose_checkpoints_at_the_extension_are_damaged(name, monkeypatch):
    """It goes back to steps before the extension, which have the schedule of their time."""
    for folder in ("whole", "damaged"):
        assert typed(*TRAIN, *VARIANTS[name], "--epochs", "2", "--name", folder) == 0
    words = ("train", "--save-every", "0", "--resume")
    assert typed(*words, "whole", "--epochs", "3") == 0
    assert killed_in(2 * STEPS + 1, monkeypatch, *words, "damaged", "--epochs", "3") == 130
    newest, before = Run("runs/damaged").saved()
    assert int(before.name[-3:]) < 2 * STEPS == int(newest.name[-3:])
    (newest / "loop.safetensors").write_bytes(b"")
    assert typed(*words, "damaged") == 0
    assert outcome("damaged") == outcome("whole")


def test_a_stopped_run_may_get_more_epochs_or_fewer_than_it_was_meant_to_have(monkeypatch, capsys):
    words = (*TRAIN, "none", "--schedule", "cosine", "--warmup", "0", "--lr", "0.1")
    assert killed_in(7, monkeypatch, *words, "--epochs", "3", "--name", "a") == 130
    assert typed("train", "--resume", "a", "--epochs", "2") == 0
    assert "shortened from 3 to 2 epochs: the schedule is stretched over all 2" in (
        capsys.readouterr().out
    )
    rates = [row["lr"] for row in Run("runs/a").log()]
    assert rates == pytest.approx([cosine(0.1, 15, 1)(4), cosine(0.1, 10, 1)(9)])
    card = (Run("runs/a").folder / "card.md").read_text(encoding="utf-8")
    assert "| extended | after epoch 1 (step 6): from 3 to 2 epochs, schedule str" in card
    assert "| accuracy on test, read once, at the end |" in card


def test_before_the_first_step_an_extended_run_is_one_that_had_these_epochs(monkeypatch):
    words = (*TRAIN, "none")
    assert typed(*words, "--epochs", "2", "--name", "whole") == 0
    assert killed_in(1, monkeypatch, *words, "--epochs", "1", "--name", "a") == 130
    assert typed("train", "--resume", "a", "--epochs", "2", "--save-every", "0") == 0
    assert outcome("a") == outcome("whole")


def test_fewer_epochs_than_are_done_are_refused_and_nothing_changes(monkeypatch, capsys):
    assert typed(*TRAIN, "none", "--epochs", "2", "--name", "a") == 0
    before = {path: path.read_bytes() for path in Path("runs/a").rglob("*") if path.is_file()}
    assert typed("train", "--resume", "a", "--epochs", "1") == 2
    told = capsys.readouterr().err.replace("\\", "/")
    assert "--epochs is 1, expected at least 2: runs/a has done 2 epochs" in told
    assert {path: path.read_bytes() for path in before} == before
    assert killed_in(7, monkeypatch, *TRAIN, "none", "--epochs", "3", "--name", "b") == 130
    assert typed("train", "--resume", "b", "--epochs", "1") == 2
    told = capsys.readouterr().err.replace("\\", "/")
    assert "--epochs is 1, expected at least 2: runs/b is in epoch 2" in told


def test_as_many_epochs_as_it_has_are_no_extension(capsys):
    """So the command that extends a run can be repeated."""
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    assert typed("train", "--resume", "a", "--epochs", "2") == 0
    capsys.readouterr()
    assert typed("train", "--resume", "a", "--epochs", "2") == 0
    assert "is finished: test accuracy" in capsys.readouterr().out
    assert len(Run("runs/a").extensions) == 1


def test_a_finished_run_without_epochs_says_how_to_train_it_longer(capsys):
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    capsys.readouterr()
    assert typed("train", "--resume", "a") == 0
    told = capsys.readouterr().out
    assert "--epochs N, with N above 1" in told and "replace --resume with --weights" in told
    assert typed("train", "--weights", "runs/a", "--epochs", "1", "--batch-size", "60") == 0


def test_a_run_without_checkpoints_is_not_begun_again(capsys):
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    for path in sorted(Path("runs/a/checkpoints").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    weights = Path("runs/a/weights.safetensors").read_bytes()
    assert typed("train", "--resume", "a", "--epochs", "2") == 2
    assert "has no checkpoint left to resume from" in capsys.readouterr().err
    assert Path("runs/a/weights.safetensors").read_bytes() == weights
    assert Run("runs/a").result() and typed("train", "--resume", "a") == 0


def test_if_all_checkpoints_are_damaged_the_weights_are_named_as_a_way_on(capsys):
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    for path in Path("runs/a/checkpoints").rglob("loop.safetensors"):
        path.write_bytes(path.read_bytes()[:100])
    capsys.readouterr()
    assert typed("train", "--resume", "a", "--epochs", "2") == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert told[0].endswith("Loading the checkpoint before it") and "before it" not in told[1]
    assert "start a new run, with --weights runs/a from its weights" in told[2]
    assert Run("runs/a").result() and not Run("runs/a").extensions


@pytest.mark.parametrize(
    "entry", [{"step": None}, {"from": "1"}, {"to": 2.5}, {"epoch": True}, {"schedule": 1}], ids=str
)
def test_a_damaged_extension_is_told(entry, capsys):
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    path = Path("runs/a/config.json")
    whole = {"epoch": 1, "step": STEPS, "from": 1, "to": 2, "schedule": "stretched"}
    written = {**json.loads(path.read_text()), "extensions": [{**whole, **entry}]}
    path.write_text(json.dumps(written))
    assert typed("train", "--resume", "a", "--epochs", "3") == 2
    assert "config.json is damaged: expected a list of extensions" in capsys.readouterr().err


@pytest.mark.parametrize("written", [{"test_accuracy": None}, {"test_accuracy": "0.5"},
                                     {"test_accuracy": 0.5, "epochs": "1"}], ids=str)  # fmt: skip
def test_a_damaged_result_is_told(written, capsys):
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    path = Path("runs/a/result.json")
    path.write_text(json.dumps(written))
    assert typed("train", "--resume", "a") == 2
    told = capsys.readouterr().err
    assert "result.json is damaged" in told and "expected a number; remove it" in told
    path.unlink()
    assert typed("train", "--resume", "a") == 0 and Run("runs/a").result()


@pytest.mark.parametrize("moved", [slow(0), slow(1), 2, slow(3), slow(4)])
def test_a_kill_while_the_former_end_is_put_away_loses_nothing(moved, monkeypatch):
    """After 0 to 4 of the four files."""
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    names = ("weights.safetensors", "curves.png", "card.md", "result.json")
    before = {name: Path("runs/a", name).read_bytes() for name in names}
    assert killed_after_moving(moved, monkeypatch) == 130
    assert Run("runs/a").result() is None
    assert typed("evaluate", "a") == 0
    assert typed("train", "--resume", "a") == 0
    assert {name: Path("runs/a/epoch-1", name).read_bytes() for name in names} == before
    assert Run("runs/a").result()["epochs"] == 2 and len(Run("runs/a").log()) == 2


def killed_after_moving(count, monkeypatch):
    replace, moves = Path.replace, []

    def killed(self, target):
        if self.parent.name == "a" and Path(target).parent.name == "epoch-1":
            if len(moves) == count:
                raise KeyboardInterrupt
            moves.append(self)
        return replace(self, target)

    if count == 4:
        return killed_in(STEPS + 1, monkeypatch, "train", "--resume", "a", "--epochs", "2")
    with monkeypatch.context() as there:
        there.setattr(Path, "replace", killed)
        return typed("train", "--resume", "a", "--epochs", "2")


def test_weights_of_a_run_that_was_killed_while_it_finished_are_not_its_newest(monkeypatch):
    """weights.safetensors without result.json, then extended and stopped."""
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    Path("runs/a/result.json").unlink()
    assert killed_in(STEPS + 3, monkeypatch, "train", "--resume", "a", "--epochs", "2",
                     "--save-every", "0") == 130  # fmt: skip
    assert Run("runs/a").weights()[1]["step"] == STEPS + 2


def test_a_full_disk_leaves_the_run_as_it_was_or_extended(monkeypatch, capsys):
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as there:
        there.setattr("os.fsync", full)
        assert typed("train", "--resume", "a", "--epochs", "2") == 2
    told = capsys.readouterr().err.replace("\\", "/")
    assert "No space left on device" in told and "--resume runs/a --epochs 2\n" in told
    assert Run("runs/a").result() and Run("runs/a").config["epochs"] == 1
    assert typed("train", "--resume", "a", "--epochs", "2") == 0


def test_the_log_and_the_curves_of_a_finished_run_are_repaired(capsys):
    assert typed(*TRAIN, "none", "--epochs", "2", "--name", "a") == 0
    log, picture = Path("runs/a/log.csv"), Path("runs/a/curves.png")
    rows, read = (
        log.read_text(encoding="utf-8"),
        list(csv.reader(log.read_text(encoding="utf-8").splitlines())),
    )
    for harm in (
        lambda: log.write_text(rows.replace(",", ";")),
        lambda: log.write_text(rows.replace("1", "x")),
        lambda: log.write_text(rows.replace("0.", "0.9", 1)),
        lambda: log.write_text(""),
        lambda: log.write_text("\n".join(rows.splitlines()[:-1])),
        lambda: log.unlink(),
        lambda: picture.unlink(),
    ):
        harm()
        capsys.readouterr()
        assert typed("train", "--resume", "a") == 0
        assert "repaired log.csv and curves.png from the last checkpoint" in capsys.readouterr().out
        assert list(csv.reader(log.read_text(encoding="utf-8").splitlines())) == read
        assert picture.is_file() and typed("plot", "a") == 0
    assert typed("train", "--resume", "a") == 0
    assert "repaired" not in capsys.readouterr().out


def test_a_log_that_nothing_can_repair_is_told_and_a_good_one_is_left(capsys):
    assert typed(*TRAIN, "none", "--epochs", "2", "--name", "a") == 0
    log = Path("runs/a/log.csv")
    rows = log.read_text(encoding="utf-8")
    newest, before = Run("runs/a").saved()
    (newest / "loop.safetensors").write_bytes(b"")
    assert typed("train", "--resume", "a") == 0 and log.read_text(encoding="utf-8") == rows
    (before / "loop.safetensors").write_bytes(b"")
    assert typed("train", "--resume", "a") == 0 and log.read_text(encoding="utf-8") == rows
    log.write_text("a;b")
    capsys.readouterr()
    assert typed("train", "--resume", "a") == 0
    assert "log.csv is damaged, and" in capsys.readouterr().err


def test_the_runs_of_a_recipe_are_extended_by_its_command(monkeypatch):
    written = "[[runs]]\nname = 'a'\n[[runs]]\nname = 'b'\nshortcut = 'A'\n"
    Path("two.toml").write_text(f"data = 'digits'\nbatch_size = 60\nepochs = 1\n{written}")
    words = ("train", "--recipe", "two.toml")
    assert typed(*words) == 0 and typed(*words, "--epochs", "2") == 0
    for name in "ab":
        run = Run(f"runs/two-{name}")
        assert run.result()["epochs"] == run.config["epochs"] == 2
    assert typed(*words) == 0  # those of two epochs stay


def test_a_config_that_another_process_changed_is_not_overwritten():
    assert typed(*TRAIN, "none", "--epochs", "1", "--name", "a") == 0
    stale = Run("runs/a")
    config = json.loads((stale.folder / "config.json").read_text(encoding="utf-8"))
    (stale.folder / "config.json").write_text(json.dumps({**config, "epochs": 7}))
    with pytest.raises(ValueError, match="changed by another process"), stale.locked():
        pass


@pytest.mark.parametrize(
    ("step", "epochs"), [(0, 2), (9, 2), (10, 3), (14, 3), (15, 9), (16, 9), (10**6, 9)]
)
def test_each_step_has_the_epochs_of_its_time(step, epochs):
    made = [{"step": 10, "from": 2}, {"step": 10, "from": 5}, {"step": 15, "from": 3}]
    assert extension.epochs_at(step, made, 9) == epochs
