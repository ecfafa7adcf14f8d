"""The chapters in order, and their map, which shows how many of each chapter's exercises are solved."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import fill

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from minires import show
from minires.course import folder, manifest, progress, runner

FILE = Path(__file__).with_name("chapters.toml")
WIDE, HIGH = 0.82, 0.62  # of a box, in columns and rows
OPEN, SOLVED = "#e8eef7", "#9bd3c0"


@dataclass(frozen=True)
class Chapter:
    """A chapter.

    key  "05", or "04.1" for the first part of chapter 04    file  of its notebook    title  without the number
    question  what it asks    reward  what it ends with    needs  keys of the chapters before it    place  (column, row) on the map
    exercises  ids; by default, all of its number
    """

    key: str
    file: str
    title: str
    question: str
    reward: str
    needs: tuple
    place: tuple
    exercises: tuple = ()

    @property
    def number(self):
        """The number, which both parts of a chapter share."""
        return int(self.key[:2])

    def ids(self):
        """Return the ids of its exercises."""
        own = [id for id, one in manifest.exercises().items() if one.chapter == self.number]
        return list(self.exercises or own)


@cache
def chapters():
    """Return all chapters, in order: key -> Chapter."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))["chapter"]
    made = [Chapter(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}) for entry in entries]  # fmt: skip
    return {one.key: one for one in made}


def drawn(states=None):
    """Return the map as a picture: a box per chapter, green as far as its exercises are solved, and arrows to what builds on it.

    states  exercise id -> its state; by default, those of the learner's files
    """
    states = _states() if states is None else states
    counts = {one.key: _count(one, states) for one in chapters().values()}
    columns, rows = zip(*(one.place for one in chapters().values()))
    figure = show.Picture(figsize=(2.5 * (max(columns) + 1), 1.2 * (max(rows) + 1)), layout="tight")
    axes = figure.add_subplot(xlim=(-0.5, max(columns) + 0.5), ylim=(max(rows) + 0.5, -0.5))
    axes.axis("off")
    for one in chapters().values():
        for key in one.needs:
            _arrow(axes, chapters()[key].place, one.place)
    for one in chapters().values():
        _box(axes, one, *counts[one.key])
    told = [
        f"{one.key} {one.title} builds on {' and '.join(one.needs) or 'nothing'}, "
        f"{counts[one.key][0]} of {counts[one.key][1]} exercises solved"
        for one in chapters().values()
    ]
    return figure.described(f"The map of the chapters. {'; '.join(told)}.")


def _states():
    try:
        return progress.states(folder.find())
    except folder.NoExercises:
        return {}


def _count(chapter, states):
    ids = chapter.ids()
    return sum(states.get(id) == runner.SOLVED for id in ids), len(ids)


def _arrow(axes, here, there):
    """Draw an arrow between the edges of two boxes."""
    (x0, y0), (x1, y1) = here, there
    across, down = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
    start = (x0 + across * WIDE / 2, y0 + (0 if across else down * HIGH / 2))
    end = (x1 - across * WIDE / 2, y1 - (0 if across else down * HIGH / 2))
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color="#555555", shrinkA=0, shrinkB=0))  # fmt: skip


def _box(axes, chapter, done, count):
    """Draw a box, filled from the left as far as its exercises are solved."""
    x, y = chapter.place
    left, top = x - WIDE / 2, y - HIGH / 2
    style = {"boxstyle": "round,pad=0,rounding_size=0.05", "linewidth": 1}
    axes.add_patch(FancyBboxPatch((left, top), WIDE, HIGH, facecolor=OPEN, edgecolor="#777777", **style))  # fmt: skip
    if done:
        axes.add_patch(FancyBboxPatch((left, top), WIDE * done / count, HIGH, facecolor=SOLVED, edgecolor="none", **style))  # fmt: skip
    title = fill(f"{chapter.key} {chapter.title}", 20)
    axes.text(x, y - 0.08, title, ha="center", va="center", fontsize=9, fontweight="bold")
    axes.text(x, y + 0.2, f"{done} of {count}", ha="center", va="center", fontsize=8)
