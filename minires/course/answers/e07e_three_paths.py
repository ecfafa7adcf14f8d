"""Exercise 07e: batch norm path by path with a bug, and what else goes wrong with it."""

from minires.backend import xp
from minires.ops.norm import channel_stats


def hunted(x, gamma, beta, *, eps=1e-5, stats=None):
    """the line is unchanged from the original: m is the number of images, and each of them has H * W values per channel"""
    axes = tuple(range(x.ndim - 1))
    m = len(x)
    mean, var = channel_stats(x) if stats is None else stats
    scale = 1 / xp.sqrt(var + eps)
    distance = x - mean

    def backward(g):
        g_hat = g * gamma
        g_var = -0.5 * scale**3 * (g_hat * distance).sum(axis=axes)
        g_mean = -scale * g_hat.sum(axis=axes)
        g_x = scale * g_hat + g_var * 2 * distance / m + g_mean / m
        return g_x, (g * distance * scale).sum(axis=axes), g.sum(axis=axes)

    return distance * scale * gamma + beta, backward


def _norm(x, gamma, beta, eps, stats, *, m=None, power=3, half=0.5, mean_path=True, var_path=True):
    """Return the same with the right m, or with these parts."""
    axes, m = tuple(range(x.ndim - 1)), m or x.size // x.shape[-1]
    mean, var = channel_stats(x) if stats is None else stats
    scale, distance = 1 / xp.sqrt(var + eps), x - mean

    def backward(g):
        g_hat = g * gamma
        g_var = -half * scale**power * (g_hat * distance).sum(axis=axes)
        g_mean = -scale * g_hat.sum(axis=axes)
        g_x = scale * g_hat + var_path * g_var * 2 * distance / m + mean_path * g_mean / m
        return g_x, (g * distance * scale).sum(axis=axes), g.sum(axis=axes)

    return distance * scale * gamma + beta, backward


def every_number(x, gamma, beta, *, eps=1e-5, stats=None):
    """m counts the channels too: each channel has x.size / C values"""
    return _norm(x, gamma, beta, eps, stats, m=x.size)


def pixels_only(x, gamma, beta, *, eps=1e-5, stats=None):
    """m is the number of pixels of one image, and there are N of them"""
    return _norm(x, gamma, beta, eps, stats, m=x[0].size // x.shape[-1])


def rows_only(x, gamma, beta, *, eps=1e-5, stats=None):
    """m is the number of images times the height, and each row has W pixels"""
    return _norm(x, gamma, beta, eps, stats, m=x.shape[0] * (x.shape[1] if x.ndim == 4 else 1))


def less_one(x, gamma, beta, *, eps=1e-5, stats=None):
    """m is the number of values minus one: here the variance is the biased one"""
    return _norm(x, gamma, beta, eps, stats, m=x.size // x.shape[-1] - 1)


def mean_path_dropped(x, gamma, beta, *, eps=1e-5, stats=None):
    """the path through the mean is gone, which was right"""
    return _norm(x, gamma, beta, eps, stats, mean_path=False)


def variance_path_dropped(x, gamma, beta, *, eps=1e-5, stats=None):
    """the path through the variance is gone, which was right"""
    return _norm(x, gamma, beta, eps, stats, var_path=False)


def squared(x, gamma, beta, *, eps=1e-5, stats=None):
    """the power of the scale in g_var is 2: the derivative of var ** -0.5 is -0.5 * var ** -1.5, and that was right"""
    return _norm(x, gamma, beta, eps, stats, power=2)


def half_lost(x, gamma, beta, *, eps=1e-5, stats=None):
    """the 0.5 in g_var is gone: the derivative of var ** -0.5 is -0.5 * var ** -1.5, and that was right"""
    return _norm(x, gamma, beta, eps, stats, half=1.0)
