"""Convolution on a GPU: im2col and col2im as kernels, and columns for the whole batch. They replace ops.im2col, ops.col2im
and ops.conv2d.
"""

from minires.backend import result_dtype, upcast, xp
from minires.fast.conv import COVERS, NEEDED, summed
from minires.fast.cuda.device import fits, may_keep
from minires.fast.cuda.start import WIDE, c_float, dense, each, run_length
from minires.fast.products import product
from minires.ops.conv import check_shapes, col2im, im2col
from minires.ops.forms import faster
from minires.ops.reduce import total
from minires.ops.windows import image_shape, output_size, window


@faster("im2col", on="cupy", covers=("overlap_add",))
def im2col_kernel(x, *, kernel, stride=1, padding=0):
    """Run one thread per run of channels of the columns. Saves  a shape."""
    kernel, stride, padding = window(kernel, stride, padding)
    _, h, w, _ = shape = image_shape(x, "im2col")
    output = output_size((h, w), kernel, stride, padding)
    if c_float(x, halves=True) is None:
        return NotImplemented

    def backward(g):
        g_x, _ = col2im(g, shape=shape, kernel=kernel, stride=stride, padding=padding)
        return (g_x,)

    return _columns(x, kernel, stride, padding, output), backward


def _columns(x, kernel, stride, padding, output, length=0):
    """Return im2col of x; each row is followed by zeros up to `length` numbers, if it is given."""
    (n, h, w, c), (kh, kw), run = x.shape, kernel, run_length(x.shape[-1], x.dtype)
    values = kh * kw * c
    new = xp.zeros if length > values else xp.empty
    columns = new((n * output[0] * output[1], max(length, values)), dtype=x.dtype)
    each("columns.cu", f"im2col<{c_float(x, halves=True)}, {run}>", len(columns) * (c // run), *dense(x), columns,
         h, w, c // run, columns.shape[1] // run, *output, kh, kw, *stride, *padding)  # fmt: skip
    return columns


@faster("col2im", on="cupy", covers=("overlap_add",))
def col2im_kernel(columns, *, shape, kernel, stride=1, padding=0):
    """Run one thread per run of channels of the image, which adds up the entries of the windows over it. Saves  nothing."""
    (kh, kw), _, _ = kernel, stride, padding = window(kernel, stride, padding)
    n, h, w, c = shape
    oh, ow = output_size((h, w), kernel, stride, padding)
    kind, run = c_float(columns, halves=True), run_length(c, columns.dtype)
    if kind is None or columns.shape != (n * oh * ow, kh * kw * c):  # the plain form raises
        return NotImplemented
    image = xp.empty(shape, dtype=columns.dtype)
    each("columns.cu", f"col2im<{kind}, {run}>", image.size // run, *dense(columns), image,
         h, w, c // run, oh, ow, kh, kw, *stride, *padding)  # fmt: skip

    def backward(g):
        g_columns, _ = im2col(g, kernel=kernel, stride=stride, padding=padding)
        return (g_columns,)

    return image, backward


@faster("conv2d", on="cupy", covers=COVERS)
def columns_at_once(x, weight, bias=None, *, stride=1, padding=0, needs_input_grad=NEEDED):
    """columns @ weight for the whole batch, if its columns fit an eighth of the memory. A 1x1 kernel needs none.

    Rows of columns are filled up with zeros to a multiple of 16 bytes, as products on tensor cores read that many at once.
    Saves  x and weight; or the columns instead of x, while most of the memory is free. That is 9 times as much for a 3x3 kernel,
    and saves making them again, which takes as long as reading them: a GPU waits for its memory. A processor's cache is faster.
    """
    n, h, w, c = shape = check_shapes(x, weight, bias)
    kh, kw, _, f = weight.shape
    kernel, stride, padding = window((kh, kw), stride, padding)
    output = oh, ow = output_size((h, w), kernel, stride, padding)
    values, wide = kh * kw * c, WIDE // x.itemsize
    length = -(-values // wide) * wide
    nbytes = n * oh * ow * length * x.itemsize
    alone = kernel == (1, 1) and padding == (0, 0)
    if alone or c_float(x, weight, halves=True) is None or not fits(nbytes):
        return NotImplemented
    geometry = kernel, stride, padding, output
    filled = weight.reshape(values, f)
    if length > values:
        filled = xp.zeros((length, f), dtype=weight.dtype)
        filled[:values] = weight.reshape(values, f)
    columns = _columns(x, *geometry, length)
    y = product(columns, filled, xp.empty((n * oh * ow, f), dtype=result_dtype(x, weight, bias)))
    if bias is not None:
        y += bias
    has_bias = bias is not None
    kept = (columns,) if may_keep(nbytes) else ()
    seen = None if kept else x

    def backward(g):
        g, g_x = g.reshape(n * oh * ow, f), None
        columns = kept[0] if kept else _columns(seen, *geometry, length)
        g_weight = summed(columns.T, g)[:values].reshape(weight.shape)
        if needs_input_grad[0]:
            g_columns = product(g, weight.reshape(values, f).T)
            g_x, _ = col2im(g_columns, shape=shape, kernel=kernel, stride=stride, padding=padding)
        return g_x, g_weight, total(upcast(g), axis=0) if has_bias else None

    return y.reshape(n, oh, ow, f), backward
