"""Exercise 06c: what goes wrong with average pooling."""

from minires.backend import xp
from minires.ops.windows import output_size, overlap_add, pad_images, views, window


class _Pool:
    """The window of an average pooling, which sums and goes backward; the divisor of either can be wrong."""

    def __init__(self, x, kernel, stride, padding):
        self.shape = x.shape
        self.kernel, self.stride, self.padding = window(
            kernel, kernel if stride is None else stride, padding
        )
        self.output = output_size(x.shape[1:3], self.kernel, self.stride, self.padding)
        self.places = self.kernel[0] * self.kernel[1]

    def summed(self, x):
        """Return the sum of the pixels under each window."""
        return sum(
            view
            for view in views(pad_images(x, self.padding), self.kernel, self.stride, self.output)
        )

    def back(self, g):
        """Return the gradient in which each position gets its window's g."""
        sizes = self.shape, self.kernel, self.stride, self.padding
        return overlap_add([g] * self.places, *sizes, g.dtype)


def x_kept(x, *, kernel, stride=None, padding=0):
    """backward names x, or something as large, and so keeps it: the shape is enough"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.summed(x) / pool.places, lambda g: (pool.back(g / pool.places).reshape(x.shape),)


def summed(x, *, kernel, stride=None, padding=0):
    """the sums are not divided by KH * KW: the result should be their mean"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.summed(x), lambda g: (pool.back(g),)


def gradient_not_divided(x, *, kernel, stride=None, padding=0):
    """each pixel gets the whole gradient: it changes the mean by only one part in KH * KW"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.summed(x) / pool.places, lambda g: (pool.back(g),)


def divided_by_one_side(x, *, kernel, stride=None, padding=0):
    """the sum is divided by the height of the window: it is over KH * KW numbers"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.summed(x) / pool.kernel[0], lambda g: (pool.back(g / pool.kernel[0]),)


def padding_not_counted(x, *, kernel, stride=None, padding=0):
    """only the pixels of the image are counted: here the padding counts too, as zeros, so each window has KH * KW numbers"""
    pool = _Pool(x, kernel, stride, padding)
    counts = pool.summed(xp.ones_like(x))
    return pool.summed(x) / counts, lambda g: (pool.back(g / counts),)


def overlaps_assigned(x, *, kernel, stride=None, padding=0):
    """the shares are assigned position by position: a pixel that several windows see keeps only one of them, but needs the sum"""
    pool = _Pool(x, kernel, stride, padding)
    (ph, pw), (n, h, w, c) = pool.padding, x.shape

    def backward(g):
        image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), dtype=g.dtype)
        for view in views(image, pool.kernel, pool.stride, pool.output):
            view[...] = g / pool.places
        return (image[:, ph : ph + h, pw : pw + w],)

    return pool.summed(x) / pool.places, backward


def last_window_wins(x, *, kernel, stride=None, padding=0):
    """a pixel that several windows see gets only what the last of them sends: it should get the sum"""
    pool = _Pool(x, kernel, stride, padding)
    (kh, kw), (sh, sw), (ph, pw), (n, h, w, c) = pool.kernel, pool.stride, pool.padding, x.shape

    def backward(g):
        image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), dtype=g.dtype)
        for i, j in xp.ndindex(*pool.output):
            image[:, i * sh : i * sh + kh, j * sw : j * sw + kw] = (
                g[:, i, j][:, None, None] / pool.places
            )
        return (image[:, ph : ph + h, pw : pw + w],)

    return pool.summed(x) / pool.places, backward


def averaged_back(x, *, kernel, stride=None, padding=0):
    """the shares that a pixel gets from several windows are averaged: they should be summed"""
    pool = _Pool(x, kernel, stride, padding)

    def backward(g):
        return (pool.back(g / pool.places) / xp.maximum(pool.back(xp.ones_like(g)), 1),)

    return pool.summed(x) / pool.places, backward


def stride_of_one(x, *, kernel, stride=None, padding=0):
    """without `stride` the window moves by one pixel: it should move by its own size"""
    pool = _Pool(x, kernel, 1 if stride is None else stride, padding)
    return pool.summed(x) / pool.places, lambda g: (pool.back(g / pool.places),)


def upstream_ignored(x, *, kernel, stride=None, padding=0):
    """g is left out: each pixel gets 1 / (KH * KW)"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.summed(x) / pool.places, lambda g: (pool.back(xp.ones_like(g) / pool.places),)


def to_the_largest(x, *, kernel, stride=None, padding=0):
    """the whole gradient goes to one pixel of the window, as in max pooling: every pixel changed the mean"""
    pool = _Pool(x, kernel, stride, padding)
    seen = views(pad_images(x, pool.padding, -xp.inf), pool.kernel, pool.stride, pool.output)
    first = xp.stack(list(seen)).argmax(axis=0).astype("uint8")

    def backward(g):
        parts = (g * (first == k) for k in range(pool.places))
        return (overlap_add(parts, pool.shape, pool.kernel, pool.stride, pool.padding, g.dtype),)

    return pool.summed(x) / pool.places, backward
