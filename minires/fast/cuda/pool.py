"""Max pooling as kernels. They replace ops.max_pool2d."""

from minires.backend import as_float, xp
from minires.fast.cuda.start import c_float, c_type, each
from minires.ops.forms import faster
from minires.ops.pool import pool_window
from minires.ops.windows import image_shape, output_size


@faster("max_pool2d", on="cupy", covers=("overlap_add",))
def max_pool2d_kernel(x, *, kernel, stride=None, padding=0):
    """Run one thread per result, and one per pixel in the backward pass. Saves  the position of each maximum."""
    n, h, w, c = shape = image_shape(x, "max_pool2d")
    kind = c_float(x, halves=True)
    if kind is None:
        return NotImplemented
    size, stride, padding = pool_window(as_float(x), kernel, stride, padding, "max_pool2d")
    output = output_size((h, w), size, stride, padding)
    y = xp.empty((n, *output, c), dtype=x.dtype)
    place = xp.empty(y.shape, dtype=xp.uint8 if size[0] * size[1] <= 256 else xp.int32)
    sizes = h, w, c, *output, *size, *stride, *padding
    each(
        "pool.cu",
        f"max_pool<{kind}, {c_type(place)}>",
        y.size,
        xp.ascontiguousarray(x),
        y,
        place,
        *sizes,
    )

    def backward(g):
        kind = c_float(g, halves=True)
        g_x = xp.empty(shape, dtype=g.dtype)
        each(
            "pool.cu",
            f"max_pool_backward<{kind}, {c_type(place)}>",
            g_x.size,
            xp.ascontiguousarray(g),
            place,
            g_x,
            *sizes,
        )
        return (g_x,)

    return y, backward
