"""Every chapter runs from top to bottom, with the exercises open and solved, shows plain forms, and copies no library code."""

import ast
import io
import json
import re
from pathlib import Path
from types import ModuleType

import numpy
import pytest
from PIL import Image

import minires
from minires import data, functional, gradcheck, models, nn, ops, optim, show, train

nbformat = pytest.importorskip("nbformat")
for needed in ("nbclient", "ipykernel"):  # without one of the three no chapter can be run
    pytest.importorskip(needed)

from tests import notebooks  # noqa: E402

PACKAGES = (minires, data, functional, gradcheck, models, nn, ops, optim, train)
NAMES = {
    name
    for package in PACKAGES
    for name, value in vars(package).items()
    if not isinstance(value, ModuleType)
}
LARGEST = 300_000  # bytes


def flush(source):
    """Its lines without indentation: a method is shown as if it stood alone."""
    return "\n".join(line.strip() for line in source.splitlines())


FOLDER = Path(minires.__file__).parent
PLAIN = [path for path in sorted(FOLDER.rglob("*.py")) if FOLDER / "fast" not in path.parents]
LIBRARY = "\n".join(flush(path.read_text(encoding="utf-8")) for path in PLAIN)

each_chapter = pytest.mark.parametrize("path", notebooks.NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind):
    return [
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind
    ]


@pytest.mark.slow
@each_chapter
def test_a_chapter_runs_from_top_to_bottom_and_prints_what_is_committed(path, tmp_path):
    found = notebooks.run(path, notebooks.home(tmp_path, solved=False))
    difference = notebooks.changed(nbformat.read(path, as_version=4), found)
    assert difference is None, (
        "cell {}: python -m tests.notebooks --write\n--- there\n{}\n--- now\n{}".format(*difference)
    )


@pytest.mark.slow
@each_chapter
def test_a_chapter_runs_with_all_exercises_solved(path, tmp_path):
    found = notebooks.run(path, notebooks.home(tmp_path, solved=True))
    checks = {
        cell.source: "".join(notebooks.texts(cell))
        for cell in found.cells
        if cell.source.startswith("course.check(")
    }
    assert checks and not {
        source: text for source, text in checks.items() if ": solved" not in text.splitlines()[0]
    }


@each_chapter
def test_a_chapter_defines_no_name_that_the_library_has(path):
    tree = ast.parse("\n".join(cells(path, "code")))
    defined = {
        node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    assert not defined & NAMES


@each_chapter
def test_sources_that_a_chapter_shows_are_the_librarys_plain_forms_of_today(path):
    shown = [out.data["text/markdown"] for cell in nbformat.read(path, as_version=4).cells for out in cell.get("outputs", [])
             if out.get("data", {}).get("text/markdown", "").startswith("```python")]  # fmt: skip
    stale = [text for text in shown if flush("\n".join(text.splitlines()[1:-1])) not in LIBRARY]
    assert not stale, f"python -m tests.notebooks {path.stem} --write"


@each_chapter
def test_a_chapter_is_committed_with_its_outputs_and_small(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert not [
        out
        for cell in notebook["cells"]
        for out in cell.get("outputs", [])
        if out["output_type"] == "error"
    ]
    assert path.stat().st_size < LARGEST
    assert not re.findall(r"0x[0-9a-f]{8,}|/tmp/|/home/|/root/", path.read_text(encoding="utf-8"))


# The runner itself.


def written(folder, *sources, tags=()):
    """A notebook with these cells, and the outputs of a run."""
    path = Path(folder) / "made.ipynb"
    made = [
        nbformat.v4.new_markdown_cell("# Begin"),
        *(nbformat.v4.new_code_cell(source) for source in sources),
    ]
    for cell in made[1:]:
        cell.metadata.tags = list(tags)
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def test_a_failure_says_file_cell_heading_what_was_printed_and_the_error(tmp_path):
    path = written(tmp_path, "x = 1", "print('so far')\nraise ValueError('too far')")
    with pytest.raises(notebooks.Failed) as failed:
        notebooks.run(path, tmp_path)
    told = str(failed.value)
    assert (
        "made.ipynb, cell 3, under 'Begin'" in told
        and "so far" in told
        and told.endswith("ValueError: too far")
    )


def test_what_a_chapter_prints_is_compared_but_for_small_numbers_and_cells_that_time(tmp_path):
    path = written(tmp_path, "import os\nprint('accuracy', os.environ.get('SEEN', 0.971))")
    there = notebooks.run(path, tmp_path)
    again = [nbformat.from_dict(json.loads(json.dumps(there))) for _ in range(3)]
    for other, text in zip(again, ("accuracy 0.975", "accuracy 0.871", "accuracies 0.971")):
        other.cells[1].outputs[0].text = text
    assert notebooks.changed(there, again[0]) is None
    assert notebooks.changed(there, again[1]) == (2, "accuracy 0.971\n", "accuracy 0.871")
    assert notebooks.changed(there, again[2]) is not None
    there.cells[1].metadata.tags = ["timing"]
    assert notebooks.changed(there, again[2]) is None


def test_pictures_take_less_room_but_for_those_of_many_colours():
    def pixels(png):
        return numpy.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int)

    file = io.BytesIO()
    Image.fromarray(numpy.random.default_rng(0).integers(0, 256, (64, 64, 3), numpy.uint8)).save(
        file, "PNG"
    )
    photo, drawing = file.getvalue(), show.curves({"train loss": [2.0, 1.0, 0.5]}).png()
    found = notebooks.smaller(drawing)
    assert len(found) < len(drawing) / 2 and notebooks.smaller(photo) == photo
    assert numpy.abs(pixels(found) - pixels(drawing)).mean() < 1
