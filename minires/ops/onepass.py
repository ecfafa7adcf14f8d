"""Batch norm, the residual add and ReLU in one pass over memory each way, where a network has them in a row.

The same numbers as ops.batch_norm, ops.add and ops.relu one after the other, but for rounding. Those go over each image a dozen
times, and from one to the next it has left the cache; here a part of the batch goes through all of them while it is there.
"""

from minires.backend import has_kernel, in_parts, is_half, widened, xp
from minires.ops.arithmetic import common_type
from minires.ops.norm import channel_stats, check_channels, check_floats, check_values
from minires.ops.rows import Rows


def norm_add_relu(x, gamma, beta, add=None, *, eps=1e-5, stats=None, moving=True, relu=True):
    """max(x_hat * gamma + beta + add, 0), where x_hat = (x - mean) / sqrt(var + eps).

    x, add  (N, C) or (N, H, W, C)    gamma, beta  (C,)    stats  (mean, var), each (C,); without them the batch's own
    moving  whether mean and var move with x, as batch_norm's; or are constants, as batch_norm_frozen's
    relu  without it no maximum is taken

    Keeps  x, with relu the result (which the next op keeps anyway), and numbers for each channel.
    Raises  ValueError: gamma, beta or add of another size, or fewer than two values a channel where they are to move.
            TypeError: x is not of floating-point numbers.
    """
    check_floats("norm_add_relu", x)
    mean, var = stats if stats is not None else channel_stats(x)
    check_channels("norm_add_relu", x, gamma=gamma, beta=beta, mean=mean, var=var)
    if add is not None and add.shape != x.shape:
        raise ValueError(f"norm_add_relu: add has shape {add.shape}, x has {x.shape}")
    if moving:
        check_values("batch_norm", x)  # it is this part that refuses
    y = norm_forward(x, gamma, beta, add, mean, var, eps, relu)
    above, adds = y if relu else None, add is not None  # backward needs to know that, and not `add`

    def backward(g):
        return norm_backward(g, above, x, gamma, mean, var, eps, moving, adds)

    return y, backward


@has_kernel
def norm_forward(x, gamma, beta, add, mean, var, eps, relu):
    """y. Of half types it is computed in float32, and rounded once."""
    if is_half(x.dtype):
        wide = norm_forward(widened(x), gamma, beta, None if add is None else widened(add), mean, var, eps, relu)
        return wide.astype(x.dtype)
    rows = Rows(x)
    center, slope, offset = rows.wide(mean), rows.wide(gamma / xp.sqrt(var + eps)), rows.wide(beta)
    nought = xp.zeros_like(center)  # NumPy's maximum is twice as fast with an array as with a number
    y = xp.empty(x.shape, dtype=common_type(x, gamma, add))

    def forward(part):
        out = rows.of(y, part)
        xp.subtract(rows.of(x, part), center, out=out)
        out *= slope
        out += offset
        if add is not None:
            out += rows.of(add, part)
        if relu:
            xp.maximum(out, nought, out=out)

    in_parts(forward, len(x), rows.size(3))
    return y


@has_kernel
def norm_backward(g, above, x, gamma, mean, var, eps, moving, adds):
    """(g_x, g_gamma, g_beta, and what comes through the maximum: the gradient of `add`). g ends where `above`, y, is 0."""
    if is_half(x.dtype):
        wide_above = None if above is None else widened(above)
        wide, *sums, wide_sum = norm_backward(widened(g), wide_above, widened(x), gamma, mean, var, eps, moving, adds)
        return wide.astype(x.dtype), *sums, None if wide_sum is None else wide_sum.astype(x.dtype)
    m, scale = x.size // x.shape[-1], 1 / xp.sqrt(var + eps)
    rows = Rows(x)
    center, slope = rows.wide(mean), rows.wide(gamma * scale)
    g_sum = g if above is None else xp.empty(x.shape, dtype=g.dtype)

    def sums(part):
        g_part, distance = rows.of(g_sum, part), rows.scratch("distance", part)
        if above is not None:
            xp.multiply(rows.of(g, part), rows.of(above, part) > 0, out=g_part)
        xp.subtract(rows.of(x, part), center, out=distance)
        return rows.sum(g_part), rows.sum(g_part, distance)

    g_beta, g_gamma = in_parts(sums, len(x), rows.size(4))
    g_gamma = g_gamma * scale
    g_x = g_sum if above is not None and not adds else xp.empty(x.shape, dtype=g.dtype)
    if moving:
        push, pull = rows.wide(gamma * scale * g_beta / m), rows.wide(gamma * scale * scale * g_gamma / m)

    def part_backward(part):
        out = rows.of(g_x, part)
        xp.multiply(rows.of(g_sum, part), slope, out=out)
        if moving:
            out -= push
            distance = rows.scratch("distance", part)
            xp.subtract(rows.of(x, part), center, out=distance)
            distance *= pull
            out -= distance

    in_parts(part_backward, len(x), rows.size(4))
    return g_x, g_gamma, g_beta, g_sum if adds else None


def add_relu(x, add=None, *, relu=True):
    """max(x + add, 0): what is left of norm_add_relu where batch norm was folded into the convolution before it.

    x, add  arrays of one shape (N, ...)

    Keeps  with relu the result.
    Raises  ValueError: two shapes.
    """
    if add is not None and add.shape != x.shape:
        raise ValueError(f"add_relu: add has shape {add.shape}, x has {x.shape}")
    y = xp.empty(x.shape, dtype=common_type(x, add))

    def forward(part):
        out = y[part]
        if add is None:
            out[...] = x[part]
        else:
            xp.add(x[part], add[part], out=out)
        if relu:
            xp.maximum(out, 0, out=out)

    in_parts(forward, len(x), 3 * x.nbytes // max(len(x), 1))
    above, adds = y if relu else None, add is not None

    def backward(g):
        g_x = g if above is None else g * (above > 0)
        return g_x, g_x if adds else None

    return y, backward
