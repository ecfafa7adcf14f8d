"""Exercise 07b, chapter 07, 45 minutes: batch norm and its three paths. Check: pytest exercises/test_e07b_batch_norm.py"""

from minires.backend import xp
from minires.ops.norm import channel_stats


def batch_norm(x, gamma, beta, *, eps=1e-5, stats=None):
    """x_hat * gamma + beta, where x_hat = (x - mean) / sqrt(var + eps) has the batch's mean and (biased) variance.

    x  (N, C) or (N, H, W, C)    gamma, beta  (C,)    stats  channel_stats(x), if already computed

    mean and var depend on x, even if they come as `stats`: three paths lead from the result back to x.
    Source  Ioffe and Szegedy 2015, section 3, with terms collected.

    Return (result, backward); backward(g) returns (g_x, g_gamma, g_beta). If `stats` is given, it is (mean,
    var): use it instead of computing them. One value per channel has no useful variance: raise a ValueError, with
    `stats` or without. A channel may be constant, and gamma may contain zeros. float32 in, float32 out.
    To derive: x affects x_hat directly, through the mean, and through the variance. What does each path add to
    g_x? Chapter 07.
    """
    raise NotImplementedError("exercise 07b: write batch_norm")
