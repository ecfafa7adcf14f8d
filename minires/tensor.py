"""Tensor: an array that records how it was made; apply, which runs an op on tensors, and lifted, which makes it a function of them.

No maths.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from numbers import Number
from typing import Any, NoReturn

from minires import ops
from minires.backend import Array, HostArray, is_float, refuse_foreign, settings, to_host, using, xp
from minires.graph import Node, accumulate, as_array, backward_pass, out_of_memory, type_names

__all__ = ["Tensor", "apply", "grad_enabled", "lifted", "no_grad"]


def no_grad() -> using:
    """Context manager and decorator: no graph is recorded, so results require no gradient. For evaluation."""
    return using(grad=False)


def grad_enabled() -> bool:
    """Whether ops on tensors record the graph here."""
    return settings().grad


class Tensor:
    """An array, and whether the loss is to be differentiated with respect to it.

    data  an array of the backend in use, which stays as it is and is not copied; or a number or lists of them,
        which become float32
    grad  after backward(), for a leaf that requires it: the gradient, an array of data's shape and type
    ==  whether the two are one and the same tensor, so that tensors can be keys; for the numbers a.data == b.data
    """

    __slots__ = ("__weakref__", "data", "grad", "node", "requires_grad")
    __array_ufunc__ = None  # array + tensor is the tensor's business

    data: Array
    grad: Array | None
    node: Node | None
    requires_grad: bool

    # Methods that minires.functional adds, each with the op's options.
    exp: Callable[..., "Tensor"]
    log: Callable[..., "Tensor"]
    log_softmax: Callable[..., "Tensor"]
    max: Callable[..., "Tensor"]
    mean: Callable[..., "Tensor"]
    relu: Callable[..., "Tensor"]
    reshape: Callable[..., "Tensor"]
    scale_gradient: Callable[..., "Tensor"]
    sigmoid: Callable[..., "Tensor"]
    softmax: Callable[..., "Tensor"]
    sqrt: Callable[..., "Tensor"]
    sum: Callable[..., "Tensor"]
    tanh: Callable[..., "Tensor"]
    transpose: Callable[..., "Tensor"]
    var: Callable[..., "Tensor"]

    def __init__(self, data: Any, *, requires_grad: bool = False) -> None:
        if isinstance(data, Tensor):
            data = data.data
        elif isinstance(data, Number) and hasattr(data, "dtype"):  # a NumPy scalar
            data = as_array(data)
        elif isinstance(data, (Number, list, tuple)):
            data = xp.asarray(data, dtype=xp.float32)
        elif not isinstance(data, xp.ndarray):
            refuse_foreign(data, "the data of a Tensor")
        if requires_grad and not is_float(data.dtype):
            raise TypeError(f"a tensor of {data.dtype} has no gradient: only floats have")
        self.data, self.requires_grad, self.grad, self.node = data, requires_grad, None, None

    # What an array has.

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)
    T = property(lambda self: self.transpose())

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def item(self) -> float:
        """The number in a tensor of one element. On a GPU this waits."""
        if self.size != 1:
            raise ValueError(
                f"item() takes a tensor of one element, this one has shape {self.shape}"
            )
        return to_host(self.data).item()

    def __float__(self) -> float:
        return float(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    # What a number has: + - * / ** @ and comparisons. Each op is on tensors in minires.functional, too.

    def __add__(self, other: Any) -> "Tensor":
        return apply(ops.add, self, other)

    def __radd__(self, other: Any) -> "Tensor":
        return apply(ops.add, other, self)

    def __sub__(self, other: Any) -> "Tensor":
        return apply(ops.subtract, self, other)

    def __rsub__(self, other: Any) -> "Tensor":
        return apply(ops.subtract, other, self)

    def __mul__(self, other: Any) -> "Tensor":
        return apply(ops.multiply, self, other)

    def __rmul__(self, other: Any) -> "Tensor":
        return apply(ops.multiply, other, self)

    def __truediv__(self, other: Any) -> "Tensor":
        return apply(ops.divide, self, other)

    def __rtruediv__(self, other: Any) -> "Tensor":
        return apply(ops.divide, other, self)

    def __pow__(self, other: Any) -> "Tensor":
        return apply(ops.power, self, other)

    def __rpow__(self, other: Any) -> "Tensor":
        return apply(ops.power, other, self)

    def __matmul__(self, other: Any) -> "Tensor":
        return apply(ops.matmul, self, other)

    def __rmatmul__(self, other: Any) -> "Tensor":
        return apply(ops.matmul, other, self)

    def __neg__(self) -> "Tensor":
        return apply(ops.negative, self)

    def __getitem__(self, index: Any) -> "Tensor":
        """ops.getitem; a part of the index may be a tensor."""
        parts = index if isinstance(index, tuple) else (index,)
        index = tuple(part.data if isinstance(part, Tensor) else part for part in parts)
        return apply(ops.getitem, self, index=index)

    def __lt__(self, other: Any) -> "Tensor":
        return Tensor(self.data < _array(other, "<"))

    def __le__(self, other: Any) -> "Tensor":
        return Tensor(self.data <= _array(other, "<="))

    def __gt__(self, other: Any) -> "Tensor":
        return Tensor(self.data > _array(other, ">"))

    def __ge__(self, other: Any) -> "Tensor":
        return Tensor(self.data >= _array(other, ">="))

    def numpy(self) -> HostArray:
        """The numbers as a NumPy array. On the NumPy backend it is this tensor's own memory."""
        return to_host(self.data)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("a Tensor does not turn into a NumPy array by itself: say tensor.numpy()")

    def __repr__(self) -> str:
        facts = [f"shape {self.shape}", str(self.dtype)]
        if self.node is not None:
            facts.append(f"made by {self.node.op}")
        elif self.requires_grad:
            facts.append("requires_grad")
        numbers = str(self.numpy()).replace("\n", "\n" + " " * len("Tensor("))
        return f"Tensor({numbers}, {', '.join(facts)})"

    # The graph.

    def detach(self) -> "Tensor":
        """The same numbers (the same memory), cut off from the graph."""
        return Tensor(self.data)

    def backward(self, grad: Any = None) -> None:
        """Add to `grad` of every leaf that this tensor came from the gradient of sum(grad * self).

        grad  of this tensor's shape: a tensor, an array or lists. A tensor of one element may do without: it is 1 then.

        Raises  RuntimeError: nothing here requires a gradient, or a part of the graph has been used already.
        ValueError: a gradient of another shape is given or needed. Whatever an op's backward raises: what leaves have got
        until then stays in their `grad`, and the graph is used.
        """
        if not self.requires_grad:
            raise RuntimeError(
                "backward() from a tensor that needs no gradient: nothing that made it has requires_grad"
            )
        grad = self._seed(grad)
        if self.node is None:
            accumulate(self, grad)
        else:
            backward_pass(self.node, grad)

    def _seed(self, grad: Any) -> Array:
        if grad is None and self.size == 1:
            return xp.ones(self.shape, dtype=self.dtype)
        if grad is None:
            raise ValueError(
                f"backward() of a tensor of shape {self.shape} needs a gradient of that shape; a loss is one number"
            )
        grad = Tensor(grad).data.astype(self.dtype, copy=False)
        if grad.shape != self.shape:
            raise ValueError(
                f"backward() got a gradient of shape {grad.shape} for a tensor of shape {self.shape}"
            )
        return grad


def apply(op: ops.Op, *operands: Any, **options: Any) -> Tensor:
    """Run an op on tensors, arrays, lists or numbers, and record its backward if one of them requires a gradient.

    Beside an array a number stays Python's, so that it doesn't change the dtype; alone it is float32.
    Raises  TypeError: an operand that is no number or array, a tensor among the options, an op that gives something else.
    """
    # A functools.partial is called by its function's name.
    name = getattr(getattr(op, "func", op), "__name__", type(op).__name__)
    arrays = [_array(operand, name) for operand in operands]
    if not any(isinstance(array, xp.ndarray) for array in arrays):
        arrays = [Tensor(array).data for array in arrays]
    options = {key: _option(value, key, name) for key, value in options.items()}
    # Times False is an empty tuple: under no_grad() nothing needs a gradient.
    needs = tuple(isinstance(x, Tensor) and x.requires_grad for x in operands) * settings().grad
    options |= {"needs_input_grad": needs} if hasattr(op, "forms") else {}
    try:
        made = op(*arrays, **options)
    except MemoryError as error:
        raise out_of_memory(name, arrays, error) from error
    is_pair = isinstance(made, tuple) and len(made) == 2 and callable(made[1])
    if not is_pair or isinstance(made[0], Tensor):
        raise TypeError(
            f"{name}: an op must give a tuple of an array and its backward, a function; it gave {type_names(made)}"
        )
    result = Tensor(made[0])
    if any(needs):
        parents = tuple((x.node or x) if need else None for x, need in zip(operands, needs))
        result.requires_grad = True
        result.node = Node(name, parents, made[1], result.shape, result.dtype)
    return result


def lifted(op: ops.Op, *, ints: tuple[int, ...] = ()) -> Callable[..., Tensor]:
    """The op as a function on tensors. Its options may also be given by position, after the operands.

    ints  positions of operands whose lists hold ints, such as labels
    """
    signature = inspect.signature(op)
    names = [p.name for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
    optional = {p.name for p in signature.parameters.values() if p.default is None}
    loose = signature.replace(
        parameters=[p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in signature.parameters.values()]
    )

    @wraps(op)
    def on_tensors(*inputs: Any, **options: Any) -> Tensor:
        given = loose.bind(*inputs, **options).arguments
        operands = [given.pop(n) for n in names if n not in optional or given.get(n) is not None]
        for i in ints:
            operands[i] = xp.asarray(operands[i]) if isinstance(operands[i], list) else operands[i]
        return apply(op, *operands, **given)

    return on_tensors


def _array(operand: Any, op: str) -> Any:
    """An operand as an array or a plain number."""
    operand = operand.data if isinstance(operand, Tensor) else operand
    if isinstance(operand, xp.ndarray):
        return operand
    if isinstance(operand, Number):
        return _option(operand)
    if isinstance(operand, (list, tuple)):
        return Tensor(operand).data
    refuse_foreign(operand, f"{op}: an operand")


def _option(value: Any, name: str = "", op: str = "") -> Any:
    """An option; a NumPy scalar as a plain number, as it would turn float32 into float64."""
    if isinstance(value, Tensor):
        raise TypeError(
            f"{op}: option {name} is a Tensor: no gradient goes to an option; tensor.data is its array"
        )
    return value.item() if isinstance(value, Number) and hasattr(value, "item") else value
