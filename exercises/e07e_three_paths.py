"""Exercise 07e, chapter 07, 20 minutes: a bug hunt in the three paths. Check: pytest exercises/test_e07e_three_paths.py"""

from minires.backend import xp
from minires.ops.norm import channel_stats


def batch_norm(x, gamma, beta, *, eps=1e-5, stats=None):
    """x_hat * gamma + beta, where x_hat = (x - mean) / sqrt(var + eps) has the batch's mean and (biased) variance.

    x  (N, C) or (N, H, W, C)    gamma, beta  (C,)    stats  channel_stats(x), if already computed

    mean and var depend on x, even if they come as `stats`: three paths lead from the result back to x.
    Source  Ioffe and Szegedy 2015, section 3, with terms collected.

    Here each path is computed separately: g_var is the gradient of the variance, g_mean that of the mean, and g_x adds
    them up. One line is wrong, and a test on vectors (N, C) wouldn't notice. Find the line and fix it. float32 in,
    float32 out. Chapter 07.
    """
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
