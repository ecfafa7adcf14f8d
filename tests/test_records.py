"""Logs for other programs: JSON lines and TensorBoard, also of runs that were stopped and extended."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy
import pytest

from minires.cli import records
from minires.runs import Run
from tests.test_cli import elsewhere, few_digits, typed  # noqa: F401  (two are fixtures)
from tests.test_extension import killed_in, quick  # noqa: F401  (a fixture)

# 120 images in steps of 6: 20 an epoch.
TRAIN = ("train", "--model", "tiny", "--batch-size", "6", "--augment", "none", "--log", "jsonl")
LOG = Path("runs/a/log.jsonl")


def read():
    return [json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines()]


def without_seconds(found):
    return [{key: value for key, value in each.items() if key != "seconds"} for each in found]


def test_json_lines_hold_the_rows_of_the_log_and_the_loss_of_every_20th_step():
    assert typed(*TRAIN, "--epochs", "2", "--name", "a") == 0
    found, rows = read(), Run("runs/a").log()
    assert [each for each in found if "epoch" in each] == rows
    steps = [each for each in found if "epoch" not in each]
    assert [each["step"] for each in steps] == [20, 40]
    assert all(each.keys() == {"step", "lr", "loss"} for each in steps)
    assert [each["lr"] for each in steps] == [row["lr"] for row in rows]  # both end at these steps


@pytest.mark.parametrize("step", [20, 21, 33])
def test_a_run_that_was_stopped_and_extended_has_each_record_once(step, monkeypatch):
    words = (*TRAIN, "--save-every", "1000")
    assert typed(*words, "--epochs", "2", "--name", "b") == 0
    assert killed_in(step, monkeypatch, *words, "--epochs", "2", "--name", "a") == 130
    with LOG.open("a") as file:
        file.write('{"step": 3')  # as a kill in the middle of a line leaves it
    assert typed("train", "--resume", "a") == 0
    other = without_seconds(
        map(json.loads, Path("runs/b/log.jsonl").read_text(encoding="utf-8").splitlines())
    )
    assert without_seconds(read()) == other
    assert typed("train", "--resume", "a", "--epochs", "3") == 0
    assert without_seconds(read())[: len(other)] == other
    assert [each["epoch"] for each in read() if "epoch" in each] == [1, 2, 3]


def test_a_log_may_begin_later_and_unknown_lines_do_not_stay():
    assert typed(*TRAIN[:-2], "--epochs", "1", "--name", "a") == 0
    LOG.write_bytes(
        b'[1]\n3\n\nnull\n{}\n\xff\xfe{"step": 1}\n\0\0\0'
    )  # some of it as a power cut leaves it
    assert typed("train", "--resume", "a", "--epochs", "2", "--log", "jsonl") == 0
    assert [each["step"] for each in read()] == [40, 40]


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), numpy.float32("-inf")])
def test_a_loss_that_is_not_finite_is_null_as_other_programs_read_no_nan(tmp_path, loss):
    log = records.JsonLines(tmp_path, 0, 0)
    log.write({"epoch": 1, "step": 20, "train_loss": 0.5, "validation_loss": loss})

    def refuse(constant):
        raise AssertionError(constant)

    text = (tmp_path / "log.jsonl").read_text()
    expected = {"epoch": 1, "step": 20, "train_loss": 0.5, "validation_loss": None}
    assert json.loads(text, parse_constant=refuse) == expected


def test_a_full_disk_names_the_log(tmp_path, monkeypatch):
    log = records.JsonLines(tmp_path, 0, 0)
    log.path.unlink()
    log.path.mkdir()
    with pytest.raises(OSError, match=r"cannot write .*log.jsonl \(12 bytes\): Is a directory"):
        log.write({"step": 1})


class Writer:
    """A SummaryWriter that notes its scalars."""

    made: list = []

    def __init__(self, folder, purge_step, **_):
        self.folder, self.purge_step, self.scalars, self.closed = folder, purge_step, [], False
        self.made.append(self)

    def add_scalar(self, tag, value, step):
        self.scalars.append((tag, step, value))

    def close(self):
        self.closed = True


def test_tensorboard_gets_the_numbers_by_step_and_hides_what_a_stopped_run_repeats(monkeypatch):
    module = type(sys)("tensorboardX")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    monkeypatch.setattr(Writer, "made", [])
    words = (*TRAIN[:-1], "tensorboard", "--save-every", "1000", "--epochs", "2")
    assert killed_in(33, monkeypatch, *words, "--name", "a") == 130
    assert typed("train", "--resume", "a") == 0
    first, second = Writer.made
    assert Path(first.folder) == Path("runs/a/tensorboard") and first.closed and second.closed
    assert first.purge_step == 1 and second.purge_step == 1  # it was saved at step 0 alone
    tags = ("lr", "train/loss", "train/accuracy", "validation/loss", "validation/accuracy")
    rows = Run("runs/a").log()
    for tag in tags:
        expected = [(row["step"], row[tag.replace("/", "_")]) for row in rows]
        got = [(step, value) for name, step, value in second.scalars if name == tag]
        assert sorted(set(got)) == expected, tag
    assert [step for name, step, _ in second.scalars if name == "loss"] == [20, 40]


def test_a_package_that_is_missing_is_named_before_a_run_is_made(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert typed(*TRAIN, "--log", "tensorboard") == 2
    assert (
        "--log tensorboard needs the package tensorboardX: pip install tensorboardX"
        in capsys.readouterr().err
    )
    assert not Path("runs").exists()


@pytest.mark.skipif(not importlib.util.find_spec("tensorboardX"), reason="needs tensorboardX")
def test_tensorboardx_writes_what_can_be_read_back():
    from tensorboardX.proto.event_pb2 import Event

    assert typed(*TRAIN, "--log", "tensorboard", "--epochs", "1", "--name", "a") == 0
    (path,) = Path("runs/a/tensorboard").iterdir()
    data, found = path.read_bytes(), []
    while data:  # length (8 bytes), its checksum (4), the event, its checksum (4)
        length = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + length])
        found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
        data = data[16 + length :]
    (row,) = Run("runs/a").log()
    for name in ("train_loss", "validation_accuracy"):
        assert (name.replace("_", "/"), 20, pytest.approx(row[name], rel=1e-6)) in found
