"""The verdicts that hold for as long as nothing they depend on changes: verdicts.txt, one line per exercise and kind.

A line has the counts of a Row without faults and a digest of everything that led to it, the counts among it. If a file changes,
or a merge mixes two lines, the digest no longer matches and the exercise is judged again. What fails is never written.

The versions of NumPy and Python are not in the digest, as no verdict depends on them: the table of all verdicts came out the same
under NumPy 2.0.2, 2.4.6 and 2.5.5, and under Python 3.11, 3.12 and 3.13. The claims compare with tolerances, and what they compare with
runs on the same NumPy. To look again, .github/workflows/test.yml judges everything on each Python that we support.
"""

import hashlib
import time
from pathlib import Path

import pytest
from filelock import FileLock

from tests.course import dependencies, excuses
from tests.course.table import Row, judged, mutated
from tests.course.trials import ROOT

FILE = Path(__file__).with_name("verdicts.txt")
HEAD = "# Verdicts of make proof, which writes this file; make proof FRESH=1 judges all of them again. See verdicts.py.\n"
STARTED = time.time()
COUNTS = {
    "bank": ("right", "wrong", "spellings", "named"),
    "mutants": ("mutants", "killed", "excused"),
}


def judge(exercise, kind):
    """The Row of an exercise, judged now: its bank of right and wrong solutions, or the mutants of its reference."""
    return (
        judged(exercise) if kind == "bank" else mutated(exercise, Row(exercise.id, exercise.name))
    )


def row(exercise, kind, file=FILE, judge=judge):
    """(Row, whether it was held): from the file if the line there still holds, and otherwise judged now and written if it passes."""
    lines = read(file)
    line = lines.get((exercise.id, kind))
    held = line and _row(exercise, kind, line)
    if held:
        return held, True
    found = judge(exercise, kind)
    with FileLock(f"{file}.lock"):  # several processes may judge at once: pytest -n 2
        lines = read(file)
        lines.pop((exercise.id, kind), None)
        if not found.faults and not edited(exercise):
            lines[exercise.id, kind] = _line(
                exercise, kind, [getattr(found, name) for name in COUNTS[kind]]
            )
        write(file, lines)
    return found, False


def skip_if(held):
    """End the calling test if its verdict came from the file. pytest folds these into one line, as all are skipped here."""
    if held:
        pytest.skip(
            "the verdict is in tests/course/verdicts.txt; make proof FRESH=1 judges all of them again"
        )


def edited(exercise):
    """Return True if a file was written after this process started: the verdict may then be about the old file."""
    return any(path.stat().st_mtime > STARTED for path in dependencies.files(exercise))


def read(file=FILE):
    """(id, kind) -> the rest of its line, as words."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    words = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {(id, kind): rest for id, kind, *rest in words}


def write(file, lines):
    """Write the lines, sorted."""
    rows = [f"{id} {kind:7} {' '.join(words)}\n" for (id, kind), words in sorted(lines.items())]
    file.write_text(HEAD + "".join(rows), encoding="utf-8")


def _line(exercise, kind, counts):
    words = [f"{name}={count}" for name, count in zip(COUNTS[kind], counts)]
    return [*words, digest(exercise, kind, words)]


def _row(exercise, kind, line):
    """The Row that a line stands for; None if it no longer holds."""
    *words, was = line
    if was != digest(exercise, kind, words):
        return None
    counts = dict(word.split("=") for word in words)
    counts = {name: int(count) for name, count in counts.items()}
    if kind == "bank":
        # Without faults all were.
        counts |= {"accepted": counts["right"], "rejected": counts["wrong"]}
    return Row(exercise.id, exercise.name, **counts)


def digest(exercise, kind, words=()):
    """20 letters that change when a file, the exercise's entry in the manifest, an excuse of its mutants, or a word does."""
    found = hashlib.sha256(repr((kind, words, exercise, excuses.read().get(exercise.id))).encode())
    for path in dependencies.files(exercise):
        found.update(f"\n{path.relative_to(ROOT).as_posix()} {_of_file(path)}".encode())
    return found.hexdigest()[:20]


def _of_file(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
