"""Matrix multiplication: matmul, and the linear layer."""

import math

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from minires.ops.forms import op
from minires.ops.reduce import total


@op
def matmul(a, b):
    """a @ b: matrices in the last two axes, broadcast over the axes before. A vector is a row on the left, a column on the right.

    Saves  a and b.
    Raises  ValueError: a number, inner sizes that differ, or leading shapes that do not broadcast.
    """
    shapes = [getattr(array, "shape", ()) for array in (a, b)]
    if () in shapes or shapes[0][-1] != shapes[1][-2 if len(shapes[1]) > 1 else 0]:
        raise ValueError(
            f"matmul: expected the last size of the left to equal the second-to-last of the right, got {shapes[0]} and {shapes[1]}"
        )
    left = a[None, :] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    a_shape, b_shape = a.shape, b.shape

    def backward(g):
        g = g[..., None] if len(b_shape) == 1 else g
        g = g[..., None, :] if len(a_shape) == 1 else g
        g_left = g @ right.swapaxes(-1, -2)
        g_right = left.swapaxes(-1, -2) @ g
        return unbroadcast(g_left, left.shape).reshape(a_shape), unbroadcast(
            g_right, right.shape
        ).reshape(b_shape)

    return xp.matmul(a, b), backward


@op
def linear(x, weight, bias=None):
    """x @ weight + bias.

    x  (..., I)    weight  (I, O)    bias  (O,)    result  (..., O)

    Saves  x and weight.
    Raises  ValueError: sizes that do not match.
    """
    i, o = check_features(x, weight, bias)
    n, has_bias = math.prod(x.shape[:-1]), bias is not None
    y = x.reshape(n, i) @ weight + bias if has_bias else x.reshape(n, i) @ weight

    def backward(g):
        rows, g = x.reshape(n, i), g.reshape(n, o)
        g_x = (g @ weight.T).reshape(x.shape)
        return g_x, rows.T @ g, total(g, axis=0) if has_bias else None

    return y.reshape(*x.shape[:-1], o), backward


def check_features(x, weight, bias):
    """Return (I, O), if the shapes of a linear layer's operands match.

    Raises  ValueError: they don't.
    """
    if weight.ndim != 2:
        raise ValueError(f"linear: expected a weight of shape (I, O), got {weight.shape}")
    i, o = weight.shape
    if x.ndim == 0 or x.shape[-1] != i:
        raise ValueError(f"linear: expected an x with {i} features, as in weight, got {x.shape}")
    if bias is not None and bias.shape != (o,):
        raise ValueError(f"linear: expected a bias of shape ({o},), got {bias.shape}")
    return i, o
