"""The layers: who may import whom, and who may name NumPy and CuPy. Read from the source."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "minires"

# Each room may use those named here, and itself.
STAIRS = {
    "names": "",
    "files": "",
    "backend": "names",
    "ops": "backend names",
    "graph": "ops backend names",
    "tensor": "graph ops backend names",
    "functional": "tensor ops backend names",
    "nn": "functional tensor ops backend names",
    "models": "nn functional graph tensor ops backend names",
    "gradcheck": "ops backend names",
    "optim": "ops backend names",
    "unpickling": "",
    "data": "ops backend names files unpickling",
    "pth": "unpickling",
    "checkpoint": "backend files pth",
    "export": "functional tensor ops backend files",
    "pretrained": "checkpoint models data names",
    "train": "optim nn functional tensor data ops backend names",
    "fast": "train optim data models nn functional graph tensor ops backend names",
    "show": "graph tensor backend files names",
    "watch": "nn functional tensor ops backend files names",
    "runs": "checkpoint show files backend",
    "recipes": "",
    "course": "train models gradcheck optim data nn functional tensor ops backend names files",
}
ANYTHING = {"cli", "__init__", "__main__"}
NUMPY = {"backend", "fast", "data", "gradcheck", "checkpoint", "pth", "export", "course"}  # and nn/init.py


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """The dotted names that a file imports, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            # "from minires import ops" imports minires.ops
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_room_stands_on_the_stairs():
    assert {room(path) for path in FILES} == set(STAIRS) | ANYTHING


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_uses_only_what_lies_below_it(path):
    if room(path) in ANYTHING:
        return
    allowed = {room(path), *STAIRS[room(path)].split()}
    for name in imported(path):
        if name.startswith("minires"):
            assert name.split(".")[1] in allowed, f"{name} is not below {room(path)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_backend_names_cupy_and_host_work_alone_names_numpy(path):
    libraries = {name.split(".")[0] for name in imported(path)}
    assert "cupy" not in libraries or path.name in ("card.py", "device.py")
    if room(path) not in NUMPY and path != PACKAGE / "nn" / "init.py":
        assert "numpy" not in libraries
    assert "torch" not in libraries


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_says_its_job_and_is_short(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert len(text.splitlines()) <= 300


def test_every_public_function_and_class_is_documented():
    missing = []
    for path in FILES:
        tree = ast.parse(path.read_text())
        inner = {
            id(node)
            for outer in ast.walk(tree)
            if isinstance(outer, ast.FunctionDef)
            for node in ast.walk(outer)
            if node is not outer
        }
        for node in ast.walk(tree):
            public = (
                isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_") and id(node) not in inner
            )
            if public and not ast.get_docstring(node):
                missing.append(f"{path.name}: {node.name}")
    obvious = {"forward", "describe", "shape", "ndim", "size", "dtype", "score", "lr"}
    assert not [entry for entry in missing if entry.split(": ")[1] not in obvious and not entry.startswith("functional.py")]
