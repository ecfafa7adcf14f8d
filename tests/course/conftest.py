"""A classroom: a copy of the exercises in a folder of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minires.course import manifest
from tests.course.trials import ROOT, TESTS, solutions


class Classroom:
    """A folder like a clone's, with exercises as they are given out."""

    def __init__(self, folder):
        self.folder, self.home = Path(folder), Path(folder, "exercises")
        self.home.mkdir()
        for path in TESTS.glob("*.py"):
            shutil.copyfile(path, self.home / path.name)
        shutil.copyfile(ROOT / "pyproject.toml", self.folder / "pyproject.toml")
        for exercise in manifest.exercises().values():
            (self.home / exercise.file).write_text(_given_out(exercise))

    def write(self, id, text):
        """Put this into the learner's file."""
        (self.home / manifest.exercise(id).file).write_text(text)

    def answer(self, id, solution=None):
        """Put a solution there: of tests/course/solutions, by its name; without one a right one."""
        self.write(id, answer(id, solution))

    def run(self, *words, module="minires"):
        """(exit status, what was printed) of a command in this folder."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(self.folder)}
        command = [sys.executable, "-m", module, *words]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr


def answer(id, solution=None):
    """The text of a learner's file with this solution."""
    exercise = manifest.exercise(id)
    chosen = solution or solutions(exercise, "right")[0].__name__
    return f"from tests.course.solutions.{exercise.module} import {chosen} as {exercise.function}\n"


def _given_out(exercise):
    from minires.course import stubs

    return stubs.cut(exercise)


@pytest.fixture
def classroom(tmp_path):
    """A fresh one."""
    return Classroom(tmp_path)
