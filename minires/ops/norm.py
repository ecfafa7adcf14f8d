"""Batch normalisation, with the batch's own statistics and with frozen ones; and dropout.

x is (N, C) or (N, H, W, C): statistics run over all axes but the last.
"""

from minires.backend import xp


def channel_stats(x):
    """(mean, var) of each channel, var divided by the number of values.

    x  (..., C)    mean, var  (C,)

    In two passes, the second of which mends the first: deviations from a rounded mean have a mean of their own. So a
    mean of 1000 deviations costs no accuracy. Source  Chan, Golub and LeVeque 1983, eq. 1.7.

    Raises  ValueError: there is no value.
    """
    if not x.size:
        raise ValueError(f"channel_stats: x of shape {x.shape} has no values")
    rows = x.reshape(-1, x.shape[-1])
    rounded = rows.mean(axis=0)
    distance = rows - rounded
    rest = distance.mean(axis=0)
    return rounded + rest, (distance * distance).mean(axis=0) - rest * rest


def batch_norm(x, gamma, beta, *, eps=1e-5, stats=None):
    """x_hat * gamma + beta, where x_hat = (x - mean) / sqrt(var + eps) has the batch's mean and (biased) variance.

    x  (N, C) or (N, H, W, C)    gamma, beta  (C,)    stats  channel_stats(x), where they are known already

    mean and var move with x, so three paths lead back to it. With m values a channel and sums over them,
    g_x = gamma / sqrt(var + eps) * (g - sum(g) / m - x_hat * sum(g * x_hat) / m).
    Source  Ioffe and Szegedy 2015, section 3, gathered.

    Keeps  x_hat, gamma and 1 / sqrt(var + eps).
    Raises  ValueError: gamma or beta of another size than the channels, or fewer than two values a channel.
    """
    axes = _check_shapes("batch_norm", x, gamma, beta)
    c = x.shape[-1]
    m = x.size // c
    if m < 2:
        raise ValueError(f"batch_norm: x of shape {x.shape} has {m} value{'s' * (m != 1)} a channel: a variance needs two or more")
    mean, var = channel_stats(x) if stats is None else stats
    scale = 1 / xp.sqrt(var + eps)
    x_hat = (x - mean) * scale

    def backward(g):
        g_beta = g.sum(axis=axes)
        g_gamma = (g * x_hat).sum(axis=axes)
        g_x = gamma * scale * (g - g_beta / m - x_hat * (g_gamma / m))
        return g_x, g_gamma, g_beta

    return x_hat * gamma + beta, backward


def batch_norm_frozen(x, gamma, beta, *, mean, var, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * gamma + beta, where mean and var (C,) are constants.

    x  (N, C) or (N, H, W, C)    gamma, beta  (C,)

    Keeps  (x - mean) / sqrt(var + eps), gamma and 1 / sqrt(var + eps).
    Raises  ValueError: gamma, beta, mean or var of another size than the channels.
    """
    axes = _check_shapes("batch_norm_frozen", x, gamma, beta, mean, var)
    scale = 1 / xp.sqrt(var + eps)
    x_hat = (x - mean) * scale

    def backward(g):
        return g * (gamma * scale), (g * x_hat).sum(axis=axes), g.sum(axis=axes)

    return x_hat * gamma + beta, backward


def dropout(x, keep, *, p):
    """x where `keep` (an array of bools) is true, divided by 1 - p so that the mean stays; 0 elsewhere.

    Keeps  keep.
    Raises  ValueError: p outside 0 <= p < 1, or a mask of another shape than x. TypeError: a mask that is not of bools.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p is {p}, wanted 0 <= p < 1")
    if keep.dtype != bool:
        raise TypeError(f"dropout: the mask is {keep.dtype}, not bools")
    if keep.shape != x.shape:
        raise ValueError(f"dropout: the mask has shape {keep.shape}, x has {x.shape}")

    def backward(g):
        return g * keep / (1 - p), None

    return x * keep / (1 - p), backward


def _check_shapes(op, x, *vectors):
    """All axes but the last."""
    if x.ndim < 2:
        raise ValueError(f"{op}: x has shape {x.shape}, wanted (N, C) or (N, H, W, C)")
    for name, vector in zip(("gamma", "beta", "mean", "var"), vectors):
        if vector.shape != x.shape[-1:]:
            raise ValueError(f"{op}: {name} has shape {vector.shape}, x has {x.shape[-1]} channels")
    return tuple(range(x.ndim - 1))
