"""A verdict is taken from the file only while everything that led to it is the same; and the digest leaves nothing out."""

import subprocess
import sys

import pytest

from minires.course import manifest
from tests.course import dependencies, verdicts
from tests.course.table import Row
from tests.course.trials import EXERCISES, ROOT

EXERCISE = manifest.exercise("05c")
FOUND = {
    "bank": Row("05c", "im2col", right=5, accepted=5, wrong=20, rejected=20, spellings=4, named=3),
    "mutants": Row("05c", "im2col", mutants=30, killed=28, excused=2),
}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "verdicts.txt"


@pytest.fixture
def asked(monkeypatch):
    """The kinds that were judged; each passes."""
    calls = []
    # Whatever else writes to files meanwhile.
    monkeypatch.setattr(verdicts, "STARTED", float("inf"))
    return calls


def row(file, calls, kind="bank", found=None):
    def judge(exercise, kind):
        calls.append(kind)
        return found or FOUND[kind]

    return verdicts.row(EXERCISE, kind, file, judge)


@pytest.mark.parametrize("kind", FOUND)
def test_a_verdict_that_passes_is_judged_once(file, asked, kind):
    assert row(file, asked, kind) == (FOUND[kind], False)
    assert row(file, asked, kind) == (FOUND[kind], True)
    assert asked == [kind]


def test_each_kind_has_a_line_of_its_own_and_the_lines_are_sorted(file, asked):
    row(file, asked, "mutants"), row(file, asked, "bank")
    lines = [line.split() for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    assert [line[:2] for line in lines] == [["05c", "bank"], ["05c", "mutants"]]
    assert lines[0][2:-1] == ["right=5", "wrong=20", "spellings=4", "named=3"]


def test_a_verdict_that_fails_is_not_written_and_takes_the_one_before_away(
    file, asked, monkeypatch
):
    bad = FOUND["bank"]._replace(rejected=19, faults=("slices passes",))
    assert row(file, asked, found=bad) == (bad, False)
    assert not verdicts.read(file)
    row(file, asked)
    monkeypatch.setattr(verdicts, "_of_file", lambda path: "changed")
    assert row(file, asked, found=bad) == (bad, False)
    assert not verdicts.read(file)


@pytest.mark.parametrize(
    "path",
    [
        "exercises/test_e05c_im2col.py", "tests/course/solutions/e05c_im2col.py", "minires/course/answers/e05c_im2col.py",
        "tests/course/table.py", "tests/course/mutants.py", "minires/course/check.py", "minires/course/runner.py",
        "minires/ops/conv.py", "minires/backend/__init__.py", "minires/data/digits.npz",
    ],
)  # fmt: skip
def test_it_is_judged_again_when_a_file_changes(file, asked, monkeypatch, path):
    row(file, asked)
    before = verdicts._of_file
    monkeypatch.setattr(
        verdicts, "_of_file", lambda other: "changed" if other == ROOT / path else before(other)
    )
    assert row(file, asked) == (FOUND["bank"], False)
    assert asked == ["bank", "bank"]


def test_a_change_of_another_exercise_or_of_the_command_line_is_none():
    paths = {path.relative_to(ROOT).as_posix() for path in dependencies.files(EXERCISE)}
    others = {
        path
        for path in paths
        if "/answers/e" in path or "/solutions/e" in path or path.startswith("exercises/")
    }
    assert others and all("e05c_im2col" in path for path in others)
    assert not [
        path for path in paths if path.startswith(("minires/cli", "minires/show", "chapters"))
    ]


@pytest.mark.parametrize(
    "change", [("wrong=20", "wrong=21"), ("05c bank   ", "05c mutants"), ("05c", "05d")]
)
def test_a_line_that_was_edited_or_mixed_up_is_not_believed(file, asked, change):
    row(file, asked)
    file.write_text(file.read_text(encoding="utf-8").replace(*change))
    assert row(file, asked) == (FOUND["bank"], False)


def test_a_verdict_is_not_written_when_a_file_was_saved_meanwhile(file, monkeypatch):
    monkeypatch.setattr(verdicts, "STARTED", 0)
    calls = []
    row(file, calls), row(file, calls)
    assert calls == ["bank", "bank"] and not verdicts.read(file)


def test_the_committed_lines_are_of_exercises_that_there_are():
    lines = verdicts.read()
    assert set(lines) <= {(exercise.id, kind) for exercise in EXERCISES for kind in verdicts.COUNTS}


LOADED = """
import importlib, sys
from tests.course.trials import EXERCISES, built, source, tried
for exercise in EXERCISES:
    assert tried(exercise, built(exercise, source(exercise))).state == "solved", exercise.id
    tried(exercise, next(iter(exercise.mistakes().values())))
import tests.course.table
print(*(name for name in sys.modules if name.partition(".")[0] in ("minires", "tests")))
"""


@pytest.mark.proof
def test_what_is_loaded_when_claims_run_is_in_the_digest():
    """In a process of its own: in this one other tests have loaded the rest of the library."""
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = {path for name in done.stdout.split() if (path := dependencies.file_of(name))}
    digested = {path for exercise in EXERCISES for path in dependencies.files(exercise)}
    assert len(loaded) > 100 and loaded <= digested
