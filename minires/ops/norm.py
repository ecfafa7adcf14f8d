"""Batch normalisation, with the batch's own statistics and with frozen ones; and dropout.

x is (N, C) or (N, H, W, C): statistics are taken over all axes except the last.
"""

from minires.backend import xp
from minires.ops.forms import op
from minires.ops.reduce import total


@op
def channel_stats(x):
    """Return (mean, var) of each channel; var is divided by the number of values. Not differentiated: batch_norm does that.

    x  (N, ..., C)    mean, var  (C,)

    Raises  ValueError: x has no values, or a single axis. TypeError: x is not of floats.
    """
    axes, m = check_values("channel_stats", x, at_least=1)
    mean = total(x, axes, divisor=m)
    # A second pass: with a large mean, E[x^2] - E[x]^2 would lose most of its digits.
    deviation = x - mean
    return mean, total(deviation * deviation, axes, divisor=m)


@op
def batch_norm(x, gamma, beta, *, eps=1e-5, stats=None):
    """x_hat * gamma + beta, where x_hat = (x - mean) / sqrt(var + eps) has the batch's mean and (biased) variance.

    x  (N, C) or (N, H, W, C)    gamma, beta  (C,)    stats  channel_stats(x), if already computed

    mean and var depend on x, even if they come as `stats`: three paths lead from the result back to x.
    With m values per channel and sums over them,
    g_x = gamma / sqrt(var + eps) * (g - sum(g) / m - x_hat * sum(g * x_hat) / m).
    Source  Ioffe and Szegedy 2015, section 3, with terms collected.

    Saves  x_hat, gamma and 1 / sqrt(var + eps).
    Raises  ValueError: gamma, beta or stats that are not (C,), or fewer than two values per channel. TypeError: x is not of floats.
    """
    axes, m = check_values("batch_norm", x, at_least=2)
    mean, var = channel_stats(x) if stats is None else stats
    check_channels("batch_norm", x, gamma=gamma, beta=beta, mean=mean, var=var)
    scale = 1 / xp.sqrt(var + eps)
    x_hat = (x - mean) * scale

    def backward(g):
        g_beta = total(g, axes)
        g_gamma = total(g * x_hat, axes)
        g_x = gamma * scale * (g - g_beta / m - x_hat * (g_gamma / m))
        return g_x, g_gamma, g_beta

    return x_hat * gamma + beta, backward


@op
def batch_norm_frozen(x, gamma, beta, *, mean, var, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * gamma + beta, where mean and var (C,) are constants.

    x  (N, C) or (N, H, W, C)    gamma, beta  (C,)

    Saves  (x - mean) / sqrt(var + eps), gamma and 1 / sqrt(var + eps).
    Raises  ValueError: gamma, beta, mean or var that are not (C,). TypeError: x is not of floats.
    """
    axes, _ = check_values("batch_norm_frozen", x, at_least=0)
    check_channels("batch_norm_frozen", x, gamma=gamma, beta=beta, mean=mean, var=var)
    scale = 1 / xp.sqrt(var + eps)
    x_hat = (x - mean) * scale

    def backward(g):
        return g * (gamma * scale), total(g * x_hat, axes), total(g, axes)

    return x_hat * gamma + beta, backward


@op
def dropout(x, keep, *, p):
    """x / (1 - p) where `keep` (an array of bools) is true, so that the mean stays the same; 0 elsewhere.

    Saves  keep.
    Raises  ValueError: p outside 0 <= p < 1, or a mask whose shape is not x's. TypeError: a mask that is not of bools.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout: expected 0 <= p < 1, got {p}")
    if keep.dtype != bool:
        raise TypeError(f"dropout: expected a mask of bools, got {keep.dtype}")
    if keep.shape != x.shape:
        raise ValueError(f"dropout: expected a mask of x's shape, {x.shape}, got {keep.shape}")

    def backward(g):
        return g * keep / (1 - p), None

    return x * keep / (1 - p), backward


def check_channels(op, x, **vectors):
    """Check that each vector is (C,).

    Raises  ValueError: one is not.
    """
    for name, vector in vectors.items():
        if vector.shape != x.shape[-1:]:
            raise ValueError(f"{op}: expected a {name} of shape {x.shape[-1:]}, got {vector.shape}")


def check_values(op, x, *, at_least):
    """Return (all axes except the last, the number of values per channel), if there are enough for statistics.

    Raises  ValueError: x is not (N, C) or (N, H, W, C), or has fewer than `at_least` values per channel.
    TypeError: x is not of floats.
    """
    if x.dtype.kind != "f":
        raise TypeError(
            f"{op}: expected an x of floats, got {x.dtype}: x.astype('float32') converts it"
        )
    if x.ndim < 2:
        raise ValueError(f"{op}: expected an x of shape (N, C) or (N, H, W, C), got {x.shape}")
    m = x.size // max(x.shape[-1], 1)
    if m < at_least:
        more = "one or more" if at_least == 1 else "two or more"
        cure = "; leave out a last batch of one image (drop_last=True), or choose a different batch size"
        raise ValueError(
            f"{op}: expected {more} values per channel, as a variance needs, got {m} "
            f"in an x of shape {x.shape}{cure * (m == 1)}"
        )
    return tuple(range(x.ndim - 1)), m
