"""The graph: a Tensor is an array that may know how it was made, and backward() walks that way back. No maths."""

import inspect
import threading
from contextlib import ContextDecorator
from numbers import Number
from types import CellType, FunctionType

from minires.backend import is_array, is_float, naming, refuse_foreign, to_device, to_host, xp

_mode = threading.local()


class no_grad(ContextDecorator):
    """In this block (or function) no graph is built: results require no gradient. For evaluation."""

    def __enter__(self):
        _mode.depth = getattr(_mode, "depth", 0) + 1

    def __exit__(self, *_):
        _mode.depth -= 1


def grad_enabled():
    """Whether ops on tensors build the graph in this thread."""
    return getattr(_mode, "depth", 0) == 0


class Node:
    """One op that was run: whom the gradient goes to, and how. It does not hold the result.

    parents  for each operand its Node, or the Tensor itself where it is a leaf, or None where no gradient is wanted
    backward  the op's own; None once it has been used: what it kept is free then
    """

    __slots__ = ("__weakref__", "backward", "dtype", "op", "parents", "shape")

    def __init__(self, op, parents, backward, shape, dtype):
        self.op, self.parents, self.backward, self.shape, self.dtype = op, parents, backward, shape, dtype


class Tensor:
    """An array, and whether the loss is to be differentiated with respect to it.

    data  an array of the backend in use, which stays as it is and is not copied; or a number or lists of them,
        which become float32
    grad  after backward(), for a leaf that requires it: the gradient, an array of data's shape and type
    ==  whether the two are one and the same tensor, so that tensors can be keys; for the numbers a.data == b.data
    """

    __slots__ = ("__weakref__", "data", "grad", "node", "requires_grad")
    __array_ufunc__ = None  # array + tensor is the tensor's business

    def __init__(self, data, *, requires_grad=False):
        if isinstance(data, Tensor):
            data = data.data
        elif isinstance(data, Number) and hasattr(data, "dtype"):  # a NumPy scalar
            data = to_device(data)
        elif isinstance(data, (Number, list, tuple)):
            data = xp.asarray(data, dtype=xp.float32)
        elif not is_array(data):
            refuse_foreign(data, "the data of a Tensor")
        if requires_grad and not is_float(data.dtype):
            raise TypeError(f"a tensor of {data.dtype} has no gradient: only floats have")
        self.data, self.requires_grad, self.grad, self.node = data, requires_grad, None, None

    # What an array has.

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def item(self):
        """The number in a tensor of one element. On a GPU this waits."""
        if self.size != 1:
            raise ValueError(f"item() takes a tensor of one element, this one has shape {self.shape}")
        return to_host(self.data).item()

    def __float__(self):
        return float(self.item())

    def __bool__(self):
        return bool(self.item())

    __lt__ = lambda self, other: Tensor(self.data < _bare(other, "<"))  # noqa: E731
    __le__ = lambda self, other: Tensor(self.data <= _bare(other, "<="))  # noqa: E731
    __gt__ = lambda self, other: Tensor(self.data > _bare(other, ">"))  # noqa: E731
    __ge__ = lambda self, other: Tensor(self.data >= _bare(other, ">="))  # noqa: E731

    def numpy(self):
        """The numbers as a NumPy array. On the NumPy backend it is this tensor's own memory."""
        return to_host(self.data)

    def __array__(self, *args, **kwargs):
        raise TypeError("a Tensor does not turn into a NumPy array by itself: say tensor.numpy()")

    def __repr__(self):
        facts = [f"shape {self.shape}", str(self.dtype)]
        if self.node is not None:
            facts.append(f"made by {self.node.op}")
        elif self.requires_grad:
            facts.append("requires_grad")
        numbers = str(self.numpy()).replace("\n", "\n" + " " * len("Tensor("))
        return f"Tensor({numbers}, {', '.join(facts)})"

    # The graph.

    def detach(self):
        """The same numbers (the same memory), cut off from the graph."""
        return Tensor(self.data)

    def backward(self, grad=None):
        """Add to `grad` of every leaf that this tensor came from the gradient of sum(grad * self).

        grad  of this tensor's shape: a tensor, an array or lists. A tensor of one element may do without: it is 1 then.

        Each op's node waits until all its users have sent their part, so it runs once, and is let go of then: no
        recursion, no sorting, and memory falls as the walk goes.

        Raises  RuntimeError: nothing here requires a gradient, or a part of the graph has been used already.
        ValueError: a gradient of another shape is given or needed. Whatever an op's backward raises: what leaves have got
        until then stays in their `grad`, and the graph is used.
        """
        if not self.requires_grad:
            raise RuntimeError("backward() from a tensor that needs no gradient: nothing that made it has requires_grad")
        grad = self._seed(grad)
        if self.node is None:
            _accumulate(self, grad)
            return
        users = _count_users(self.node)
        waiting = {self.node: grad}  # node -> its gradient so far
        ready = [self.node]
        while ready:
            node = ready.pop()
            parents = node.parents
            for i, (parent, g) in enumerate(zip(parents, _run(node, waiting.pop(node)))):
                if parent is None:
                    continue
                g = _checked(g, parent, node, i)
                if isinstance(parent, Tensor):
                    _accumulate(parent, g)
                    continue
                waiting[parent] = _as_array(waiting[parent] + g) if parent in waiting else g
                users[parent] -= 1
                if users[parent] == 0:
                    ready.append(parent)

    def _seed(self, grad):
        if grad is None:
            if self.size != 1:
                raise ValueError(
                    f"backward() of a tensor of shape {self.shape} needs a gradient of that shape; a loss is one number"
                )
            return xp.ones(self.shape, dtype=self.dtype)
        grad = Tensor(grad).data.astype(self.dtype, copy=False)
        if grad.shape != self.shape:
            raise ValueError(f"backward() got a gradient of shape {grad.shape} for a tensor of shape {self.shape}")
        return grad


def kept(backward):
    """Name -> array: what an op's backward keeps until it runs, read from the function itself.

    Those in a tuple or list are name[0], name[1]; those that a function keeps which backward calls are name.theirs.
    """
    return {name.removeprefix("."): array for name, array in _captured("", backward, set())}


def _captured(name, value, seen):
    parts = []
    if is_array(value):
        yield name, value
    elif isinstance(value, (tuple, list)):
        parts = [(f"{name}[{i}]", part) for i, part in enumerate(value)]
    elif isinstance(value, FunctionType) and value not in seen:
        variables = zip(value.__code__.co_freevars, value.__closure__ or ())
        parts = [(f"{name}.{key}", cell.cell_contents) for key, cell in variables if cell != CellType()]  # not an empty one
        seen.add(value)
    for part in parts:
        yield from _captured(*part, seen)


def apply(op, *operands, **options):
    """Run an op on tensors, arrays, lists or numbers, and remember its backward if one of them requires a gradient.

    Beside an array a number stays Python's, lest it change the type of the elements; alone it is float32.
    Raises  TypeError: an operand that is no number or array, a tensor among the options, an op that gives something else.
    """
    name = getattr(getattr(op, "func", op), "__name__", type(op).__name__)  # func: of a functools.partial
    arrays = [_bare(operand, name) for operand in operands]
    if not any(is_array(array) for array in arrays):
        arrays = [Tensor(array).data for array in arrays]
    with naming(name, arrays):
        made = op(*arrays, **{key: _bare_option(option, key, name) for key, option in options.items()})
    if not isinstance(made, tuple) or len(made) != 2 or isinstance(made[0], Tensor) or not callable(made[1]):
        raise TypeError(f"{name}: an op must give a tuple of an array and its backward, a function; it gave {_told(made)}")
    result, backward = Tensor(made[0]), made[1]
    if grad_enabled():
        parents = tuple(_parent(operand) for operand in operands)
        if any(parent is not None for parent in parents):
            result.requires_grad = True
            result.node = Node(name, parents, backward, result.shape, result.dtype)
    return result


def _bare(operand, op):
    if isinstance(operand, Tensor):
        operand = operand.data
    if is_array(operand):
        return operand
    if isinstance(operand, Number):
        return _bare_option(operand)
    if isinstance(operand, (list, tuple)):
        return Tensor(operand).data
    refuse_foreign(operand, f"{op}: an operand")


def _bare_option(option, name="", op=""):
    """A NumPy scalar as a plain number: it would turn float32 into float64."""
    if isinstance(option, Tensor):
        raise TypeError(f"{op}: option {name} is a Tensor: no gradient goes to an option; tensor.data is its array")
    return option.item() if isinstance(option, Number) and hasattr(option, "item") else option


def _as_array(value):
    """NumPy's reductions give scalars: as arrays without axes."""
    return value if is_array(value) else xp.asarray(value)


def _parent(operand):
    wanted = isinstance(operand, Tensor) and operand.requires_grad
    return (operand.node or operand) if wanted else None


def _count_users(root):
    """For each node below `root`, how many operands of others it is."""
    users, stack = {root: 0}, [root]
    while stack:
        node = stack.pop()
        if node.backward is None:
            raise RuntimeError(
                f"backward() through a graph that was used already: what {node.op} had kept is gone. "
                "Run the forward pass again, or add the losses up and go back once"
            )
        for parent in node.parents:
            if isinstance(parent, Node):
                if parent not in users:
                    users[parent] = 0
                    stack.append(parent)
                users[parent] += 1
    return users


def _run(node, g):
    """The gradients of a node's operands. The node lets go of what it kept."""
    backward, parents = node.backward, node.parents
    node.backward, node.parents = None, ()
    wanted = tuple(parent is not None for parent in parents)
    with naming(f"backward of {node.op}", (g,)):
        grads = backward(g, wanted=wanted) if _asks(inspect.unwrap(backward)) else backward(g)
    if not isinstance(grads, tuple) or len(grads) < len(parents) or any(g is not None for g in grads[len(parents) :]):
        wanted = f"backward must give a tuple of {len(parents)} gradients, one an operand"
        raise TypeError(f"{node.op}: {wanted}; it gave {_told(grads)}")
    return grads


def _asks(backward):
    """Whether a backward takes `wanted`, a bool for each operand, to leave out (as None) what nobody wants."""
    code = getattr(backward, "__code__", None)
    return code is not None and "wanted" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _told(given):
    """The types of what an op or a backward gave."""
    return f"({', '.join(map(_told, given))})" if isinstance(given, tuple) else type(given).__name__


def _checked(g, parent, node, i):
    """A gradient, if it is there and has its operand's shape; in its operand's type."""
    if g is None:
        raise TypeError(f"{node.op}: backward gave no gradient for operand {i}, which requires one")
    g = _as_array(g)
    if g.shape != parent.shape:
        raise ValueError(f"{node.op}: backward gave operand {i} a gradient of shape {g.shape}, it has shape {parent.shape}")
    return g if g.dtype == parent.dtype else g.astype(parent.dtype)


def _accumulate(leaf, g):
    """leaf.grad += g. A leaf never shares its gradient's memory with anybody: the op may keep g, or hand it to others."""
    if leaf.grad is None:
        leaf.grad = g.copy()
    else:
        leaf.grad += g
