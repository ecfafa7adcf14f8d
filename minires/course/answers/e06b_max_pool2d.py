"""Exercise 06b: what goes wrong with max pooling."""

from minires.backend import xp
from minires.ops.windows import output_size, overlap_add, pad_images, views, window


class _Pool:
    """A max pooling whose parts can be wrong: the value of the padding, and the part of the gradient that each kernel position gets."""

    def __init__(self, x, kernel, stride, padding, frame=None):
        self.x = x
        (self.kernel, self.stride, self.padding) = window(
            kernel, kernel if stride is None else stride, padding
        )
        self.output = output_size(x.shape[1:3], self.kernel, self.stride, self.padding)
        self.framed = pad_images(x, self.padding, -xp.inf if frame is None else frame)
        self.views = list(views(self.framed, self.kernel, self.stride, self.output))
        stack = xp.stack(self.views)
        self.y, self.first = stack.max(axis=0), stack.argmax(axis=0)
        self.equal = stack == self.y

    def back(self, share):
        """Return backward, for share(k, g): the part of kernel position k."""
        sizes = self.x.shape, self.kernel, self.stride, self.padding
        return lambda g: (
            overlap_add((share(k, g) for k in range(len(self.views))), *sizes, g.dtype),
        )

    def right(self):
        """Run the backward pass that is right if nothing else is wrong."""
        return self.back(lambda k, g: g * (self.first == k))


def all_ties(x, *, kernel, stride=None, padding=0):
    """all pixels that tie for the maximum get the whole gradient: only the first of them should"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.y, pool.back(lambda k, g: g * pool.equal[k])


def ties_share(x, *, kernel, stride=None, padding=0):
    """pixels that tie for the maximum share the gradient: here the first of them gets all of it, as in PyTorch"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.y, pool.back(
        lambda k, g: g * pool.equal[k] / pool.equal.sum(axis=0).astype(g.dtype)
    )


def last_of_ties(x, *, kernel, stride=None, padding=0):
    """the last of the pixels that tie for the maximum gets the gradient instead of the first"""
    pool = _Pool(x, kernel, stride, padding)
    last = len(pool.views) - 1 - pool.equal[::-1].argmax(axis=0)
    return pool.y, pool.back(lambda k, g: g * (last == k))


def zeros_around(x, *, kernel, stride=None, padding=0):
    """the padding is zeros, which win where all pixels are negative: it should be -inf"""
    pool = _Pool(x, kernel, stride, padding, frame=0)
    return pool.y, pool.right()


def overlaps_assigned(x, *, kernel, stride=None, padding=0):
    """the gradients are assigned position by position: a pixel that is the maximum of several windows should get the sum of theirs"""
    pool = _Pool(x, kernel, stride, padding)
    (ph, pw), (_, h, w, _) = pool.padding, x.shape

    def backward(g):
        image = xp.zeros(pool.framed.shape, dtype=g.dtype)
        for k, view in enumerate(views(image, pool.kernel, pool.stride, pool.output)):
            view[pool.first == k] = g[pool.first == k]
        return (image[:, ph : ph + h, pw : pw + w],)

    return pool.y, backward


def last_window_wins(x, *, kernel, stride=None, padding=0):
    """a pixel that is the maximum of several windows gets only the last one's gradient: it should get the sum"""
    pool = _Pool(x, kernel, stride, padding)
    (ph, pw), (sh, sw), (_, h, w, _) = pool.padding, pool.stride, x.shape

    def backward(g):
        image = xp.zeros(pool.framed.shape, dtype=g.dtype)
        for n, i, j, c in xp.ndindex(g.shape):
            u, v = divmod(int(pool.first[n, i, j, c]), pool.kernel[1])
            image[n, i * sh + u, j * sw + v, c] = g[n, i, j, c]
        return (image[:, ph : ph + h, pw : pw + w],)

    return pool.y, backward


def stride_of_one(x, *, kernel, stride=None, padding=0):
    """without `stride` the window moves by one pixel: it should move by its own size"""
    pool = _Pool(x, kernel, 1 if stride is None else stride, padding)
    return pool.y, pool.right()


def upstream_ignored(x, *, kernel, stride=None, padding=0):
    """g is left out: each maximum gets 1"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.y, pool.back(lambda k, g: (pool.first == k).astype(g.dtype))


def averaged(x, *, kernel, stride=None, padding=0):
    """the gradient is spread over the whole window: that is average pooling"""
    pool = _Pool(x, kernel, stride, padding)
    return pool.y, pool.back(lambda k, g: g / len(pool.views))
