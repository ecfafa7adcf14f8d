"""Solutions of 10a."""

import numpy

from minires.backend import xp
from minires.ops import pad
from tests.course.kinds import right, wrong

SECOND, ZEROS, UP = (
    "test_every_second_pixel_is_taken",
    "test_zero_channels_come_before_and_after",
    "test_sizes_are_rounded_up",
)
CHANNELS_BACK, PIXELS_BACK = (
    "test_zero_channels_bring_no_gradient_back",
    "test_skipped_pixels_get_the_gradient_0",
)


def halves(channels, c):
    before = (channels - c) // 2
    return before, channels - c - before


def padded(pixels, before, after):
    """A copy of pixels between zero channels."""
    n, h, w, _ = pixels.shape
    left, right_ = (xp.zeros((n, h, w, k), dtype=pixels.dtype) for k in (before, after))
    return xp.concatenate([left, pixels, right_], axis=3)


def put(g, shape, rows, columns):
    g_x = xp.zeros(shape, dtype=g.dtype)
    g_x[:, rows, columns] = g
    return g_x


@right
def concatenated(x, *, channels, stride=1):
    before, after = halves(channels, x.shape[-1])
    every, shape = slice(None, None, stride), x.shape

    def backward(g):
        return (put(g[..., before : channels - after], shape, every, every),)

    return padded(x[:, every, every], before, after), backward


@right
def by_the_op_pad(x, *, channels, stride=1):
    rows, columns = (xp.arange(0, size, stride) for size in x.shape[1:3])
    seen = x[:, rows][:, :, columns]
    y, back = pad(seen, widths=((0, 0), (0, 0), (0, 0), halves(channels, x.shape[-1])))

    def backward(g):
        (g_seen,) = back(g)
        g_x = xp.zeros_like(x)
        g_x[:, rows[:, None], columns] = g_seen
        return (g_x,)

    return y, backward


@right
def pixel_by_pixel(x, *, channels, stride=1):
    n, h, w, c = x.shape
    start = (channels - c) // 2
    y = xp.zeros((n, len(range(0, h, stride)), len(range(0, w, stride)), channels), x.dtype)
    for i, row in enumerate(range(0, h, stride)):
        for j, column in enumerate(range(0, w, stride)):
            y[:, i, j, start : start + c] = x[:, row, column]

    def backward(g):
        g_x = xp.zeros(x.shape, g.dtype)
        for i, row in enumerate(range(0, h, stride)):
            for j, column in enumerate(range(0, w, stride)):
                g_x[:, row, column] = g[:, i, j, start : start + c]
        return (g_x,)

    return y, backward


def of(x, channels, stride, rows=None, columns=None, zeros=None, back=None, pixels=None):
    """An op of option A's kind, with other slices, zeros before and after, or another backward pass."""
    every, shape = slice(None, None, stride), x.shape
    rows, columns = rows or every, columns or every
    before, after = zeros or halves(channels, x.shape[-1])
    seen = x[:, rows, columns] if pixels is None else pixels

    def backward(g):
        g = g[..., before : before + shape[-1]] if back is None else back(g)
        return (put(g, shape, rows, columns),)

    return padded(seen, before, after), backward


@wrong(SECOND, mistake="pooled")
def by_average_pooling(x, *, channels, stride=1):
    n, h, w, c = x.shape
    seen = xp.zeros((n, -(-h // stride), -(-w // stride), c), dtype=x.dtype)
    for i in range(seen.shape[1]):
        for j in range(seen.shape[2]):
            window = x[:, i * stride : (i + 1) * stride, j * stride : (j + 1) * stride]
            seen[:, i, j] = window.mean(axis=1).mean(axis=1)
    y, _ = of(x, channels, stride, pixels=seen)
    before, _ = halves(channels, c)

    def backward(g):
        wide = xp.kron(g[..., before : before + c], xp.ones((1, stride, stride, 1), g.dtype))
        return ((wide[:, :h, :w] / (stride * stride)).astype(g.dtype),)

    return y, backward


@wrong(SECOND, mistake="first_pixels")
def a_corner(x, *, channels, stride=1):
    high, wide = ((size + stride - 1) // stride for size in x.shape[1:3])
    return of(x, channels, stride, rows=slice(high), columns=slice(wide))


@wrong(SECOND, mistake="centres")
def from_the_middle(x, *, channels, stride=1):
    middle = slice(stride // 2, None, stride)
    return of(x, channels, stride, rows=middle, columns=middle)


@wrong(UP, mistake="whole_windows")
def rounded_down(x, *, channels, stride=1):
    rows, columns = (slice(0, size - size % stride, stride) for size in x.shape[1:3])
    return of(x, channels, stride, rows=rows, columns=columns)


@wrong(ZEROS, mistake="zeros_after")
def behind(x, *, channels, stride=1):
    return of(x, channels, stride, zeros=(0, channels - x.shape[3]))


@wrong(ZEROS, mistake="zeros_before")
def in_front(x, *, channels, stride=1):
    return of(x, channels, stride, zeros=(channels - x.shape[3], 0))


@wrong(ZEROS, mistake="more_before")
def the_other_half(x, *, channels, stride=1):
    return of(x, channels, stride, zeros=halves(channels, x.shape[3])[::-1])


@wrong(ZEROS, mistake="repeated")
def tiled(x, *, channels, stride=1):
    c = x.shape[3]
    before, _ = halves(channels, c)
    wide = numpy.tile(x[:, ::stride, ::stride], 2 + channels // c * 2)
    start = -before % c
    y, backward = of(x, channels, stride)
    return wide[..., start : start + channels].copy(), backward


@wrong(PIXELS_BACK, mistake="skipped_pixels_too")
def upsampled(x, *, channels, stride=1):
    y, backward = of(x, channels, stride)
    before, _ = halves(channels, x.shape[3])

    def nearest(g):
        rows, columns = (numpy.arange(size) // stride for size in x.shape[1:3])
        return (g[:, rows][:, :, columns][..., before : before + x.shape[3]].copy(),)

    return y, nearest


@wrong(CHANNELS_BACK, mistake="first_channels_back")
def from_channel_0(x, *, channels, stride=1):
    return of(x, channels, stride, back=lambda g: g[..., : x.shape[3]])


@wrong(PIXELS_BACK, mistake="not_scattered")
def small_gradient(x, *, channels, stride=1):
    y, _ = of(x, channels, stride)
    before, after = halves(channels, x.shape[3])
    return y, lambda g: (g[:, :, :, before : channels - after] + 0,)


@wrong(PIXELS_BACK)
def repeated_over_rows(x, *, channels, stride=1):
    y, backward = of(x, channels, stride)

    def spread(g):
        (g_x,) = backward(g)
        return (g_x[:, numpy.arange(x.shape[1]) // stride * stride],)

    return y, spread


@wrong(SECOND)
def columns_only(x, *, channels, stride=1):
    return of(x, channels, stride, rows=slice(None))


@wrong("test_where_nothing_changes_a_copy_comes_out")
def x_itself(x, *, channels, stride=1):
    if stride == 1 and channels == x.shape[-1]:
        return x, lambda g: (g,)
    return of(x, channels, stride)


@wrong("test_where_nothing_changes_a_copy_comes_out")
def a_view_of_x(x, *, channels, stride=1):
    y, backward = of(x, channels, stride)
    return (x[:, ::stride, ::stride] if channels == x.shape[-1] else y), backward


@wrong(ZEROS)
def ones_for_zeros(x, *, channels, stride=1):
    y, backward = of(x, channels, stride)
    before, after = halves(channels, x.shape[3])
    y[..., :before] = 1
    return y, backward


@wrong(CHANNELS_BACK)
def zero_channels_folded_in(x, *, channels, stride=1):
    """Their gradients are added to those of x's own channels."""
    y, backward = of(x, channels, stride)
    c = x.shape[3]
    before, _ = halves(channels, c)

    def folded(g):
        own = g[..., before : before + c].copy()
        own[..., 0] += g[..., :before].sum(axis=-1)
        return (put(own, x.shape, slice(None, None, stride), slice(None, None, stride)),)

    return y, folded
