"""What a run shows: a bar that fits the terminal, lines elsewhere, and colour where it is wanted."""

import functools
import io
import math
import os
import re
import select
import sys

import numpy
import pytest

from minires import models
from minires.cli import progress, terminal
from minires.cli.loop import Loop
from minires.cli.progress import Progress
from minires.train import Score
from tests.test_cli import elsewhere, few_digits, typed  # noqa: F401  (two are fixtures)

fcntl = pytest.importorskip("fcntl", reason="pseudo-terminals of POSIX")
pty, struct, termios = (__import__(name) for name in ("pty", "struct", "termios"))

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
EPOCH = "epoch 12/200  train: loss 1.234, accuracy 56.78 %  validation: 1.234, 56.78 %"


@pytest.fixture
def screen(monkeypatch):
    """A function that makes stdout and stderr a terminal of some columns, and one that reads it."""
    opened = []

    def of(columns):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        streams = [os.fdopen(os.dup(slave), "w", encoding="utf-8") for _ in range(2)]
        os.close(slave)
        opened.extend(streams)
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])

        def read():
            for stream in streams:
                stream.flush()
            found = b""
            while select.select([master], [], [], 0.05)[0]:
                found += os.read(master, 1 << 16)
            return found.decode()

        return read

    yield of
    for stream in opened:
        stream.close()


def drawn(text):
    """What was on each line of a terminal, one after the other: between returns and line ends."""
    return [part for part in re.split(r"[\r\n]+", ESCAPE.sub("", text)) if part.strip()]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_bar_fits_the_terminal_and_shows_the_epoch_and_images(screen, columns):
    read = screen(columns)
    shown = Progress()
    with shown.shown(epochs=200, images=50_000, done=11 * 50_000):
        shown.count(128)
        shown.show(1.2345)
        shown._bar.refresh()
        lines = drawn(read())
    assert max(map(len, lines)) <= columns
    assert all(line.startswith("epoch 12/200") for line in lines)
    assert lines[-1].startswith("epoch 12/200") and "550k/10.0M" in lines[-1]
    assert ", loss 1.234" in lines[-1] and re.search(r"k?(/s| images/s), [\d:?]+", lines[-1])
    assert ("images" in lines[-1]) == (columns >= 80)


@pytest.mark.parametrize(("columns", "expected"), [(60, 2), (80, 1), (120, 1)])
def test_the_line_of_an_epoch_breaks_between_words(screen, columns, expected):
    read = screen(columns)
    shown = Progress()
    with shown.shown(epochs=200, images=50_000, done=0):
        read_before = read() if shown.terminal else ""
        shown.print(EPOCH)
        lines = [line for line in drawn(read()) if not line.startswith("epoch 1/200")]
    assert len(lines) == expected and max(map(len, lines)) <= columns
    assert " ".join(" ".join(lines).split()) == " ".join(EPOCH.split()) and read_before


@pytest.mark.parametrize(("images", "batch"), [(103, 20), (100, 20), (7, 20), (1, 1)])
def test_the_bar_counts_as_many_images_as_there_are(screen, images, batch):
    read = screen(120)
    shown = Progress()
    with shown.shown(epochs=2, images=images, done=0):
        for _ in range(2):
            for start in range(0, images, batch):
                shown.count(min(batch, images - start))
        assert shown._bar.n == shown._bar.total == 2 * images == shown.done
        assert shown._bar.desc == "epoch 2/2"
    read()


def test_the_bar_is_gone_before_the_lines_at_the_end_which_break_between_words(screen, monkeypatch):
    tiny = functools.partial(models.ResNet, models.BasicBlock, (1,), (4,))
    monkeypatch.setitem(models.MODELS, "tiny", tiny)
    read = screen(48)
    words = (
        "--model",
        "tiny",
        "--epochs",
        "1",
        "--batch-size",
        "60",
        "--watch",
        "1",
        "--name",
        "a",
    )
    assert typed("train", *words) == 0
    found = drawn(read())
    for begins in ("layers in runs/a/layers.csv and", "trained in "):
        assert next(line for line in found if begins in line).startswith(begins)
    assert max(map(len, found)) <= 48


def test_a_test_loss_that_is_not_finite_is_told(monkeypatch, capsys):
    tiny = functools.partial(models.ResNet, models.BasicBlock, (1,), (4,))
    monkeypatch.setitem(models.MODELS, "tiny", tiny)
    words = ("train", "--model", "tiny", "--epochs", "1", "--batch-size", "60", "--name")
    assert typed(*words, "a") == 0 and not capsys.readouterr().err
    score, broken = Score(math.nan, 20, 40), numpy.full((40, 10), numpy.nan, "float32")

    def evaluated(loop, *_, **__):
        loop.logits = [broken]
        return score

    monkeypatch.setattr(Loop, "evaluated", evaluated)
    assert typed(*words, "b") == 0
    assert "the test loss is nan: not all logits are finite" in capsys.readouterr().err


class Clock:
    """Seconds that pass when it is told so."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


def test_without_a_terminal_a_line_comes_every_30_seconds(capsys, monkeypatch):
    clock = Clock(monkeypatch)
    shown = Progress()
    with shown.shown(epochs=3, images=1000, done=1000):
        for _ in range(10):  # 50 images in 10 s: a line after each third step
            clock.now += 10
            shown.count(50)
            shown.show(2.5)
    out = capsys.readouterr().out.splitlines()
    # 1500 images at 5/s: of the first line, 1850 are left, which take 370 s.
    assert out == [
        "epoch 2/3: 150 of 1,000 images, 5 images/s, loss 2.500, 06:10 left",
        "epoch 2/3: 300 of 1,000 images, 5 images/s, loss 2.500, 05:40 left",
        "epoch 2/3: 450 of 1,000 images, 5 images/s, loss 2.500, 05:10 left",
    ]


def test_an_evaluation_prints_such_lines_too_and_passes_its_batches_on(capsys, monkeypatch):
    clock = Clock(monkeypatch)
    batches = [(object(), numpy.zeros(n)) for n in (20, 20, 5)]
    found = []
    for batch in Progress().follow("validation", 45, iter(batches)):
        clock.now += 20
        found.append(batch)
    assert found == batches
    assert capsys.readouterr().out == "validation: 40 of 45 images\n"


def test_a_bar_needs_both_streams(screen, monkeypatch):
    screen(80)
    assert Progress().terminal
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # | tee, > log.txt
    assert not Progress().terminal


@pytest.mark.parametrize(
    ("variables", "in_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),  # empty means unset: https://no-color.org
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, False, False),  # Open MPI makes a terminal in any case
        ({"OMPI_COMM_WORLD_SIZE": "2", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_colour_is_for_terminals_and_obeys_no_color(
    screen, monkeypatch, variables, in_terminal, elsewhere
):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    screen(80)
    assert terminal.bold("a") == ("\x1b[1ma\x1b[0m" if in_terminal else "a")
    assert terminal.red("a") == ("\x1b[31ma\x1b[0m" if in_terminal else "a")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert (terminal.bold("a") != "a") == (terminal.red("a") != "a") == elsewhere


def test_a_line_stays_whole_where_no_terminal_is(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert terminal.wrapped("word " * 100) == "word " * 100
