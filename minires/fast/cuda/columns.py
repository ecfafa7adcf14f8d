"""im2col and col2im as kernels. They replace ops.im2col and ops.col2im."""

from minires.backend import xp
from minires.fast.cuda.start import c_float, each, run_length
from minires.ops.conv import col2im, im2col
from minires.ops.forms import faster
from minires.ops.windows import image_shape, output_size, window


@faster("im2col", on="cupy", covers=("overlap_add",))
def im2col_kernel(x, *, kernel, stride=1, padding=0):
    """Run one thread per run of channels of the columns. Saves  a shape."""
    (kh, kw), _, _ = kernel, stride, padding = window(kernel, stride, padding)
    n, h, w, c = shape = image_shape(x, "im2col")
    oh, ow = output_size((h, w), kernel, stride, padding)
    kind, run = c_float(x, halves=True), run_length(c, x.dtype)
    if kind is None:
        return NotImplemented
    columns = xp.empty((n * oh * ow, kh * kw * c), dtype=x.dtype)
    each("columns.cu", f"im2col<{kind}, {run}>", columns.size // (kh * kw * run), xp.ascontiguousarray(x), columns,
         h, w, c // run, oh, ow, kh, kw, *stride, *padding)  # fmt: skip

    def backward(g):
        g_x, _ = col2im(g, shape=shape, kernel=kernel, stride=stride, padding=padding)
        return (g_x,)

    return columns, backward


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
    each("columns.cu", f"col2im<{kind}, {run}>", image.size // run, xp.ascontiguousarray(columns), image,
         h, w, c // run, oh, ow, kh, kw, *stride, *padding)  # fmt: skip

    def backward(g):
        g_columns, _ = im2col(g, kernel=kernel, stride=stride, padding=padding)
        return (g_columns,)

    return image, backward
