"""Exercise 10b: the projection of option B as a matrix multiplication, and what goes wrong with it."""

from minires.backend import xp
from minires.course import chunks
from minires.nn import BatchNorm, Conv2d, Sequential
from minires.tensor import apply


def projection(x, weight, *, stride=1):
    """A 1x1 convolution: y[n, i, j, f] = sum over c of x[n, stride i, stride j, c] * weight[0, 0, c, f].

    x  (N, H, W, C)    weight  (1, 1, C, F)    result  (N, OH, OW, F)    OH = H / stride, rounded up; OW likewise
    """
    shape, (c, f) = x.shape, weight.shape[2:]
    pixels = x[:, ::stride, ::stride]
    matrix, rows = weight.reshape(c, f), pixels.size // c

    def backward(g):
        g_x = xp.zeros(shape, dtype=x.dtype)
        g_x[:, ::stride, ::stride] = g @ matrix.T
        g_weight = pixels.reshape(rows, c).T @ g.reshape(rows, f)
        return g_x, g_weight.reshape(weight.shape)

    return pixels @ matrix, backward


def in_engine(projection):
    """Return the library's projection, a module, with this op in it."""

    op = chunks.cut("projection", projection)

    class Projection(Conv2d):
        def forward(self, x):
            return apply(op, x, self.weight, stride=self.stride[0])

    def made(in_channels, out_channels, stride, *, norm=True, rng=None):
        layer = Projection(in_channels, out_channels, 1, stride=stride, bias=False, rng=rng)
        return Sequential(layer, BatchNorm(out_channels)) if norm else Sequential(layer)

    return made


def _op(x, weight, stride, *, rows=None, columns=None, pixels=None, matrix=None, g_x=None, g_weight=None, turned=None):  # fmt: skip
    """Return (result, backward) of a projection of x[:, rows, columns], whose parts can be wrong.

    pixels  taken instead    matrix  instead of weight[0, 0]    turned  instead of its transpose
    g_x(gradient of the pixels), g_weight(that of the weight)  instead of what backward returns
    """
    every, (c, f) = slice(None, None, stride), weight.shape[2:]
    rows, columns = rows or every, columns or every
    pixels = x[:, rows, columns] if pixels is None else pixels
    matrix = weight.reshape(c, f) if matrix is None else matrix
    turned = matrix.T if turned is None else turned

    def scattered(g_pixels):
        found = xp.zeros(x.shape, dtype=x.dtype)
        found[:, rows, columns] = g_pixels
        return found

    def backward(g):
        sums = (pixels.reshape(-1, c).T @ g.reshape(-1, f)).reshape(weight.shape)
        return (g_x or scattered)(g @ turned), g_weight(sums, g) if g_weight else sums

    return pixels @ matrix, backward


def _spread(g, shape, stride):
    """Repeat each pixel of g over its window."""
    wide = g.repeat(stride, axis=1).repeat(stride, axis=2)
    return xp.ascontiguousarray(wide[:, : shape[1], : shape[2]])


def first_pixels(x, weight, *, stride=1):
    """the first rows and columns are taken, in the right number: it should be every stride-th one"""
    rows, columns = (slice(-(-size // stride)) for size in x.shape[1:3])
    return _op(x, weight, stride, rows=rows, columns=columns)


def whole_windows(x, weight, *, stride=1):
    """a last row or column is lost if the size is not a multiple of the stride: sizes are rounded up"""
    rows, columns = (slice(None, size // stride * stride, stride) for size in x.shape[1:3])
    return _op(x, weight, stride, rows=rows, columns=columns)


def averaged(x, weight, *, stride=1):
    """the pixels of each window are averaged before they are projected: a 1x1 convolution with a stride skips all but one of them"""
    _, h, w, _ = x.shape
    rows = xp.stack([x[:, i : i + stride].mean(axis=1) for i in range(0, h, stride)], axis=1)
    pixels = xp.stack(
        [rows[:, :, j : j + stride].mean(axis=2) for j in range(0, w, stride)], axis=2
    )
    return _op(
        x, weight, stride, pixels=pixels, g_x=lambda g: _spread(g, x.shape, stride) / stride**2
    )


def weight_misread(x, weight, *, stride=1):
    """the matrix is read as (F, C) and transposed: the weight is stored as (1, 1, C, F), so weight[0, 0] is the matrix"""
    c, f = weight.shape[2:]
    matrix = weight.reshape(f, c).T
    y, backward = _op(x, weight, stride, matrix=matrix)

    def turned(g):
        g_x, g_weight = backward(g)
        return g_x, xp.ascontiguousarray(g_weight.reshape(c, f).T).reshape(weight.shape)

    return y, turned


def matrix_not_transposed(x, weight, *, stride=1):
    """the gradient of x is g times the matrix with its numbers in their order: it should be the transposed matrix"""
    c, f = weight.shape[2:]
    return _op(x, weight, stride, turned=weight.reshape(f, c))


def not_scattered(x, weight, *, stride=1):
    """backward returns a gradient for the pixels that were taken only: it should have the shape of x"""
    return _op(x, weight, stride, g_x=lambda g: g)


def skipped_pixels_too(x, weight, *, stride=1):
    """backward gives the skipped pixels a gradient: nothing depends on them, so theirs is 0"""
    return _op(x, weight, stride, g_x=lambda g: _spread(g, x.shape, stride))


def weight_averaged(x, weight, *, stride=1):
    """the gradient of the weight is a mean over the pixels: each of them used the weight, so it needs their sum"""
    return _op(x, weight, stride, g_weight=lambda sums, g: sums / (g.size // g.shape[-1]))


def weight_by_the_batch(x, weight, *, stride=1):
    """the gradient of the weight is divided by the number of images: that is the loss's business"""
    return _op(x, weight, stride, g_weight=lambda sums, g: sums / len(g))


def weight_from_the_first_pixels(x, weight, *, stride=1):
    """the gradient of the weight comes from the first rows and columns of x: it should come from the pixels that were taken"""

    def g_weight(sums, g):
        _, oh, ow, f = g.shape
        first = x[:, :oh, :ow].reshape(-1, x.shape[-1])
        return (first.T @ g.reshape(-1, f)).reshape(weight.shape)

    return _op(x, weight, stride, g_weight=g_weight)


def weight_flat(x, weight, *, stride=1):
    """the gradient of the weight is a matrix (C, F): it should have the weight's shape, (1, 1, C, F)"""
    return _op(x, weight, stride, g_weight=lambda sums, g: sums[0, 0])
