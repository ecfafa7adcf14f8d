"""Exercise 05d: what goes wrong with col2im."""

from minires.backend import xp
from minires.ops.conv import im2col
from minires.ops.windows import output_size, views, window


def _laid(columns, shape, kernel, stride, padding, lay, *, crop=True, by=None):
    """Return col2im with lay(view, part) instead of the addition; by  how columns become (N, OH, OW, K, C)."""
    kernel, stride, (ph, pw) = window(kernel, stride, padding)
    n, h, w, c = shape
    output = output_size((h, w), kernel, stride, (ph, pw))
    image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), dtype=columns.dtype)
    places = kernel[0] * kernel[1]
    parts = by(columns, (n, *output, places, c)) if by else columns.reshape(n, *output, places, c)
    for k, view in enumerate(views(image, kernel, stride, output)):
        lay(view, parts[:, :, :, k])
    return image[:, ph : ph + h, pw : pw + w] if crop else image


def _back(kernel, stride, padding):
    return lambda g: (im2col(g, kernel=kernel, stride=stride, padding=padding)[0],)


def _add(view, part):
    view += part


def assigns(columns, *, shape, kernel, stride=1, padding=0):
    """the parts are assigned, and not added: a pixel that several windows see keeps only the last part"""

    def lay(view, part):
        view[...] = part

    return _laid(columns, shape, kernel, stride, padding, lay), _back(kernel, stride, padding)


def averaged(columns, *, shape, kernel, stride=1, padding=0):
    """the parts of a pixel are averaged: that is an inverse of im2col, but its adjoint is the sum"""
    total = _laid(columns, shape, kernel, stride, padding, _add)
    counts = _laid(xp.ones_like(columns), shape, kernel, stride, padding, _add)
    return total / xp.maximum(counts, 1), _back(kernel, stride, padding)


def not_cropped(columns, *, shape, kernel, stride=1, padding=0):
    """the padding is not cut off again"""
    return _laid(columns, shape, kernel, stride, padding, _add, crop=False), _back(
        kernel, stride, padding
    )


def wrong_end_cropped(columns, *, shape, kernel, stride=1, padding=0):
    """the padding is cut off at the bottom and the right only, so that the image is shifted"""
    image = _laid(columns, shape, kernel, stride, padding, _add, crop=False)
    return image[:, : shape[1], : shape[2]], _back(kernel, stride, padding)


def channels_first(columns, *, shape, kernel, stride=1, padding=0):
    """a row is read channel by channel (C, KH, KW): im2col writes it position by position (KH, KW, C)"""

    def by(columns, sizes):
        n, oh, ow, k, c = sizes
        return columns.reshape(n, oh, ow, c, k).swapaxes(3, 4)

    return _laid(columns, shape, kernel, stride, padding, _add, by=by), _back(
        kernel, stride, padding
    )


def flipped(columns, *, shape, kernel, stride=1, padding=0):
    """the kernel positions are read backwards"""

    def by(columns, sizes):
        return columns.reshape(sizes)[:, :, :, ::-1]

    return _laid(columns, shape, kernel, stride, padding, _add, by=by), _back(
        kernel, stride, padding
    )


def stride_forgotten(columns, *, shape, kernel, stride=1, padding=0):
    """the stride is left out: the parts are next to each other instead of `stride` apart"""
    kernel, steps, (ph, pw) = window(kernel, stride, padding)
    n, h, w, c = shape
    oh, ow = output_size((h, w), kernel, steps, (ph, pw))
    image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), dtype=columns.dtype)
    parts = columns.reshape(n, oh, ow, *kernel, c)
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            image[:, u : u + oh, v : v + ow] += parts[:, :, :, u, v]
    return image[:, ph : ph + h, pw : pw + w], _back(kernel, stride, padding)
