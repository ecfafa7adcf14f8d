"""Max pooling."""

from minires.backend import xp
from minires.backend.kernels.start import c_float, c_type, each


def largest(x, kernel, stride, padding, output):
    """ops.pool.largest."""
    (n, h, w, c), kind = x.shape, c_float(x, halves=True)
    if kind is None:
        return NotImplemented
    y = xp.empty((n, *output, c), dtype=x.dtype)
    place = xp.empty(y.shape, dtype=xp.uint8 if kernel[0] * kernel[1] <= 256 else xp.int32)
    each("pool.cu", f"max_pool<{kind}, {c_type(place)}>", y.size, xp.ascontiguousarray(x), y, place,
         h, w, c, *output, *kernel, *stride, *padding)  # fmt: skip
    return y, place


def to_largest(g, place, shape, kernel, stride, padding, output):
    """ops.pool.to_largest."""
    (n, h, w, c), kind = shape, c_float(g, halves=True)
    if kind is None:
        return NotImplemented
    g_x = xp.empty(shape, dtype=g.dtype)
    each("pool.cu", f"max_pool_backward<{kind}, {c_type(place)}>", g_x.size, xp.ascontiguousarray(g), place, g_x,
         h, w, c, *output, *kernel, *stride, *padding)  # fmt: skip
    return g_x
