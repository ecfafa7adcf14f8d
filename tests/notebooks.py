"""python -m tests.notebooks [NAME ...] [--solved] [--write]: run chapters from top to bottom, as a learner would.

Each runs in a kernel of its own, next to a copy of the exercises: as provided, or, with --solved, with the answers in them. The script
prints the time of each chapter, and where one fails: file, cell, heading, what was printed, the error. --write saves the outputs in
the notebooks; without it, they are compared with the saved ones, text by text (except in cells with the tag "timing").
"""

import argparse
import base64
import io
import os
import re
import shutil
import sys
import tempfile
import time
import tomllib
from itertools import product
from pathlib import Path

import nbformat
import numpy
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from PIL import Image

from minires.course import manifest, progress, runner
from tests.course.conftest import answer

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
SECONDS = 120  # for a cell
NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
EMBEDDED = re.compile(r"(?<=data:image/png;base64,)[A-Za-z0-9+/=]+")
METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "name": "python"}}  # fmt: skip


# The second cell of each chapter. The address is that of [project.urls] in pyproject.toml: a fork changes it there.
SETUP = """\
# Colab fetches minires here. Anywhere else this cell does nothing.
import importlib.util

REPOSITORY = "{repository}"
if importlib.util.find_spec("minires") is None:
    import os
    import subprocess
    import sys

    if not REPOSITORY:
        raise RuntimeError(
            "minires isn't installed here. Follow the README, or set REPOSITORY to an address of minires"
        )
    subprocess.run(["git", "clone", "--depth", "1", REPOSITORY, "minires"], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-e", "./minires"], check=True)
    os.chdir("minires/chapters")
    sys.path.insert(0, os.path.abspath(".."))"""


def setup():
    """Return the source of a chapter's second cell, with the repository's address from the package's metadata."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return SETUP.format(repository=project.get("urls", {}).get("Repository", ""))


class Failed(Exception):
    """A notebook that does not run to its end; the report says where."""


def run(path, home):
    """Run a notebook in the folder `home`, next to which it finds `exercises`, and return it with its outputs.

    Raises  Failed.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells[1:2]:
        if cell.source == "SETUP" or cell.source.startswith(SETUP.splitlines()[0]):
            cell.source, cell.metadata.tags = setup(), ["folded"]
    environment = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "0"}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(home)}},
        coalesce_streams=True,  # otherwise what a cell prints comes in pieces, cut by chance
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError) as error:
        raise Failed(_report(path, notebook, error)) from None
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return notebook


def home(folder, *, solved):
    """Make a folder to run chapters in: chapters/, and exercises/ as provided, or solved.

    Solved exercises are noted as checked, as a learner's are: tests elsewhere check the answers, and here it would take minutes.
    """
    folder = Path(folder)
    (folder / "chapters").mkdir()
    shutil.copytree(
        ROOT / "exercises",
        folder / "exercises",
        ignore=shutil.ignore_patterns("__pycache__", "progress.txt", ".*"),
    )
    for exercise in manifest.exercises().values() if solved else ():
        (folder / "exercises" / exercise.file).write_text(answer(exercise.id), encoding="utf-8")
        progress.note(folder / "exercises", exercise, runner.SOLVED)
    return folder / "chapters"


def _report(path, notebook, error):
    """Say where it stopped: at the first cell with an error, or without a number."""
    heading = ""
    for number, cell in enumerate(notebook.cells, 1):  # noqa: B007  used below, after the break
        if cell.cell_type == "markdown":
            heading = next(
                (line for line in reversed(cell.source.splitlines()) if line.startswith("#")),
                heading,
            )
        elif cell.source and (
            cell.execution_count is None or any(out.output_type == "error" for out in cell.outputs)
        ):
            break
    else:
        return f"{path.name}: {error}"
    printed = "".join(texts(cell))
    raised = [
        f"{out.ename}: {out.evalue}" for out in cell.outputs if out.output_type == "error"
    ] or [str(error)[-500:]]
    return f"{path.name}, cell {number}, under {heading.strip('# ')!r}\n{cell.source}\n--- printed\n{printed}\n--- raised\n{raised[0]}"


def texts(cell):
    """Yield what a cell prints and shows as text; of a picture, this is its alt text."""
    for out in cell.get("outputs", []):
        if out.output_type == "stream" and out.name == "stdout":
            yield out.text
        elif out.output_type in ("execute_result", "display_data"):
            yield out.data.get("text/plain", "")


def changed(there, found):
    """Return the first cell whose text changed: (number, there, found); or None. Numbers may differ by a twentieth."""
    for number, (old, new) in enumerate(zip(there.cells, found.cells), 1):
        if old.cell_type == "code" and "timing" not in old.metadata.get("tags", []):
            was, now = "".join(texts(old)), "".join(texts(new))
            if not _alike(was, now):
                return number, was, now
    return None


def _alike(was, now):
    words = [NUMBER.sub("#", text).split() for text in (was, now)]
    numbers = [
        [float(number.replace(",", "")) for number in NUMBER.findall(text)] for text in (was, now)
    ]
    if words[0] != words[1] or len(numbers[0]) != len(numbers[1]):
        return False
    return all(abs(a - b) <= 0.05 * max(abs(a), abs(b)) + 1e-5 for a, b in zip(*numbers))


def tidied(notebook):
    """Remove what changes from run to run: times, ids of displays, warnings of the kernel. Fold the cells with the tag "folded"."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03}"
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if "folded" in (tags or ()):
            cell.metadata.jupyter = {"source_hidden": True}
        if cell.cell_type == "code":
            cell.outputs = [
                out for out in cell.outputs if out.output_type != "stream" or out.name == "stdout"
            ]
            for out in cell.outputs:
                data = out.get("data", {})
                if "image/png" in data:
                    data["image/png"] = _smaller(data["image/png"])
                if "text/html" in data:
                    data["text/html"] = EMBEDDED.sub(
                        lambda found: _smaller(found[0]), data["text/html"]
                    )
    return notebook


def _smaller(text):
    return base64.b64encode(smaller(base64.b64decode(text))).decode()


def smaller(png):
    """Return a PNG with a palette, a third as large; unchanged where the difference would show, as in photographs."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    methods = (
        Image.Quantize.MEDIANCUT,
        Image.Quantize.MAXCOVERAGE,
    )  # the second keeps rare colours
    for (colours, far), method in product(((48, 12), (128, 40)), methods):
        palette = image.quantize(colours, method=method, dither=Image.Dither.NONE)
        apart = numpy.abs(numpy.asarray(image, int) - numpy.asarray(palette.convert("RGB"), int))
        if (apart.max(axis=2) > far).mean() <= 1e-4:
            file = io.BytesIO()
            palette.save(file, "PNG", optimize=True)
            return min(png, file.getvalue(), key=len)
    return png


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.notebooks", description="Run chapters from top to bottom."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 05; without any, all")
    parser.add_argument("--solved", action="store_true", help="with all exercises solved")
    parser.add_argument("--write", action="store_true", help="save the outputs in the notebooks")
    options, bad, begun = parser.parse_args(), 0, time.perf_counter()
    for path in NOTEBOOKS:
        if options.names and not path.name.startswith(tuple(options.names)):
            continue
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            try:
                found = run(path, home(folder, solved=options.solved))
            except Failed as error:
                print(error, file=sys.stderr)
                bad += 1
                continue
        print(f"{path.name}: {time.perf_counter() - started:.1f} s", flush=True)
        if options.write:
            nbformat.write(tidied(found), path)
        elif not options.solved:
            difference = changed(nbformat.read(path, as_version=4), found)
            if difference:
                bad += 1
                print(
                    f"  cell {difference[0]} prints something else now\n--- there\n{difference[1]}\n--- now\n{difference[2]}"
                )
    print(f"all in {time.perf_counter() - begun:.0f} s")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
