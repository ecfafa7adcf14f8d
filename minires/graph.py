"""The computational graph: nodes that know how they were made, and the backward pass over them. No maths."""

import inspect
from collections.abc import Iterable, Iterator
from types import CellType, FunctionType
from typing import Any

from minires.backend import Array, is_array, xp
from minires.ops import Backward
from minires.ops.forms import FUNCTIONS, has_forms

__all__ = [
    "Node",
    "OutOfMemory",
    "accumulate",
    "as_array",
    "backward_pass",
    "checked_gradient",
    "count_users",
    "out_of_memory",
    "run_backward",
    "saved",
    "type_names",
    "written_since",
]


class Node:
    """One op that was run: whom its gradients go to, and how they are computed. It does not hold the result.

    parents  for each operand its Node, or the Tensor itself where it is a leaf, or None where no gradient is needed
    backward  the op's own; None once it has been used: what it saved is free then
    result  an array or a tensor, of which shape and dtype are kept
    leaves  (which operand, Tensor, its version now) of those that the library may write into
    """

    __slots__ = ("__weakref__", "backward", "dtype", "leaves", "op", "parents", "shape")

    def __init__(
        self, op: str, parents: tuple, backward: Any, result: Any, leaves: Iterable[tuple] = ()
    ) -> None:
        self.op, self.parents, self.backward, self.leaves = op, parents, backward, leaves
        self.shape, self.dtype = result.shape, result.dtype


@has_forms
def backward_pass(root: Node, g: Array) -> None:
    """Add to `grad` of every leaf below the node `root` the gradient of the loss, where g is that of root's result.

    Each node's backward waits until all its users have sent their part, so it runs once, and is released then: no recursion,
    no sorting, and memory falls as the pass goes.
    """
    # How many users of each node are still to come; its gradient so far; nodes whose gradient is whole.
    users, waiting, ready = count_users(root), {root: g}, [root]
    while ready:
        node = ready.pop()
        for parent, g in run_backward(node, waiting.pop(node)):
            if isinstance(parent, Node):
                waiting[parent] = as_array(waiting[parent] + g) if parent in waiting else g
                users[parent] -= 1
                if users[parent] == 0:
                    ready.append(parent)
            else:
                accumulate(parent, g)


def count_users(root: Node) -> dict[Node, int]:
    """For each node below `root`, how many operands of others it is.

    Raises  RuntimeError: a part of the graph has been used already, or a leaf has been written into since it was an operand.
    """
    users, stack = {root: 0}, [root]
    while stack:
        node = stack.pop()
        if node.backward is None:
            raise RuntimeError(
                f"backward() through a graph that was used already: what {node.op} had saved is gone. "
                "Run the forward pass again, or add the losses up and call backward() once"
            )
        for _, leaf, version in node.leaves:
            if leaf.version is not version:
                raise written_since(node)
        for parent in node.parents:
            if isinstance(parent, Node):
                users[parent] = users.get(parent, 0) + 1
                if users[parent] == 1:
                    stack.append(parent)
    return users


def written_since(node: Node) -> RuntimeError:
    """The error that names the operand that was written into after the forward pass, and what did it."""
    i, leaf = next((i, leaf) for i, leaf, version in node.leaves if leaf.version is not version)
    known = node.op in FUNCTIONS and list(inspect.signature(FUNCTIONS[node.op].plain).parameters)
    name = known[i] if known and i < len(known) else f"operand {i}"
    return RuntimeError(
        f"backward() of {node.op}: its {name}, of shape {leaf.shape}, was changed by {leaf.version[1]} after the forward pass, "
        "so gradients would be wrong. Call backward() before that, or run the forward pass again"
    )


def run_backward(node: Node, g: Array) -> list[tuple[Any, Array]]:
    """(parent, its gradient) for each operand that needs one. The node releases what it saved."""
    backward, parents = node.backward, node.parents
    node.backward, node.parents, node.leaves = None, (), ()
    try:
        grads = backward(g)
    except MemoryError as error:
        raise out_of_memory(f"backward of {node.op}", (g,), error) from error
    fits = isinstance(grads, tuple) and len(grads) >= len(parents)
    if not fits or any(g is not None for g in grads[len(parents) :]):
        expected = f"backward must give a tuple of {len(parents)} gradients, one per operand"
        raise TypeError(f"{node.op}: {expected}; it gave {type_names(grads)}")
    pairs = [(i, parent) for i, parent in enumerate(parents) if parent is not None]
    return [(parent, checked_gradient(grads[i], parent, node, i)) for i, parent in pairs]


def checked_gradient(g: Any, parent: Any, node: Node, i: int) -> Array:
    """A gradient, if it is there and has its operand's shape; in its operand's dtype."""
    if g is None:
        raise TypeError(f"{node.op}: backward gave no gradient for operand {i}, which requires one")
    g = as_array(g)
    if g.shape != parent.shape:
        raise ValueError(
            f"{node.op}: backward gave operand {i} a gradient of shape {g.shape}, it has shape {parent.shape}"
        )
    return g if g.dtype == parent.dtype else g.astype(parent.dtype)


def accumulate(leaf: Any, g: Array) -> None:
    """leaf.grad += g. A leaf never shares its gradient's memory with anybody: the op may keep g, or hand it to others."""
    if leaf.grad is None:
        leaf.grad = g.copy()
    else:
        leaf.grad += g


def as_array(value: Any) -> Array:
    """NumPy's reductions give scalars: as arrays without axes."""
    return value if isinstance(value, xp.ndarray) else xp.asarray(value)


def saved(backward: Backward) -> dict[str, Array]:
    """Name -> array: what an op's backward saves until it runs, read from the function itself.

    Those in a tuple or list are name[0], name[1]; those that a function saves which backward calls are name.theirs.
    """
    return {name.removeprefix("."): array for name, array in _captured("", backward, set())}


def _captured(name: str, value: Any, seen: set) -> Iterator[tuple[str, Array]]:
    parts = []
    if is_array(value):
        yield name, value
    elif isinstance(value, (tuple, list)):
        parts = [(f"{name}[{i}]", part) for i, part in enumerate(value)]
    elif isinstance(value, FunctionType) and value not in seen:
        variables = zip(value.__code__.co_freevars, value.__closure__ or ())
        # Not an empty one.
        parts = [
            (f"{name}.{key}", cell.cell_contents) for key, cell in variables if cell != CellType()
        ]
        seen.add(value)
    for part in parts:
        yield from _captured(*part, seen)


class OutOfMemory(MemoryError):
    """There is no memory for an op; it says which, on arrays of which shapes, and what to try."""


def out_of_memory(action: str, arrays: Iterable[Any], error: MemoryError) -> OutOfMemory:
    """The OutOfMemory that says what was being done, and to which arrays."""
    if isinstance(error, OutOfMemory):
        return error
    shapes = [array.shape for array in arrays if is_array(array)]
    batch = f" (it has {shapes[0][0]} examples)" if shapes and shapes[0] else ""
    message = f"{action} of {', '.join(map(str, shapes))}: {error}"
    return OutOfMemory(f"{message}. Try a smaller batch{batch}, or free what else holds memory")


def type_names(given: Any) -> str:
    """The types of what an op or a backward gave."""
    return (
        f"({', '.join(map(type_names, given))})"
        if isinstance(given, tuple)
        else type(given).__name__
    )
