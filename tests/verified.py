"""A tiny run of `minires train --mine` on the answers, and copies of it to forge; for the tests of `minires exercises verify`."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy
import pytest

from minires import checkpoint
from minires.cli import state
from minires.cli.verify import training, verdict
from minires.course import grade, manifest
from tests.notebooks import ROOT, home

# Three epochs of 13 steps: some 4,000 images of 8 x 8 pixels.
RECIPE = """\
data = "digits"
model = "resnet20"
epochs = 3
batch_size = 96
lr = 0.05
schedule = "triangle"
warmup = 0.2
weight_decay = 1e-3
label_smoothing = 0.1
augment = "crop=1"
drop_last = true
keep_epochs = true
"""
EPOCH, TOTAL = 13, 39
LAST = TOTAL - 10


class Room:
    """A folder like a clone's, with solved exercises, the recipe and the runs.

    honest  the run of the learner's code, seed 0    other  a run of the library's, seed 1
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        home(self.folder, solved=True)
        self.recipe = self.folder / "tiny.toml"
        self.recipe.write_text(RECIPE)
        self.honest = self.train("honest", "--mine")
        self.other = self.train("other", "--seed", "1")

    def train(self, name, *words, threads=1):
        """Train a run, and return its folder."""
        self.command("train", "--recipe", str(self.recipe), "--name", name, *words, threads=threads)
        return self.folder / "runs" / name

    def command(self, *words, threads=1):
        """Run a command in this folder. Returns its output."""
        numbers = {"OPENBLAS_NUM_THREADS": "1", "MINIRES_THREADS": str(threads)}
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(self.folder), **numbers}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "minires", *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def verify(self, folder, **options):
        """Return (the reasons that refuse a run, what was printed)."""
        options = {"tests": ROOT / "exercises", "recipe": str(self.recipe), "seed": 0, **options}
        printed = io.StringIO()
        with redirect_stdout(printed):
            found = verdict.verify(folder, **options)
        return found.reasons, printed.getvalue()


class Forged:
    """A copy of a run, to be changed."""

    def __init__(self, run, folder):
        self.folder = Path(shutil.copytree(run, folder))

    def json(self, name, **changes):
        """Change entries of a JSON file."""
        path = self.folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    def replace(self, name, old, new):
        """Replace text in a file, where it occurs."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def setting(self, old, new):
        """Change a setting, in config.json and in the card."""
        for name in ("config.json", "card.md"):
            self.replace(name, old, new)

    def steps(self):
        """Return the rows of steps.csv, as lists of texts, without the head."""
        with open(self.folder / "steps.csv", newline="") as file:
            return list(csv.reader(file))[1:]

    def write_steps(self, losses):
        """Write other losses in steps.csv, from the first step on, and what follows from them in log.csv."""
        rows = self.steps()
        for row, loss in zip(rows, losses):
            row[2] = repr(float(loss))
        text = "\n".join(",".join(row) for row in [["step", "lr", "loss"], *rows])
        (self.folder / "steps.csv").write_text(f"{text}\n")
        with open(self.folder / "log.csv", newline="") as file:
            log = list(csv.DictReader(file))
        means = [float(numpy.mean([float(row[2]) for row in rows[i * EPOCH : (i + 1) * EPOCH]])) for i in range(3)]  # fmt: skip
        for epoch, row in enumerate(log):
            row["train_loss"] = repr(means[epoch])
        with open(self.folder / "log.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, log[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(log)
        for folder in (self.folder / "kept").iterdir():
            self.change_loop(folder, means, rows)

    def change_loop(self, folder, means, rows):
        """Write these epochs' means, and the sums of the steps so far, in a kept checkpoint."""
        arrays, facts = checkpoint.load(folder / "loop.safetensors")
        found = state.unpack(arrays, facts)
        for row, mean in zip(found["log"]["rows"], means):
            row["train_loss"] = mean
        done = found["meter"]["steps"]
        part = rows[done // EPOCH * EPOCH : done]
        found["meter"]["losses"] = sum(float(row[2]) * 96 for row in part)
        (folder / "loop.safetensors").write_bytes(checkpoint.packed(*state.pack(found)))

    def take_checkpoint(self, other, step):
        """Take a kept checkpoint of another run."""
        name = f"kept/step-{step:08}"
        shutil.rmtree(self.folder / name)
        shutil.copytree(other / name, self.folder / name)

    def take(self, other, *names):
        """Take files of another run."""
        for name in names:
            shutil.copyfile(other / name, self.folder / name)

    def exercise(self, id, text):
        """Write an exercise's file."""
        (self.folder / "exercises" / manifest.exercise(id).file).write_text(text)


def remembered(function, key):
    """Return the function, which remembers its results by key(...) of its arguments."""
    known = {}

    def asked(*inputs, **options):
        found = key(*inputs, **options)
        if found not in known:
            known[found] = function(*inputs, **options)
        return known[found]

    return asked


def _files(folder, pattern):
    return tuple((path.name, path.read_bytes()) for path in sorted(Path(folder).rglob(pattern)))


def _of_claims(exercise, submission, *_):
    path = Path(submission) / exercise.file
    return exercise.id, path.read_bytes() if path.is_file() else None


def _of_replay(options, folder, *, steps, home=None, tests=None):
    settings = json.dumps(options, sort_keys=True)
    whose = home and _files(home, "e*.py") + _files(home, "progress.txt")
    return settings, _files(folder, "*.safetensors"), steps, whose


# The slow parts of a verification remember their results by the contents of the files that they read.
GRADED = remembered(grade.graded, _of_claims)
REPLAYED = remembered(training.replay, _of_replay)
ROOMS = []


@pytest.fixture
def room(tmp_path_factory, monkeypatch):
    """The room, one for all files of tests."""
    monkeypatch.setattr(grade, "graded", GRADED)
    monkeypatch.setattr(training, "replay", REPLAYED)
    if not ROOMS:
        ROOMS.append(Room(tmp_path_factory.mktemp("capstone")))
    return ROOMS[0]


@pytest.fixture
def forged(room, tmp_path):
    """A copy of the honest run, to be changed."""
    return Forged(room.honest, tmp_path / "honest")


def refused(room, forged, *words, **options):
    """Assert that a run is refused, for reasons that contain these words."""
    reasons, printed = room.verify(forged.folder, **options)
    assert "refused, for" in printed
    for each in words:
        assert any(each in reason for reason in reasons), reasons
