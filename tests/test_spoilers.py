"""No chapter gives an exercise away before it: no listing, no formula, no output."""

import inspect
import re
import tomllib
from itertools import pairwise

import pytest

from minires import show
from minires.course import listing, manifest
from tests import chapters
from tests.course.trials import source

FOLDER = chapters.ROOT / "tests" / "spoilers"
PATTERNS = {
    id: entry["patterns"]
    for path in sorted(FOLDER.glob("*.toml"))
    for id, entry in tomllib.loads(path.read_text(encoding="utf-8")).items()
}
# The training loop, of which 08c and the hunts of chapter 15 consist: chapter 04 teaches three of its lines, and every later chapter has them.
LOOP = {
    ("optimizer.zero_grad()", "loss.backward()"),
    ("loss.backward()", "optimizer.step()"),
}
each = pytest.mark.parametrize("exercise", chapters.EXERCISES, ids=lambda exercise: exercise.module)


@each
def test_nothing_before_an_exercise_gives_it_away(exercise):
    for where, cell in chapters.before(exercise.id):
        text = chapters.flat(chapters.shown(cell))
        for pattern in PATTERNS[exercise.id]:
            found = re.search(pattern, text, re.IGNORECASE)
            assert not found, f"{where}: {found[0]!r}"


@each
def test_the_patterns_recognise_the_answer(exercise):
    """A pattern that nothing matches would hold whatever the chapters say."""
    told = [chapters.flat(source(exercise)), *map(chapters.flat, exercise.hints)]
    patterns = PATTERNS[exercise.id]
    assert len(patterns) >= 2
    assert [one for one in patterns if any(re.search(one, text, re.IGNORECASE) for text in told)], (
        exercise.id
    )


def lines(text):
    """The lines of a function's body that say something, without indentation."""
    body = re.sub(r'"""(?:.|\n)*?"""', "", text)
    found = [line.strip() for line in body.splitlines()]
    return [
        line for line in found if len(line) > 12 and not line.startswith(("def ", "@", "class "))
    ]


@each
def test_no_committed_listing_is_the_answer(exercise):
    """Not two lines of it in a row, in any chapter: a listing opens once the exercise is solved."""
    told = lines(inspect.getsource(inspect.unwrap(exercise.reference())))
    pairs = set(pairwise(told)) or {(line,) for line in told}
    pairs -= LOOP
    for path in chapters.PATHS:
        for number, cell in enumerate(chapters.cells(path), 1):
            seen = lines(chapters.shown(cell))
            also = set(pairwise(seen)) | {(line,) for line in seen}
            assert not pairs & also, f"{path.name}, cell {number}"


@each
def test_the_source_of_an_exercise_stays_closed_until_it_is_solved(exercise, monkeypatch):
    if not exercise.library:
        return
    op = manifest.resolve(exercise.library)
    monkeypatch.setattr(listing, "_solved", lambda one: False)
    assert isinstance(listing.source(op), listing.Notice)
    assert listing.source(op, open=True) == show.source(op)
    monkeypatch.setattr(listing, "_solved", lambda one: True)
    assert listing.source(op) == show.source(op)


def test_a_notice_says_which_exercise_it_is():
    from minires import ops

    said = repr(listing.Notice(ops.col2im, manifest.exercise("05d")))
    assert "exercise 05d, col2im, which isn't solved yet" in said and "open=True" in said
