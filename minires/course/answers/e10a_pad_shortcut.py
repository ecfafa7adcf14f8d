"""Exercise 10a: what goes wrong with option A."""

from minires.backend import xp


def _op(x, channels, stride, *, pixels=None, before=None, fill=None, back=None):
    """Return (result, backward), with other pixels(x), zero channels before, fill(pixels), or back(g, x's shape, inside), if given."""
    shape, c = x.shape, x.shape[-1]
    before = (channels - c) // 2 if before is None else before
    inside = slice(before, before + c)
    pixels = pixels(x) if pixels else x[:, ::stride, ::stride]
    y = xp.zeros((*pixels.shape[:-1], channels), dtype=x.dtype)
    if fill:
        y[...] = fill(pixels)
    y[..., inside] = pixels

    def backward(g):
        if back:
            return (back(g, shape, inside),)
        g_x = xp.zeros(shape, dtype=g.dtype)
        g_x[:, ::stride, ::stride] = g[..., inside]
        return (g_x,)

    return y, backward


def _windows(x, stride):
    """Return the mean of each window of stride x stride pixels; those at the edge may be smaller."""
    _, h, w, _ = x.shape
    rows = [x[:, i : i + stride].mean(axis=1) for i in range(0, h, stride)]
    x = xp.stack(rows, axis=1)
    return xp.stack([x[:, :, j : j + stride].mean(axis=2) for j in range(0, w, stride)], axis=2)


def _spread(g, shape, stride):
    """Repeat each pixel of g over its window."""
    return g.repeat(stride, axis=1).repeat(stride, axis=2)[:, : shape[1], : shape[2]]


def pooled(x, *, channels, stride=1):
    """the pixels of each window are averaged: option A takes one of them and skips the others"""
    return _op(
        x,
        channels,
        stride,
        pixels=lambda x: _windows(x, stride).astype(x.dtype),
        back=lambda g, shape, inside: _spread(g[..., inside], shape, stride) / stride**2,
    )


def first_pixels(x, *, channels, stride=1):
    """the first rows and columns are taken, in the right number: it should be every stride-th one"""
    _, h, w, _ = x.shape
    oh, ow = -(-h // stride), -(-w // stride)

    def back(g, shape, inside):
        g_x = xp.zeros(shape, dtype=g.dtype)
        g_x[:, :oh, :ow] = g[..., inside]
        return g_x

    return _op(x, channels, stride, pixels=lambda x: x[:, :oh, :ow], back=back)


def centres(x, *, channels, stride=1):
    """counting starts in the middle of a window: the first pixel that is taken is pixel 0"""
    start = stride // 2

    def back(g, shape, inside):
        g_x = xp.zeros(shape, dtype=g.dtype)
        g_x[:, start::stride, start::stride] = g[..., inside]
        return g_x

    return _op(x, channels, stride, pixels=lambda x: x[:, start::stride, start::stride], back=back)


def whole_windows(x, *, channels, stride=1):
    """a last row or column is lost if the size is not a multiple of the stride: sizes are rounded up, as those of a 3x3 convolution with padding 1 are"""
    _, h, w, _ = x.shape
    high, wide = h // stride * stride, w // stride * stride

    def back(g, shape, inside):
        g_x = xp.zeros(shape, dtype=g.dtype)
        g_x[:, :high:stride, :wide:stride] = g[..., inside]
        return g_x

    return _op(x, channels, stride, pixels=lambda x: x[:, :high:stride, :wide:stride], back=back)


def zeros_after(x, *, channels, stride=1):
    """all zero channels come after those of x: half of them should come before"""
    return _op(x, channels, stride, before=0)


def zeros_before(x, *, channels, stride=1):
    """all zero channels come before those of x: half of them should come after"""
    return _op(x, channels, stride, before=channels - x.shape[-1])


def more_before(x, *, channels, stride=1):
    """an odd number of zero channels is rounded the other way: the larger half comes after"""
    return _op(x, channels, stride, before=-((x.shape[-1] - channels) // 2))


def repeated(x, *, channels, stride=1):
    """the new channels repeat those of x: they should be 0"""
    c = x.shape[-1]
    before = (channels - c) // 2
    which = [(i - before) % c for i in range(channels)]
    return _op(x, channels, stride, fill=lambda pixels: pixels[..., which])


def skipped_pixels_too(x, *, channels, stride=1):
    """backward gives the skipped pixels a gradient: nothing depends on them, so theirs is 0"""
    return _op(
        x,
        channels,
        stride,
        back=lambda g, shape, inside: xp.ascontiguousarray(_spread(g[..., inside], shape, stride)),
    )


def first_channels_back(x, *, channels, stride=1):
    """backward takes the first C channels of g: those of x come after the zeros"""
    return _op(x, channels, stride, back=lambda g, shape, inside: _scattered(g[..., : shape[-1]], shape, stride))  # fmt: skip


def _scattered(g, shape, stride):
    """Put g where the pixels came from."""
    g_x = xp.zeros(shape, dtype=g.dtype)
    g_x[:, ::stride, ::stride] = g
    return g_x


def not_scattered(x, *, channels, stride=1):
    """backward returns a gradient for the pixels that were taken only: it should have the shape of x"""
    return _op(x, channels, stride, back=lambda g, shape, inside: g[..., inside].copy())
