"""A classroom: a copy of the exercises in a folder of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minires.course import manifest, stubs
from tests.course.trials import ROOT, TESTS, solutions

FEW = ("00a", "02h", "05c")  # one of two lines, a bug hunt, and one with many claims


class Classroom:
    """A folder like a clone's, with some exercises as provided, and their claims."""

    def __init__(self, folder, ids=FEW):
        self.folder, self.home = Path(folder), Path(folder, "exercises")
        self.home.mkdir()
        shutil.copyfile(TESTS / "conftest.py", self.home / "conftest.py")
        shutil.copyfile(ROOT / "pyproject.toml", self.folder / "pyproject.toml")
        for id in ids:
            self.write(id, stubs.cut(manifest.exercise(id)))

    def write(self, id, text):
        """Write the learner's file, next to its claims."""
        exercise = manifest.exercise(id)
        (self.home / exercise.file).write_text(text)
        shutil.copyfile(TESTS / exercise.test, self.home / exercise.test)

    def answer(self, id, solution=None):
        """Write a solution from tests/course/solutions, by its name; by default, a right one."""
        self.write(id, answer(id, solution))

    def run(self, *words, module="minires"):
        """Run a command in this folder. Returns (exit status, output)."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(self.folder)}
        command = [sys.executable, "-m", module, *words]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300
        )
        return done.returncode, done.stdout + done.stderr


def answer(id, solution=None):
    """Return the text of a learner's file with this solution."""
    exercise = manifest.exercise(id)
    chosen = solution or solutions(exercise, "right")[0].__name__
    return f"from tests.course.solutions.{exercise.module} import {chosen} as {exercise.function}\n"


@pytest.fixture
def classroom(tmp_path):
    """A new classroom with a few exercises."""
    return Classroom(tmp_path)


@pytest.fixture
def whole_classroom(tmp_path):
    """A new classroom with all exercises."""
    return Classroom(tmp_path, manifest.exercises())
