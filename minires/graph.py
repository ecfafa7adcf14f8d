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
    "share_version",
    "type_names",
    "written_since",
]


class Node:
    """One op that was run: where its gradients go, and how they are computed. It does not hold the result.

    parents  for each operand its Node, or the Tensor itself if it is a leaf, or None if no gradient is needed
    backward  the op's own; None once it has been used, so that what it saved is released
    result  an array or a tensor, whose shape and dtype are kept
    versions  (number of the operand, its version, how often it was written) of operands that are tensors
    """

    __slots__ = ("__weakref__", "backward", "dtype", "op", "parents", "shape", "versions")

    def __init__(
        self, op: str, parents: tuple, backward: Any, result: Any, versions: Iterable[tuple] = ()
    ) -> None:
        self.op, self.parents, self.backward, self.versions = op, parents, backward, versions
        self.shape, self.dtype = result.shape, result.dtype


@has_forms
def backward_pass(root: Node, g: Array) -> None:
    """Add the gradient of the loss to `grad` of every leaf below the node `root`, where g is the gradient of root's result.

    Each node's backward waits until all its users have sent their contributions, so it runs once, and is then released: no
    recursion, no sorting, and memory is freed as the pass runs.
    """
    # The number of users of each node that have not run yet; its gradient so far; nodes whose gradient is complete.
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
    """Count, for each node below `root`, the operands of other nodes that it is.

    Raises  RuntimeError: a part of the graph has been used already, or a leaf has been written into since it was an operand.
    """
    users, stack = {root: 0}, [root]
    while stack:
        node = stack.pop()
        if node.backward is None:
            raise RuntimeError(
                f"backward(): this graph was used already, and what {node.op} had saved is gone. "
                "Run the forward pass again, or add up the losses and call backward() once"
            )
        for _, version, writes in node.versions:
            if version[0] != writes:
                raise written_since(node)
        for parent in node.parents:
            if isinstance(parent, Node):
                users[parent] = users.get(parent, 0) + 1
                if users[parent] == 1:
                    stack.append(parent)
    return users


def written_since(node: Node) -> RuntimeError:
    """Return the error that names the operand that was written into after the forward pass, and what wrote it."""
    i, version = next((i, version) for i, version, writes in node.versions if version[0] != writes)
    _, writer, shape = version
    known = node.op in FUNCTIONS and list(inspect.signature(FUNCTIONS[node.op].plain).parameters)
    name = known[i] if known and i < len(known) else f"operand {i}"
    return RuntimeError(
        f"backward() of {node.op}: its {name}, of shape {shape}, was changed by {writer} after the forward pass, "
        "so gradients would be wrong. Call backward() before that, or run the forward pass again"
    )


def share_version(result: Any, operands: Iterable[Any]) -> Any:
    """Give a tensor whose memory is an operand's the version of that operand. Returns the tensor."""
    owner = _owner(result.data)
    for x in operands:
        if hasattr(x, "version") and _owner(x.data) is owner:
            result.version = x.version
    return result


def _owner(array: Array) -> Any:
    base = getattr(array, "base", None)
    return array if base is None else base


def run_backward(node: Node, g: Array) -> list[tuple[Any, Array]]:
    """Return (parent, its gradient) for each operand that needs one. The node releases what it saved."""
    backward, parents = node.backward, node.parents
    node.backward, node.parents, node.versions = None, (), ()
    try:
        grads = backward(g)
    except MemoryError as error:
        raise out_of_memory(f"backward of {node.op}", (g,), error) from error
    fits = isinstance(grads, tuple) and len(grads) >= len(parents)
    if not fits or any(g is not None for g in grads[len(parents) :]):
        expected = f"expected a tuple of {len(parents)} gradients from backward, one per operand"
        raise TypeError(f"{node.op}: {expected}, got {type_names(grads)}")
    pairs = [(i, parent) for i, parent in enumerate(parents) if parent is not None]
    return [(parent, checked_gradient(grads[i], parent, node, i)) for i, parent in pairs]


def checked_gradient(g: Any, parent: Any, node: Node, i: int) -> Array:
    """Return a gradient in its operand's dtype, if it exists and has its operand's shape."""
    if g is None:
        raise TypeError(f"{node.op}: expected a gradient for operand {i} from backward, got None")
    g = as_array(g)
    if g.shape != parent.shape:
        raise ValueError(
            f"{node.op}: expected a gradient of shape {parent.shape} for operand {i} from backward, got {g.shape}"
        )
    return g if g.dtype == parent.dtype else g.astype(parent.dtype)


@has_forms
def accumulate(leaf: Any, g: Array) -> None:
    """leaf.grad += g. A leaf's gradient has its own memory: the op may keep g, or return it for other operands, too."""
    if leaf.grad is None:
        leaf.grad = g.copy()
    else:
        leaf.grad += g


def as_array(value: Any) -> Array:
    """Return an array; the scalars that NumPy's reductions return become arrays without axes."""
    return value if isinstance(value, xp.ndarray) else xp.asarray(value)


def saved(backward: Backward) -> dict[str, Array]:
    """Return {name: array} of all that an op's backward saves until it runs, read from the function itself.

    Arrays in a tuple or list are name[0], name[1]; arrays saved by a function that backward calls are name.theirs.
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
        # Without empty cells.
        parts = [
            (f"{name}.{key}", cell.cell_contents) for key, cell in variables if cell != CellType()
        ]
        seen.add(value)
    for part in parts:
        yield from _captured(*part, seen)


class OutOfMemory(MemoryError):
    """An op ran out of memory. The message says which op, the shapes of its arrays, and what to try."""


def out_of_memory(action: str, arrays: Iterable[Any], error: MemoryError) -> OutOfMemory:
    """Return the OutOfMemory that says what was being done, and to which arrays."""
    if isinstance(error, OutOfMemory):
        return error
    shapes = [array.shape for array in arrays if is_array(array)]
    batch = f" (it has {shapes[0][0]} examples)" if shapes and shapes[0] else ""
    message = f"{action} of {', '.join(map(str, shapes))}: {error}"
    return OutOfMemory(f"{message}. Try a smaller batch{batch}, or free other memory")


def type_names(given: Any) -> str:
    """Return the types of what an op or a backward returned."""
    return (
        f"({', '.join(map(type_names, given))})"
        if isinstance(given, tuple)
        else type(given).__name__
    )
