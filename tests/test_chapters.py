"""Every notebook runs from top to bottom, and holds no copy of what the library has."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import minires
from minires import data, functional, gradcheck, models, nn, ops, optim, train

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
NAMES = {name for module in (minires, data, functional, gradcheck, models, nn, ops, optim, train) for name in vars(module)}


def cells(path, kind):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, tmp_path):
    program = "\n".join(cells(path, "code"))
    environment = {"PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_no_name_that_the_library_has(path):
    tree = ast.parse("\n".join(cells(path, "code")))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert not defined & NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_with_its_outputs(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    counts = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert not [out for cell in notebook["cells"] for out in cell.get("outputs", []) if out["output_type"] == "error"]
