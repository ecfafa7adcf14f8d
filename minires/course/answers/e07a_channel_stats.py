"""Exercise 07a: what goes wrong with the statistics of channels."""

from minires.backend import xp


def _axes(x):
    return tuple(range(x.ndim - 1))


def one_pass(x):
    """the variance is mean(x^2) - mean^2: two large numbers that agree in most of their digits, so that these are lost"""
    mean = x.mean(axis=_axes(x))
    return mean, (x * x).mean(axis=_axes(x)) - mean * mean


def over_the_batch_only(x):
    """the statistics are over the images and not over their pixels: each pixel gets its own"""
    return x.mean(axis=0), x.var(axis=0)


def over_everything(x):
    """the statistics are over the channels too: all channels get the same"""
    return x.mean(), x.var()


def of_each_image(x):
    """the statistics are over the pixels of each image and not over the batch: that is instance normalisation"""
    axes = tuple(range(1, x.ndim - 1))
    return x.mean(axis=axes), x.var(axis=axes)


def unbiased(x):
    """the variance is divided by the number of values minus one: normalisation uses the biased one"""
    m = x.size // x.shape[-1]
    mean = x.mean(axis=_axes(x))
    return mean, ((x - mean) ** 2).sum(axis=_axes(x)) / (m - 1)


def deviation(x):
    """the root is taken: that is the standard deviation, and not the variance"""
    return x.mean(axis=_axes(x)), x.std(axis=_axes(x))


def around_0(x):
    """the mean is not subtracted before the squares are taken"""
    return x.mean(axis=_axes(x)), xp.square(x).mean(axis=_axes(x))


def divided_by_the_batch(x):
    """the sums are divided by the number of images: there are N * H * W values per channel"""
    mean = x.sum(axis=_axes(x)) / len(x)
    return mean, ((x - mean) ** 2).sum(axis=_axes(x)) / len(x)
