"""The maths: each op is a function from arrays to (result, backward), in its plain form.

`backward(g)` takes the gradient of the loss with respect to the result, of the result's shape, and returns a tuple with one
gradient per operand, of that operand's shape (None for an operand without a gradient, such as a mask). Ops need no
graph and keep no state: they never write to their inputs or to `g`, and they save only what `backward` names.

Faster forms of them are registered by minires.fast and run instead; see minires.ops.forms.
"""

from collections.abc import Callable

from minires.backend import Array
from minires.ops.conv import col2im, conv2d, im2col
from minires.ops.elementwise import (
    add,
    divide,
    exp,
    log,
    maximum,
    multiply,
    negative,
    power,
    relu,
    scale_gradient,
    scaled_add,
    sigmoid,
    sqrt,
    subtract,
    tanh,
    where,
)
from minires.ops.forms import faster, has_forms, in_use, op, plain, standing_in, without
from minires.ops.linear import linear, matmul
from minires.ops.loss import cross_entropy, log_softmax, mse_loss, softmax
from minires.ops.norm import batch_norm, batch_norm_frozen, channel_stats, dropout
from minires.ops.pool import avg_pool2d, global_avg_pool, max_pool2d
from minires.ops.reduce import max, mean, sum, var
from minires.ops.shape import (
    broadcast_to,
    concatenate,
    getitem,
    pad,
    pad_shortcut,
    reshape,
    transpose,
)

__all__ = [
    "Backward",
    "Op",
    "add",
    "avg_pool2d",
    "batch_norm",
    "batch_norm_frozen",
    "broadcast_to",
    "channel_stats",
    "col2im",
    "concatenate",
    "conv2d",
    "cross_entropy",
    "divide",
    "dropout",
    "exp",
    "faster",
    "getitem",
    "global_avg_pool",
    "has_forms",
    "im2col",
    "in_use",
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
    "op",
    "pad",
    "pad_shortcut",
    "plain",
    "power",
    "relu",
    "reshape",
    "scale_gradient",
    "scaled_add",
    "sigmoid",
    "softmax",
    "sqrt",
    "standing_in",
    "subtract",
    "sum",
    "tanh",
    "transpose",
    "var",
    "where",
    "without",
]

Backward = Callable[[Array], tuple]  # the gradient of the result -> one for each operand, or None
Op = Callable[..., tuple[Array, Backward]]
