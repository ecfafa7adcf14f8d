"""Exercise 06e: a max pooling that records the address of each maximum, with a bug, and what else goes wrong with it."""

from minires.backend import xp
from minires.ops.windows import output_size, pad_images, views, window


def max_pool_by_address(x, *, kernel, stride=None, padding=0):
    """The maximum under each window, recorded by its address. On a tie, the first one, row by row, gets the gradient.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride`, windows are next to each other. The padding counts as -inf, and is at most half the kernel.

    Saves  one address per result.
    """
    kernel, stride, (ph, pw) = window(kernel, kernel if stride is None else stride, padding)
    _, h, w, _ = x.shape
    steps = output_size((h, w), kernel, stride, (ph, pw))
    image = pad_images(x, (ph, pw), -xp.inf)
    shape, dtype = image.shape, x.dtype
    addresses = xp.arange(image.size).reshape(shape)
    seen = xp.stack(list(views(image, kernel, stride, steps)))  # (KH*KW, N, OH, OW, C)
    seen_at = xp.stack(list(views(addresses, kernel, stride, steps)))
    first = seen.argmax(axis=0)
    winners = xp.take_along_axis(seen_at, first[None], axis=0)[0]  # (N, OH, OW, C)

    def backward(g):
        g_image = xp.zeros(shape, dtype=dtype)
        xp.add.at(g_image.ravel(), winners, g)
        return (g_image[:, ph : ph + h, pw : pw + w],)

    return xp.take(image, winners), backward


def hunted(x, *, kernel, stride=None, padding=0):
    """an address that occurs twice gets only one g, the last: that is what += on an index does, as in the original"""
    kernel, stride, (ph, pw) = window(kernel, kernel if stride is None else stride, padding)
    _, h, w, _ = x.shape
    steps = output_size((h, w), kernel, stride, (ph, pw))
    image = pad_images(x, (ph, pw), -xp.inf)
    shape, dtype = image.shape, x.dtype
    addresses = xp.arange(image.size).reshape(shape)
    seen = xp.stack(list(views(image, kernel, stride, steps)))  # (KH*KW, N, OH, OW, C)
    seen_at = xp.stack(list(views(addresses, kernel, stride, steps)))
    first = seen.argmax(axis=0)
    winners = xp.take_along_axis(seen_at, first[None], axis=0)[0]  # (N, OH, OW, C)

    def backward(g):
        g_image = xp.zeros(shape, dtype=dtype)
        g_image.ravel()[winners] += g
        return (g_image[:, ph : ph + h, pw : pw + w],)

    return xp.take(image, winners), backward


def _pooled(x, kernel, stride, padding, shares=None, fill=None, laid=xp.add.at):
    """Return a max pooling where each kernel position gets a part of g.

    shares  (K, N, OH, OW, C), from what the window sees; without it the first maximum gets all
    fill  the value of the padding, by default -inf    laid  (image, addresses, parts): adds parts to the flat image
    """
    kernel, stride, (ph, pw) = window(kernel, kernel if stride is None else stride, padding)
    _, h, w, _ = x.shape
    steps = output_size((h, w), kernel, stride, (ph, pw))
    image = pad_images(x, (ph, pw), -xp.inf if fill is None else fill)
    seen = xp.stack(list(views(image, kernel, stride, steps)))
    at = xp.stack(list(views(xp.arange(image.size).reshape(image.shape), kernel, stride, steps)))
    share = (shares or _first)(seen)

    def backward(g):
        g_image = xp.zeros(image.shape, dtype=g.dtype)
        laid(g_image.ravel(), at, (share * g).astype(g.dtype))
        return (g_image[:, ph : ph + h, pw : pw + w],)

    return seen.max(axis=0), backward


def _first(seen):
    return xp.arange(len(seen)).reshape(-1, 1, 1, 1, 1) == seen.argmax(axis=0)


def all_ties(x, *, kernel, stride=None, padding=0):
    """all pixels that tie for the maximum get the whole gradient: only the first should, as before"""
    return _pooled(x, kernel, stride, padding, lambda seen: seen == seen.max(axis=0))


def ties_share(x, *, kernel, stride=None, padding=0):
    """pixels that tie for the maximum share the gradient: the first of them should get all of it, as before"""

    def shares(seen):
        largest = seen == seen.max(axis=0)
        return largest / largest.sum(axis=0)

    return _pooled(x, kernel, stride, padding, shares)


def last_of_ties(x, *, kernel, stride=None, padding=0):
    """the last of the pixels that tie for the maximum gets the gradient: it should be the first, as before"""
    return _pooled(x, kernel, stride, padding, lambda seen: _first(seen[::-1])[::-1])


def averaged(x, *, kernel, stride=None, padding=0):
    """a pixel that wins several windows gets the mean of their gradients: it should get the sum"""

    def laid(image, at, parts):
        counts = xp.zeros_like(image)
        xp.add.at(image, at, parts)
        xp.add.at(counts, at, (parts != 0).astype(image.dtype))
        image /= xp.maximum(counts, 1)

    return _pooled(x, kernel, stride, padding, laid=laid)


def g_left_out(x, *, kernel, stride=None, padding=0):
    """the number of windows that a pixel wins is counted, and g is left out: it should be the sum of their g"""

    def laid(image, at, parts):
        xp.add.at(image, at, (parts != 0).astype(image.dtype))

    return _pooled(x, kernel, stride, padding, laid=laid)


def zeros_around(x, *, kernel, stride=None, padding=0):
    """the padding is zeros, which win where all pixels are negative: -inf was right"""
    return _pooled(x, kernel, stride, padding, fill=0)


def side_by_side(x, *, kernel, stride=None, padding=0):
    """windows never overlap, whatever the stride: that changes the result"""
    return _pooled(x, kernel, kernel, padding)
