"""Exercise 06d: what goes wrong with the mean of each channel."""

from minires.backend import xp


def _pooled(x, y, share):
    """Return the op whose backward broadcasts share(g)  (N, C) over the image."""
    n, _, _, c = shape = x.shape
    return y, lambda g: (xp.broadcast_to(share(g).reshape(n, 1, 1, c), shape),)


def x_kept(x):
    """backward names x, or something as large, and so keeps it: the shape is enough"""
    return _pooled(x, x.mean(axis=(1, 2)), lambda g: g / (x.shape[1] * x.shape[2]))


def summed(x):
    """the result is not divided by H * W: it is a sum, not a mean"""
    return _pooled(x, x.sum(axis=(1, 2)), lambda g: g)


def gradient_not_divided(x):
    """each pixel gets the whole gradient: it changes the mean by only one part in H * W"""
    return _pooled(x, x.mean(axis=(1, 2)), lambda g: g)


def gradient_divided_by_one_side(x):
    """the gradient is divided by H: a mean of H * W numbers changes by one part in H * W"""
    h = x.shape[1]
    return _pooled(x, x.mean(axis=(1, 2)), lambda g: g / h)


def gradient_divided_by_the_batch(x):
    """the gradient is divided by N too: the mean is not over the images"""
    count = x[..., 0].size
    return _pooled(x, x.mean(axis=(1, 2)), lambda g: g / count)


def axes_kept(x):
    """H and W stay as axes of size 1: the result should be (N, C), as a linear layer needs it"""
    y, count, shape = x.mean(axis=(1, 2), keepdims=True), x.shape[1] * x.shape[2], x.shape
    return y, lambda g: (xp.broadcast_to(g / count, shape),)


def channels_first(x):
    """the means are taken over the last two axes, as for images (N, C, H, W): here the channels come last"""
    y, count, shape = x.mean(axis=(2, 3)), x.shape[2] * x.shape[3], x.shape
    return y, lambda g: (xp.broadcast_to((g / count)[:, :, None, None], shape),)


def over_the_batch(x):
    """the mean runs over the images too: each image has its own"""
    y, count = xp.repeat(x.mean(axis=(0, 1, 2))[None], len(x), axis=0), x[..., 0].size
    return _pooled(x, y, lambda g: xp.repeat(g.sum(axis=0)[None], len(g), axis=0) / count)


def largest(x):
    """the maximum of each channel is taken, as in max pooling"""
    n, h, w, c = x.shape
    first = x.reshape(n, h * w, c).argmax(axis=1)

    def backward(g):
        is_first = xp.arange(h * w)[:, None] == first[:, None]
        return ((g[:, None] * is_first).reshape(n, h, w, c),)

    return x.max(axis=(1, 2)), backward


def not_stretched(x):
    """the gradient has one number per channel: each pixel must get it"""
    n, h, w, c = x.shape
    return x.mean(axis=(1, 2)), lambda g: (g.reshape(n, 1, 1, c) / (h * w),)
