"""Half types: under autocast, convolutions and linear layers round their operands; every other op computes in float32.

These forms replace the plain ops, which know nothing about half types. A half array is upcast, the op runs in float32, and
its result and the gradients are rounded once. On a GPU some kernels read and write half types themselves.
"""

from contextlib import nullcontext

import numpy

from minires.backend import is_half, settings, upcast, using
from minires.ops.forms import EVERY_OP, FUNCTIONS, Form, faster

# Ops that never round: they take half types unchanged.
MOVES = set(
    "reshape transpose getitem concatenate pad pad_shortcut broadcast_to im2col where negative relu".split()
)
ROUNDED = ("conv2d", "linear")  # ops whose operands autocast rounds
# Ops whose results stay float32.
IN_FLOAT32 = {"global_avg_pool", "cross_entropy", "channel_stats", "scale_gradient"}


def autocasting(now):
    """Return True if autocast() is on. It is a choice of precision, so it works with plain forms, too."""
    return now.half is not None


def _rounds_operands(name):
    function = FUNCTIONS[name]

    @faster(name, when=autocasting)
    def autocast(*operands, needs_input_grad=None, **options):
        wide = [getattr(operand, "dtype", None) == numpy.float32 for operand in operands]
        if not any(wide):
            return NotImplemented
        rounded = [_to_half(operand) for operand in operands]
        options = {key: _to_half(value) for key, value in options.items()}
        return function.default(*rounded, needs_input_grad=needs_input_grad, **options)


for _name in ROUNDED:
    _rounds_operands(_name)


def _to_half(array):
    """Convert a float32 array to autocast's half type; return anything else unchanged."""
    return (
        array.astype(settings().half) if getattr(array, "dtype", None) == numpy.float32 else array
    )


def in_float32(function, *operands, needs_input_grad=None, **options):
    """Run an op on half arrays in float32."""
    for operand in operands:  # a loop, for speed: this runs before every op
        if getattr(operand, "itemsize", 0) == 2:
            break
    else:
        return NotImplemented
    halves = [hasattr(operand, "dtype") and is_half(operand.dtype) for operand in operands]
    if not any(halves) or function.name in MOVES:
        return NotImplemented
    wide = [upcast(operand) if half else operand for operand, half in zip(operands, halves)]
    # Otherwise autocast would round them again.
    no_autocast = using(half=None) if function.name in ROUNDED else nullcontext()
    with no_autocast:
        made = function.default(*wide, needs_input_grad=needs_input_grad, **options)
    if not callable(made[1]):  # channel_stats
        return made
    result, wide_backward = made
    types = [operand.dtype if half else None for operand, half in zip(operands, halves)]

    def backward(g):
        gradients = wide_backward(upcast(g))
        return tuple(
            gradient if dtype is None or gradient is None else gradient.astype(dtype)
            for gradient, dtype in zip(gradients, (*types, *[None] * len(gradients)))
        )

    narrow = next(dtype for dtype in types if dtype is not None)
    return (result if function.name in IN_FLOAT32 else result.astype(narrow)), backward


EVERY_OP.faster = (
    Form(in_float32, when=lambda now: now.half is not None or not now.plain, prunes=True),
)
