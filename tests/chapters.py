"""The chapters as tests read them: cells, what they print, where each exercise is, what is in bold."""

import re
from functools import cache
from pathlib import Path

import pytest

from minires.course import manifest

# Without these the tests that read chapters are skipped.
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

from tests import notebooks  # noqa: E402

PATHS = notebooks.NOTEBOOKS
CHECK = re.compile(r'course\.check\("(\w+)"\)')
PREDICT = re.compile(r'course\.predict\("([\d.]+)"\)')
BOLD = re.compile(r"(?<!\*)\*\*(?!\s)([^*\n]+?)\*\*(?!\*)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^()\s]*(?:\([^()]*\)[^()\s]*)*)\)")


@cache
def cells(path):
    """The cells of a chapter."""
    return nbformat.read(path, as_version=4).cells


def number(path):
    """The number of a chapter; both parts of chapter 04 have 4."""
    return int(path.name[:2])


def markdown(path):
    """The text of its Markdown cells."""
    return "\n\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")


def headings(path):
    """[(level, text)] of its headings, in order."""
    lines = markdown(path).splitlines()
    found = [re.match(r"(#+) (.*)", line) for line in lines]
    return [(len(match[1]), match[2].strip()) for match in found if match]


def anchors(path):
    """The anchors of its headings, as Jupyter makes them."""
    return {text.replace(" ", "-") for _, text in headings(path)}


def shown(cell):
    """All text of a cell: its source, and what it prints and shows."""
    return "\n".join([cell.source, *notebooks.texts(cell), *alts(cell)])


def alts(cell):
    """The alt texts of its pictures; "" for one without."""
    for out in cell.get("outputs", []):
        data = out.get("data", {})
        if "image/png" in data:  # which no notebook shows with an alt text
            yield ""
        for tag in re.findall(r"<img\b[^>]*>", data.get("text/html", "")):
            alt = re.search(r"\balt=(\"[^\"]*\"|'[^']*')", tag)
            yield alt[1][1:-1] if alt else ""
        for tag in re.findall(r"<svg\b[^>]*>", data.get("text/html", "")):
            label = re.search(r"\baria-label(?:ledby)?=(\"[^\"]*\"|'[^']*')", tag)
            hidden = re.search(r"aria-hidden=.true", tag)
            if not hidden:
                yield label[1][1:-1] if label else ""


def places():
    """Exercise id -> (index of its chapter in PATHS, index of the cell that checks it)."""
    found = {}
    for i, path in enumerate(PATHS):
        for j, cell in enumerate(cells(path)):
            for id in CHECK.findall(cell.source) if cell.cell_type == "code" else ():
                found.setdefault(id, (i, j))
    return found


def before(id):
    """Yield (chapter's name, cell) of all cells before the one that checks an exercise."""
    chapter, last = places()[id]
    for i, path in enumerate(PATHS[: chapter + 1]):
        for j, cell in enumerate(cells(path)):
            if i < chapter or j < last:
                yield f"{path.name}, cell {j + 1}", cell


def flat(text):
    """A text with runs of whitespace made one space."""
    return " ".join(text.split())


EXERCISES = list(manifest.exercises().values())
ROOT = Path(__file__).parents[1]
