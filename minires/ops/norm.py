"""Batch normalisation, with the batch's own statistics and with frozen ones; and dropout.

x is (N, C) or (N, H, W, C): statistics run over all axes but the last.
"""

from minires.backend import has_kernel, in_parts, is_float, widened, xp
from minires.ops.rows import Rows


def channel_stats(x):
    """(mean, var) of each channel, var divided by the number of values.

    x  (N, ..., C)    mean, var  (C,)

    Part by part: the variance of all is that within the parts and that between their means. In a part in two passes, the
    second of which mends the first: deviations from a rounded mean have a mean of their own. So a mean of 1000 deviations
    costs no accuracy. Source  Chan, Golub and LeVeque 1983, eq. 1.7.

    Raises  ValueError: there is no value, or a single axis. TypeError: x is not of floating-point numbers.
    """
    check_floats("channel_stats", x)
    if x.ndim < 2:
        raise ValueError(f"channel_stats: x has shape {x.shape}, wanted (N, ..., C)")
    if not x.size:
        raise ValueError(f"channel_stats: x of shape {x.shape} has no values")
    return moments(x)


@has_kernel
def moments(x):
    """channel_stats of an x that was checked; of half types in float32."""
    wide = widened(x)
    rows, found = Rows(wide), {}

    def part_stats(part):
        values = rows.of(wide, part)
        m = values.size // rows.c
        rounded = rows.sum(values) / m
        distance = xp.subtract(values, rows.wide(rounded), out=rows.scratch("distance", part))
        rest = rows.sum(distance) / m
        squares = rows.sum(distance, distance) - m * rest * rest
        found[part.start] = m, rounded, rest, xp.maximum(squares, 0)

    in_parts(part_stats, len(wide), rows.size(2))
    counts, rounded, rests, squares = zip(*(found[start] for start in sorted(found)))
    shares, base = [m / sum(counts) for m in counts], rounded[0]
    offsets = [(r - base) + rest for r, rest in zip(rounded, rests)]  # of the parts' means; small, so exact
    offset = sum(share * o for share, o in zip(shares, offsets))
    between = sum(share * (o - offset) ** 2 for share, o in zip(shares, offsets))
    return base + offset, sum(squares) / sum(counts) + between


def batch_norm(x, gamma, beta, *, eps=1e-5, stats=None):
    """x_hat * gamma + beta, where x_hat = (x - mean) / sqrt(var + eps) has the batch's mean and (biased) variance.

    x  (N, C) or (N, H, W, C)    gamma, beta  (C,)    stats  channel_stats(x), where they are known already

    mean and var move with x, so three paths lead back to it. With m values a channel and sums over them,
    g_x = gamma / sqrt(var + eps) * (g - sum(g) / m - x_hat * sum(g * x_hat) / m).
    Source  Ioffe and Szegedy 2015, section 3, gathered.

    Keeps  x_hat, gamma and 1 / sqrt(var + eps).
    Raises  ValueError: gamma or beta of another size than the channels, or fewer than two values a channel.
    """
    axes = check_channels("batch_norm", x, gamma=gamma, beta=beta)
    m = check_values("batch_norm", x)
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
    axes = check_channels("batch_norm_frozen", x, gamma=gamma, beta=beta, mean=mean, var=var)
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


def check_channels(op, x, **vectors):
    """All axes but the last.

    Raises  ValueError: x is no (N, C) or (N, H, W, C), or a vector is not (C,).
    """
    if x.ndim < 2:
        raise ValueError(f"{op}: x has shape {x.shape}, wanted (N, C) or (N, H, W, C)")
    for name, vector in vectors.items():
        if vector.shape != x.shape[-1:]:
            raise ValueError(f"{op}: {name} has shape {vector.shape}, x has {x.shape[-1]} channels")
    return tuple(range(x.ndim - 1))


def check_floats(op, x):
    """Raises  TypeError: x is of other numbers."""
    if not is_float(x.dtype):
        raise TypeError(f"{op}: x is {x.dtype}, wanted floating-point numbers: x.astype('float32')")


def check_values(op, x):
    """How many values a channel has.

    Raises  ValueError: fewer than two.
    """
    m = x.size // x.shape[-1]
    if m < 2:
        raise ValueError(f"{op}: x of shape {x.shape} has {m} value{'s' * (m != 1)} a channel: a variance needs two or more")
    return m
