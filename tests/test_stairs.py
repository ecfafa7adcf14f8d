"""The layers: who may import whom, who may name NumPy and CuPy, and who may speak of machinery. Read from the source."""

import ast
import re

import pytest

from tests.sources import PACKAGE, imports, nodes, relative, tree

FILES = sorted(PACKAGE.rglob("*.py"))

# Each room may use those named here, which come before it, and itself.
STAIRS = {
    "names": "",
    "files": "",
    "streams": "",
    "backend": "names",
    "ops": "backend names",
    "graph": "ops backend names",
    "tensor": "graph ops backend names",
    "functional": "tensor graph ops backend names",
    "nn": "functional tensor graph ops backend names",
    "models": "nn functional tensor graph ops backend names",
    "gradcheck": "ops backend",
    "optim": "ops backend names",
    "significance": "ops backend",
    "unpickling": "",
    "data": "ops backend names files unpickling",
    "pth": "unpickling",
    "checkpoint": "backend files pth",
    "export": "tensor ops backend files",
    "pretrained": "checkpoint models data names",
    "train": "optim nn functional tensor ops backend",  # data hands it arrays; of optim and nn it names the types
    "parallel": "backend",
    "shards": "parallel train optim data nn functional tensor ops backend",
    "fast": "train optim data models nn functional tensor graph ops backend names",
    "show": "graph tensor ops backend files names",
    "watch": "nn tensor ops backend files",
    "runs": "checkpoint show files backend",
    "recipes": "",
    "course": "fast checkpoint show watch train models gradcheck optim data nn functional tensor ops backend names files streams",
}
ANYTHING = {"cli", "__init__", "__main__"}
# They use of ops what other forms are registered by, and its types.
FORMS_ALONE = {"optim", "data", "gradcheck", "significance"}
NUMPY = {"backend", "fast", "data", "gradcheck", "checkpoint", "pth", "export", "course"}
MACHINERY = re.compile(
    r"in_parts|chunk|upcast|widened|sum_type|accumulation|scratch|tf32|autocast|bfloat16|float16|halves|is_half|\bhalf\b(?! (of )?the\b)"
    r"|launch|cuda|cupy|cublas|\bblocks? of threads|winograd|thread|\bpool_size|\bBLAS\b|in the cache|needs_input_grad|minires\.fast",
    re.IGNORECASE,
)
each_file = pytest.mark.parametrize("path", FILES, ids=relative)
each_plain_op = pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.parent == PACKAGE / "ops" and path.name != "forms.py"],
    ids=relative,
)


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_room_stands_on_the_stairs():
    assert {room(path) for path in FILES} == set(STAIRS) | ANYTHING


def test_the_stairs_go_one_way():
    """What a room uses comes before it, so there is no circle; and only the course uses fast: it runs the learner's functions on chunks, as fast runs the library's."""
    above = set()
    for name, used in STAIRS.items():
        assert set(used.split()) <= above, name
        above.add(name)
    assert [name for name, used in STAIRS.items() if "fast" in used.split()] == ["course"]


@each_file
def test_a_file_uses_only_what_lies_below_it(path):
    if room(path) in ANYTHING:
        return
    allowed = {room(path), *STAIRS[room(path)].split()}
    for name in imports(path).values():
        if name.startswith("minires"):
            assert name.split(".")[1] in allowed, f"{name} is not below {room(path)}"


@each_file
def test_fast_is_imported_by_the_package_and_by_itself(path):
    """The package registers its forms; plain code does not know of it."""
    if any(name.startswith("minires.fast") for name in imports(path).values()):
        assert room(path) in ("__init__", "fast", "cli", "course")


@each_plain_op
def test_an_op_takes_the_namespace_of_the_backend_and_nothing_else_of_it(path):
    found = {name for name in imports(path).values() if name.startswith("minires.backend")}
    types = {"minires.backend.Array"} if path.name == "__init__.py" else set()
    assert found - types <= {"minires.backend.xp"}


@pytest.mark.parametrize(
    "path", [path for path in FILES if room(path) in FORMS_ALONE], ids=relative
)
def test_what_needs_no_ops_uses_their_forms_alone(path):
    found = {name for name in imports(path).values() if name.startswith("minires.ops")}
    assert found <= {"minires.ops.forms.has_forms", "minires.ops.Op", "minires.ops.Backward"}


@each_plain_op
def test_the_plain_maths_does_not_speak_of_machinery(path):
    """Not in its code, not in its comments, not in its documentation; the package's own says where the faster forms are."""
    text = path.read_text(encoding="utf-8")
    if path.name == "__init__.py":
        text = text.replace("registered by minires.fast", "registered")
    assert MACHINERY.findall(text) == []


def test_machinery_is_found_where_it_is():
    for name in (
        "fast/conv.py",
        "fast/winograd.py",
        "fast/parts.py",
        "fast/half.py",
        "fast/cuda/start.py",
        "ops/forms.py",
    ):
        assert MACHINERY.search((PACKAGE / name).read_text(encoding="utf-8")), name
    assert MACHINERY.search("x in a half type") and not MACHINERY.search(
        "at most half the kernel, half of the gradient"
    )


@each_file
def test_only_the_backend_names_cupy_and_host_work_alone_names_numpy(path):
    libraries = {name.split(".")[0] for name in imports(path).values()}
    assert "cupy" not in libraries or relative(path) in ("backend/card.py", "fast/cuda/device.py")
    assert "numpy" not in libraries or room(path) in NUMPY or relative(path) == "nn/init.py"
    assert "torch" not in libraries


@each_file
def test_a_file_says_its_job_and_is_short(path):
    assert ast.get_docstring(tree(path)), "no docstring"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_every_public_function_and_class_is_documented():
    """A method that overrides one of the same file needs no docstring of its own."""
    missing = []
    for path in FILES:
        overridden = {
            each.name
            for node in nodes(path)
            if isinstance(node, ast.ClassDef)
            for each in node.body
            if isinstance(each, ast.FunctionDef) and ast.get_docstring(each)
        }
        methods = {
            id(each) for node in nodes(path) if isinstance(node, ast.ClassDef) for each in node.body
        }
        functions = [node for node in nodes(path) if isinstance(node, ast.FunctionDef)]
        private = [node for node in nodes(path) if isinstance(node, ast.ClassDef) and node.name.startswith("_")]  # fmt: skip
        inner = {id(node) for outer in functions + private for node in ast.walk(outer) if node is not outer}  # fmt: skip
        for node in nodes(path):
            if (
                isinstance(node, (ast.FunctionDef, ast.ClassDef))
                and not node.name.startswith("_")
                and id(node) not in inner
            ):
                inherits = id(node) in methods and node.name in overridden
                if not ast.get_docstring(node) and not inherits:
                    missing.append((path.name, node.name))
    obvious = {"forward", "describe", "shape", "ndim", "size", "dtype", "score", "lr"}
    assert not [
        entry for entry in missing if entry[1] not in obvious and entry[0] != "functional.py"
    ]
