"""Tensor: an array that records how it was made; apply, which runs an op on tensors; lifted, which makes an op their function."""

import copy
import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from numbers import Number
from typing import TYPE_CHECKING, Any, NoReturn

from minires import ops
from minires.backend import (
    Array,
    HostArray,
    HostScalar,
    grad_enabled,
    is_float,
    no_grad,
    refuse_foreign,
    settings,
    to_host,
    xp,
)
from minires.graph import Node, accumulate, backward_pass, out_of_memory, share_version, type_names

__all__ = ["Tensor", "apply", "grad_enabled", "lifted", "no_grad"]


class Tensor:
    """An array, and the graph of ops that made it, for the gradients of the loss.

    data  an array of the backend in use, which is neither changed nor copied; or a number or lists of numbers,
        which become float32. Ops keep it for their backward pass: don't write into it before backward() has run, or the
        gradient is wrong. If an optimizer or load_state_dict() has written into it, backward() raises
    grad  after backward(), for a leaf that requires it: the gradient, an array of data's shape and dtype
    version  [how often the library has written into data, the last writer, shape]; tensors of the same memory share it
    ==  True if both are the same tensor, so that tensors can be keys; to compare elements, use a.data == b.data
    """

    __slots__ = ("__weakref__", "data", "grad", "node", "requires_grad", "version")
    __array_ufunc__ = None  # the tensor handles array + tensor

    data: Array
    grad: Array | None
    node: Node | None
    requires_grad: bool
    version: list

    if TYPE_CHECKING:  # methods that minires.functional adds, each with the op's options

        def _op(self, *operands: Any, **options: Any) -> "Tensor": ...

        exp = log = log_softmax = max = mean = relu = reshape = scale_gradient = sigmoid = _op
        softmax = sqrt = sum = tanh = transpose = var = _op

    def __init__(self, data: Any, *, requires_grad: bool = False) -> None:
        if not isinstance(data, xp.ndarray):
            data = xp.asarray(data) if isinstance(data, HostScalar) else _made(data)
        if requires_grad and not is_float(data.dtype):
            raise TypeError(f"Tensor: expected floats for requires_grad, got {data.dtype}")
        self.data, self.grad, self.node, self.requires_grad = data, None, None, requires_grad
        self.version = [0, "", ()]

    # An array's attributes.

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
        """Return the number in a tensor of one element. On a GPU this waits."""
        if self.size != 1:
            raise ValueError(f"item(): expected a tensor of one element, got shape {self.shape}")
        return to_host(self.data).item()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        """Format item(), if there is a spec, as in f"{loss:.3f}"."""
        return format(self.item(), spec) if spec else str(self)

    # A number's operators: + - * / ** @ and comparisons. minires.functional has each op as a function of tensors, too.

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
        """Return ops.getitem of the tensor; a part of the index may be a tensor."""
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
        """Return the elements as a NumPy array. On the NumPy backend it is this tensor's own memory."""
        return to_host(self.data)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("expected an array, got a Tensor: tensor.numpy() is its array")

    def __repr__(self) -> str:
        facts = [f"shape {self.shape}", str(self.dtype)]
        if self.node is not None:
            facts.append(f"made by {self.node.op}")
        elif self.requires_grad:
            facts.append("requires_grad")
        numbers = str(self.numpy()).replace("\n", "\n" + " " * len("Tensor("))
        return f"Tensor({numbers}, {', '.join(facts)})"

    def __deepcopy__(self, memo: dict) -> "Tensor":
        if self.node is not None:
            raise RuntimeError(
                f"deepcopy: expected a leaf, got the result of {self.node.op}: copy tensor.detach()"
            )
        twin = copy.copy(self)
        twin.data, twin.grad = copy.deepcopy(self.data, memo), copy.deepcopy(self.grad, memo)
        twin.version = [0, "", ()]
        return twin

    # The graph.

    def written_by(self, writer: str) -> None:
        """Record that `writer` has written into data, so that backward() through a graph that was recorded before raises."""
        self.version[:] = self.version[0] + 1, writer, self.shape

    def detach(self) -> "Tensor":
        """Return a tensor with the same memory, cut off from the graph."""
        return share_version(Tensor(self.data), [self])

    def backward(self, grad: Any = None) -> None:
        """Add the gradient of sum(grad * self) to `grad` of every leaf that this tensor was computed from.

        grad  of this tensor's shape: a tensor, an array or lists (default, for a tensor of one element: 1)

        Raises  RuntimeError: nothing here requires a gradient, a part of the graph has been used already, or the library has
        written into a parameter since. ValueError: a gradient of the wrong shape, or none where one is needed. If an op's
        backward raises, leaves keep what they have got so far in their `grad`, and the graph is used.
        """
        if not self.requires_grad:
            raise RuntimeError("backward(): nothing that made this tensor has requires_grad")
        grad = self._seed(grad)
        if self.node is None:
            accumulate(self, grad)
        else:
            backward_pass(self.node, grad)

    def _seed(self, grad: Any) -> Array:
        if grad is None and self.size == 1:
            return xp.ones(self.shape, dtype=self.dtype)
        if grad is None:
            raise ValueError(f"backward(): expected a gradient of shape {self.shape}, got none")
        grad = Tensor(grad).data.astype(self.dtype, copy=False)
        if grad.shape != self.shape:
            raise ValueError(f"backward(): expected shape {self.shape}, got {grad.shape}")
        return grad


def apply(op: ops.Op, *operands: Any, **options: Any) -> Tensor:
    """Run an op on tensors, arrays, lists or numbers, and record its backward if one of them requires a gradient.

    Next to an array, a number stays Python's, so that it doesn't change the dtype; alone, it becomes float32.
    Raises  TypeError: an operand that is not a number or an array, a tensor among the options, or a wrong result of the op.
    """
    # A functools.partial is called by its function's name.
    name = getattr(getattr(op, "func", op), "__name__", type(op).__name__)
    arrays = [_array(operand, name) for operand in operands]
    if not any([isinstance(array, xp.ndarray) for array in arrays]):
        arrays = [Tensor(operand).data for operand in operands]
    options = {key: _option(value, key, name) for key, value in options.items()}
    # Times False is an empty tuple: under no_grad() nothing needs a gradient.
    needs = tuple([isinstance(x, Tensor) and x.requires_grad for x in operands]) * settings().grad
    options |= {"needs_input_grad": needs} if hasattr(op, "forms") else {}
    try:
        made = op(*arrays, **options)
    except MemoryError as error:
        raise out_of_memory(name, arrays, error) from error
    is_pair = isinstance(made, tuple) and len(made) == 2 and callable(made[1])
    if not is_pair or isinstance(made[0], Tensor):
        raise TypeError(f"{name}: expected a pair (array, backward), got {type_names(made)}")
    result = Tensor(made[0])
    if any(needs):
        parents = tuple([(x.node or x) if need else None for x, need in zip(operands, needs)])
        own = [(i, (v := x.version), v[0]) for i, x in enumerate(operands) if hasattr(x, "node")]
        result.requires_grad, result.node = True, Node(name, parents, made[1], result, own)
    else:
        share_version(result, operands)
    return result


def lifted(op: ops.Op, *, ints: tuple[int, ...] = ()) -> Callable[..., Tensor]:
    """Return the op as a function of tensors. Its options may also be given by position, after the operands.

    ints  positions of operands whose lists hold ints, such as labels
    """
    signature = inspect.signature(op)
    names = [p.name for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
    optional = {p.name for p in signature.parameters.values() if p.default is None}
    every = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in signature.parameters.values()]
    known, needed = {p.name: p for p in every}, {p.name for p in every if p.default is p.empty}

    @wraps(op)
    def on_tensors(*inputs: Any, **options: Any) -> Tensor:
        given = dict(zip(known, inputs), **options)
        if len(given) < len(inputs) + len(options) or not needed <= given.keys() <= known.keys():
            signature.replace(parameters=every).bind(*inputs, **options)  # raises
        operands = [given.pop(n) for n in names if n not in optional or given.get(n) is not None]
        for i in ints:
            operands[i] = xp.asarray(operands[i]) if isinstance(operands[i], list) else operands[i]
        return apply(op, *operands, **given)

    return on_tensors


def _array(operand: Any, op: str) -> Any:
    """Return an operand as an array; numbers and arrays without axes become plain numbers, which change no other's dtype."""
    array: Any = operand.data if isinstance(operand, Tensor) else operand
    if isinstance(array, xp.ndarray) and (array is not operand or array.ndim):
        return array
    if isinstance(operand, (list, tuple)):
        return _made(operand)
    if not isinstance(operand, (Number, HostScalar, xp.ndarray)):
        refuse_foreign(array, op)
    return _option(operand)


def _made(value: Any) -> Array:
    """Return the array of a tensor, or of numbers, which become float32."""
    if isinstance(value, Tensor):
        return value.data
    if isinstance(value, (Number, list, tuple)):
        return xp.asarray(value, dtype=xp.float32)
    refuse_foreign(value, "Tensor")


def _option(value: Any, name: str = "", op: str = "") -> Any:
    """Return an option; scalars and arrays without axes become plain numbers, as they would turn float32 into float64."""
    if isinstance(value, Tensor):
        raise TypeError(f"{op}: {name} is an option, which has no gradient: pass tensor.data")
    return value.item() if getattr(value, "shape", None) == () else value
