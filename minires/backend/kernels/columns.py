"""im2col and col2im."""

from minires.backend import xp
from minires.backend.kernels.start import c_float, each, run_length


def make_columns(x, kernel, stride, padding, output):
    """ops.conv.make_columns."""
    (n, h, w, c), (oh, ow), (kh, kw) = x.shape, output, kernel
    kind, run = c_float(x, halves=True), run_length(c, x.dtype)
    if kind is None:
        return NotImplemented
    columns = xp.empty((n * oh * ow, kh * kw * c), dtype=x.dtype)
    each("columns.cu", f"im2col<{kind}, {run}>", columns.size // (kh * kw * run), xp.ascontiguousarray(x), columns,
         h, w, c // run, oh, ow, kh, kw, *stride, *padding)  # fmt: skip
    return columns


def add_columns(columns, shape, kernel, stride, padding, output):
    """ops.conv.add_columns."""
    (n, h, w, c), (oh, ow), (kh, kw) = shape, output, kernel
    kind, run = c_float(columns, halves=True), run_length(c, columns.dtype)
    if kind is None:
        return NotImplemented
    image = xp.empty(shape, dtype=columns.dtype)
    each("columns.cu", f"col2im<{kind}, {run}>", image.size // run, xp.ascontiguousarray(columns), image,
         h, w, c // run, oh, ow, kh, kw, *stride, *padding)  # fmt: skip
    return image
