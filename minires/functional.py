"""The ops, lifted to tensors; some of them are Tensor's methods, too.

Operands are tensors, arrays of the backend in use, numbers, or lists of numbers. Each has the documentation of its op.
"""

from collections.abc import Iterable
from typing import Any

from minires import ops
from minires.tensor import Tensor, apply, lifted

__all__ = [
    "add",
    "avg_pool2d",
    "batch_norm",
    "batch_norm_frozen",
    "broadcast_to",
    "col2im",
    "concatenate",
    "conv2d",
    "cross_entropy",
    "divide",
    "dropout",
    "exp",
    "getitem",
    "global_avg_pool",
    "im2col",
    "linear",
    "log",
    "log_softmax",
    "matmul",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "mse_loss",
    "multiply",
    "negative",
    "pad",
    "pad_shortcut",
    "power",
    "relu",
    "reshape",
    "scale_gradient",
    "scaled_add",
    "sigmoid",
    "softmax",
    "sqrt",
    "subtract",
    "sum",
    "tanh",
    "transpose",
    "var",
    "where",
]

add = lifted(ops.add)
scaled_add = lifted(ops.scaled_add)
subtract = lifted(ops.subtract)
multiply = lifted(ops.multiply)
divide = lifted(ops.divide)
power = lifted(ops.power)
matmul = lifted(ops.matmul)
maximum = lifted(ops.maximum)
where = lifted(ops.where)

negative = lifted(ops.negative)
exp = lifted(ops.exp)
log = lifted(ops.log)
sqrt = lifted(ops.sqrt)
tanh = lifted(ops.tanh)
sigmoid = lifted(ops.sigmoid)
relu = lifted(ops.relu)
scale_gradient = lifted(ops.scale_gradient)

sum = lifted(ops.sum)
mean = lifted(ops.mean)
max = lifted(ops.max)
var = lifted(ops.var)

reshape = lifted(ops.reshape)
transpose = lifted(ops.transpose)
getitem = Tensor.__getitem__
pad = lifted(ops.pad)
pad_shortcut = lifted(ops.pad_shortcut)
broadcast_to = lifted(ops.broadcast_to)

linear = lifted(ops.linear)
im2col = lifted(ops.im2col)
col2im = lifted(ops.col2im)
conv2d = lifted(ops.conv2d)
max_pool2d = lifted(ops.max_pool2d)
avg_pool2d = lifted(ops.avg_pool2d)
global_avg_pool = lifted(ops.global_avg_pool)
batch_norm = lifted(ops.batch_norm)
batch_norm_frozen = lifted(ops.batch_norm_frozen)
dropout = lifted(ops.dropout)

softmax = lifted(ops.softmax)
log_softmax = lifted(ops.log_softmax)
cross_entropy = lifted(ops.cross_entropy, ints=(1,))
mse_loss = lifted(ops.mse_loss)


def concatenate(tensors: Iterable[Any], axis: int = 0) -> Tensor:
    """ops.concatenate of a list of tensors."""
    return apply(ops.concatenate, *tensors, axis=axis)


for _function in (
    exp,
    log,
    sqrt,
    tanh,
    sigmoid,
    relu,
    scale_gradient,
    sum,
    mean,
    max,
    var,
    softmax,
    log_softmax,
):
    setattr(Tensor, _function.__name__, _function)
Tensor.reshape = lambda x, *shape: reshape(x, shape[0] if len(shape) == 1 else shape)
Tensor.transpose = lambda x, *axes: transpose(x, axes or None)
