"""Products of matrices: matmul, and the linear layer."""

import math

from minires.backend import in_parts, mixed, sum_type, widened, xp
from minires.backend import matmul as product
from minires.ops.arithmetic import common_type, unbroadcast


def matmul(a, b):
    """a @ b: matrices in the last two axes, broadcast over those before. A vector is a row on the left, a column on the right.

    Keeps  a and b.
    Raises  ValueError: a number, inner sizes that differ, or leading shapes that do not broadcast.
    """
    shapes = [getattr(array, "shape", ()) for array in (a, b)]
    if () in shapes or shapes[0][-1] != shapes[1][-2 if len(shapes[1]) > 1 else 0]:
        raise ValueError(
            f"matmul: shapes {shapes[0]} and {shapes[1]}: the last size of the left must be the last but one of the right"
        )
    left = a[None, :] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    a_shape, b_shape = a.shape, b.shape

    def backward(g):
        g = g[..., None] if len(b_shape) == 1 else g
        g = g[..., None, :] if len(a_shape) == 1 else g
        g_left = g @ right.swapaxes(-1, -2)
        g_right = left.swapaxes(-1, -2) @ g
        return unbroadcast(g_left, left.shape).reshape(a_shape), unbroadcast(g_right, right.shape).reshape(b_shape)

    return xp.matmul(a, b), backward


@mixed
def linear(x, weight, bias=None):
    """x @ weight + bias.

    x  (..., I)    weight  (I, O)    bias  (O,)    result  (..., O)
    Under backend.using_mixed the result, what is kept and the gradient of x are of the half type.

    Keeps  x and weight.
    Raises  ValueError: sizes that do not fit.
    """
    if weight.ndim != 2:
        raise ValueError(f"linear: weight has shape {weight.shape}, wanted (I, O)")
    i, o = weight.shape
    if x.ndim == 0 or x.shape[-1] != i:
        raise ValueError(f"linear: weight takes {i} features, x has shape {x.shape}")
    if bias is not None and bias.shape != (o,):
        raise ValueError(f"linear: bias has shape {bias.shape}, wanted ({o},)")
    n = math.prod(x.shape[:-1])
    rows, y = x.reshape(n, i), xp.empty((n, o), dtype=common_type(x, weight, bias))

    def forward(part):
        out = product(rows[part], weight, out=y[part])
        if bias is not None:
            out += bias

    plan = {"n": n, "size": (i + o) * y.dtype.itemsize, "shared": weight.nbytes}
    in_parts(forward, **plan)
    biased = bias is not None

    def backward(g):
        x_rows, g_rows = x.reshape(n, i), g.reshape(n, o)
        g_x = xp.empty(x_rows.shape, dtype=g.dtype)

        def part_backward(part):
            product(g_rows[part], weight.T, out=g_x[part])
            return product(x_rows[part].T, g_rows[part], out=xp.empty((i, o), dtype=sum_type(g.dtype)))

        g_weight = in_parts(part_backward, **plan)
        return g_x.reshape(x.shape), g_weight, widened(g_rows).sum(axis=0) if biased else None

    return y.reshape(*x.shape[:-1], o), backward
