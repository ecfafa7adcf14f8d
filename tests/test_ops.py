"""Claims about every op, read from the source: what backward reads is not rebound, and the docstring says what is saved."""

import ast
import inspect
from pathlib import Path

import pytest

from minires import fast, ops
from minires.ops.forms import FUNCTIONS

FILES = sorted(Path(ops.__file__).parent.glob("*.py")) + sorted(
    Path(fast.__file__).parent.rglob("*.py")
)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
LATER = (ast.FunctionDef, ast.Lambda, ast.GeneratorExp)  # what may run long after it was made
SCOPES = (ast.FunctionDef, ast.Lambda, *COMPREHENSIONS)


def within(node):
    """Yield the nodes below this one, except those in inner scopes."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, SCOPES):
            yield from within(child)


def bound(scope):
    """Return the names that are local to a scope."""
    names = {
        node.id
        for node in within(scope)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    if not isinstance(scope, COMPREHENSIONS):
        names |= {arg.arg for arg in ast.walk(scope.args) if isinstance(arg, ast.arg)}
    return names | {node.name for node in within(scope) if isinstance(node, ast.FunctionDef)}


def free(scope):
    """Return the names that a scope and its inner scopes read from outside."""
    read = {
        node.id
        for node in within(scope)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return read.union(*(free(node) for node in within(scope) if isinstance(node, SCOPES))) - bound(
        scope
    )


def rebound(source):
    """Yield function.name for each name that an inner function reads, and that the function binds again afterwards: below
    it, or in a loop around it.
    """
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        own = list(within(function))
        stores = [
            node for node in own if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        loops = [set(ast.walk(node)) for node in own if isinstance(node, (ast.For, ast.While))]
        # As in sum(... for ...)
        at_once = {argument for node in own if isinstance(node, ast.Call) for argument in node.args}
        inner = [
            node
            for node in own
            if isinstance(node, LATER)
            and not (isinstance(node, ast.GeneratorExp) and node in at_once)
        ]
        found = {
            store.id
            for store in stores
            for later in inner
            if store.id in free(later)
            and (
                store.lineno > later.end_lineno
                or any(store in loop and later in loop for loop in loops)
            )
        }
        yield from sorted(f"{function.name}.{name}" for name in found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_what_backward_reads_is_not_bound_again_once_backward_is_made(path):
    assert list(rebound(path.read_text(encoding="utf-8"))) == []


BACKWARD = "def backward(g):\n    return [x for _ in range(2)]\n"


@pytest.mark.parametrize(
    "after",
    [
        "x = abs(x)",
        "x += 1",
        "for x in range(3):\n    pass",
        "x, y = 1, 2",
        "while y:\n    x = y = 0",
    ],
)
def test_a_name_that_is_bound_again_is_found(after):
    def op(body):
        return "def op(x, y):\n" + "".join(f"    {line}\n" for line in body.split("\n"))

    assert list(rebound(op(BACKWARD + after))) == ["op.x"]
    assert list(rebound(op(after + "\n" + BACKWARD))) == []
    assert list(rebound(op(BACKWARD.replace("return", "x = g\n    return") + after))) == []


@pytest.mark.parametrize("loop", ["for x in y:", "for i in y:\n    x = i", "while y:\n    x = y"])
@pytest.mark.parametrize(
    "later",
    ["def backward(g):\n        return x", "backward = lambda g: x", "backward = (x for _ in y)"],
)
def test_a_name_that_a_loop_around_backward_binds_is_found(loop, later):
    body = f"{loop}\n    {later}".replace("\n", "\n    ")
    assert list(rebound(f"def op(y):\n    {body}\n")) == ["op.x"]


OPS = [
    name
    for name, forms in FUNCTIONS.items()
    if forms.is_op and forms.plain.__module__.startswith("minires.ops.")
]
NOT_DIFFERENTIATED = {"channel_stats"}


@pytest.mark.parametrize("name", OPS)
def test_the_docstring_says_what_the_op_saves(name):
    lines = inspect.getdoc(getattr(ops, name)).splitlines()
    assert len([line for line in lines if line.startswith("Saves  ")]) == (
        name not in NOT_DIFFERENTIATED
    )


def test_every_op_is_among_them():
    """A file without @op would be found here: its functions would have no faster forms, and no claim would cover them."""
    assert len(OPS) >= 35 and {
        "conv2d",
        "batch_norm",
        "relu",
        "add",
        "cross_entropy",
        "reshape",
    } <= set(OPS)
    functions = {
        name: value
        for name, value in vars(ops).items()
        if callable(value) and hasattr(value, "forms")
    }
    assert set(functions) == set(OPS)
