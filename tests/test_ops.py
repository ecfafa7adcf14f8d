"""What holds for every op, read from the source: a name that backward reads is bound once, and the docstring says what is kept."""

import ast
import inspect
from collections import Counter
from pathlib import Path

import pytest

from minires import ops
from minires import functional as F

FILES = sorted(Path(ops.__file__).parent.glob("*.py"))
SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def within(node):
    """The nodes below one, those inside functions and comprehensions not."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, SCOPES):
            yield from within(child)


def bindings(function):
    """Name -> how often a function binds it. In a loop counts as twice."""
    loops = [node for node in within(function) if isinstance(node, (ast.For, ast.While))]
    again = {id(node) for loop in loops for node in within(loop)}
    count = Counter(arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg))
    for node in within(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            count[node.id] += 1 + (id(node) in again)
    return count


def captured(function):
    """The names of their surroundings that the functions and lambdas inside a function read."""
    for inner in ast.walk(function):
        if isinstance(inner, (ast.FunctionDef, ast.Lambda)) and inner is not function:
            own = bindings(inner)
            yield from (node.id for node in ast.walk(inner) if isinstance(node, ast.Name) and node.id not in own)


def rebound(source):
    """function.name, for each name that something inside the function reads and the function binds more than once."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            count = bindings(function)
            yield from sorted({f"{function.name}.{name}" for name in captured(function) if count[name] > 1})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_name_that_backward_reads_is_bound_once(path):
    assert list(rebound(path.read_text())) == []


@pytest.mark.parametrize(
    "body",
    [
        "x = abs(x)",
        "x += 1",
        "for i in range(3):\n    x = i",
        "for x in range(3):\n    pass",
        "x, y = 1, 2",
        "while y:\n    x = y = 0",
    ],
)
def test_a_name_that_is_bound_again_is_found(body):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    assert list(rebound(f"def op(x):\n{lines}    def backward(g):\n        return [x for _ in range(2)]\n")) == ["op.x"]
    assert list(rebound(f"def op(x):\n{lines}    def backward(g):\n        x = g\n        return x\n")) == []


@pytest.mark.parametrize("name", [function.__name__ for function in F.LIFTED])
def test_the_docstring_says_what_the_op_keeps(name):
    lines = inspect.getdoc(getattr(ops, name)).splitlines()
    assert len([line for line in lines if line.startswith("Keeps  ")]) == 1
