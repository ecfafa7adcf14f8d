"""Batch norm, the residual add and ReLU in one pass over memory each way.

norm_add_relu replaces ops.batch_norm, ops.add and ops.relu one after the other; blocks of networks that have them in a row call
it (minires.fast.blocks). Those ops read each image a dozen times, and each time it has left the cache; here, a chunk of the
batch goes through all of them while it is in the cache. The results are the same, except for rounding.
"""

from minires.backend import as_float, is_half, result_dtype, upcast, xp
from minires.fast.channels import ChannelRows, are_centred
from minires.fast.memory import empty
from minires.fast.parts import sum_over_chunks
from minires.ops.elementwise import add as plain_add
from minires.ops.elementwise import relu as plain_relu
from minires.ops.forms import faster, has_forms, op
from minires.ops.norm import (
    batch_norm,
    batch_norm_frozen,
    channel_stats,
    check_channels,
    check_values,
)


@op
def norm_add_relu(x, gamma, beta, add=None, *, eps=1e-5, stats=None, training=True, relu=True):
    """max(x_hat * gamma + beta + add, 0), where x_hat = (x - mean) / sqrt(var + eps).

    x, add  (N, C) or (N, H, W, C)    gamma, beta  (C,)    stats  (mean, var), each (C,) (default: the batch's own)
    training  True if mean and var depend on x, as in batch_norm; False if they are constants, as in batch_norm_frozen
    relu  False to take no maximum

    This is the definition: the ops one after the other.
    Raises  what they raise, and ValueError: an add whose shape is not x's.
    """
    _check_add(x, add)
    if training:
        y, norm_backward = batch_norm(x, gamma, beta, eps=eps, stats=stats)
    else:
        mean, var = channel_stats(x) if stats is None else stats
        y, norm_backward = batch_norm_frozen(x, gamma, beta, mean=mean, var=var, eps=eps)
    has_add = add is not None
    if has_add:
        y, _ = plain_add(y, add)
    y, relu_backward = plain_relu(y) if relu else (y, None)

    def backward(g):
        (g,) = relu_backward(g) if relu else (g,)
        return (*norm_backward(g), g if has_add else None)

    return y, backward


@faster("norm_add_relu")
def one_pass(x, gamma, beta, add=None, *, eps=1e-5, stats=None, training=True, relu=True):
    """norm_add_relu in one pass each way.

    Saves  x, with relu the result (which the next op saves anyway), and a few numbers per channel.
    """
    mean, var = _checked_stats(x, gamma, beta, add, stats, training)
    y = norm_forward(x, gamma, beta, add, mean, var, eps, relu)
    # Backward needs only this, not `add` itself.
    saved_y, has_add = y if relu else None, add is not None

    def backward(g):
        return norm_backward(g, saved_y, x, gamma, mean, var, eps, training, has_add)

    return y, backward


def _checked_stats(x, gamma, beta, add, stats, training):
    """Return (mean, var), if the shapes of all operands match."""
    name = "batch_norm" if training else "batch_norm_frozen"
    check_values(name, as_float(x), at_least=2 if training else 0)
    mean, var = stats if stats is not None else channel_stats(x)
    check_channels(name, x, gamma=gamma, beta=beta, mean=mean, var=var)
    _check_add(x, add)
    return (mean, var) if training else (mean.copy(), var.copy())  # running ones may change later


def _check_add(x, add):
    if add is not None and add.shape != x.shape:
        raise ValueError(f"norm_add_relu: expected an add of x's shape, {x.shape}, got {add.shape}")


@faster("batch_norm")
def norm_alone(x, gamma, beta, *, eps=1e-5, stats=None):
    """batch_norm in one pass each way. Saves  x and a few numbers per channel."""
    return _alone(x, gamma, beta, eps, stats, training=True)


@faster("batch_norm_frozen")
def frozen_norm_alone(x, gamma, beta, *, mean, var, eps=1e-5):
    """batch_norm_frozen in one pass each way. Saves  x and a few numbers per channel."""
    return _alone(x, gamma, beta, eps, (mean, var), training=False)


def _alone(x, gamma, beta, eps, stats, training):
    y, norm_backward = one_pass(x, gamma, beta, eps=eps, stats=stats, training=training, relu=False)

    def backward(g):
        return norm_backward(g)[:3]

    return y, backward


@has_forms
def norm_forward(x, gamma, beta, add, mean, var, eps, relu):
    """Return y, a chunk of the batch at a time. For half types it is computed in float32, and rounded once."""
    if is_half(x.dtype):
        wide = norm_forward(
            upcast(x), gamma, beta, None if add is None else upcast(add), mean, var, eps, relu
        )
        return wide.astype(x.dtype)
    y = empty(x.shape, result_dtype(x, gamma, add))
    if not x.shape[-1]:  # no channel
        return y
    rows, scale, centred = ChannelRows(x), gamma / xp.sqrt(var + eps), are_centred(mean, var)
    center, slope = rows.wide(mean), rows.wide(scale)
    offset = rows.wide(beta - mean * scale if centred else beta)
    # NumPy's maximum is twice as fast with an array as with a number.
    nought = xp.zeros_like(center)

    def forward(chunk):
        out = rows.of(y, chunk)
        if centred:
            xp.multiply(rows.of(x, chunk), slope, out=out)
        else:
            xp.subtract(rows.of(x, chunk), center, out=out)
            out *= slope
        out += offset
        if add is not None:
            out += rows.of(add, chunk)
        if relu:
            xp.maximum(out, nought, out=out)

    sum_over_chunks(forward, len(x), rows.size(3))
    return y


@has_forms
def norm_backward(g, y, x, gamma, mean, var, eps, training, has_add):
    """Return (g_x, g_gamma, g_beta, g_add). If y is given (there was a ReLU), g is 0 where y is 0.

    With m values per channel, x_hat = (x - mean) / sqrt(var + eps) and slope = gamma / sqrt(var + eps):
    g_x = slope * (g - sum(g) / m - x_hat * sum(g * x_hat) / m); without the last two terms if the statistics are constants.
    """
    if is_half(x.dtype):
        wide_y = None if y is None else upcast(y)
        wide, *sums, wide_add = norm_backward(
            upcast(g), wide_y, upcast(x), gamma, mean, var, eps, training, has_add
        )
        return wide.astype(x.dtype), *sums, None if wide_add is None else wide_add.astype(x.dtype)
    if not x.shape[-1]:  # no channel
        return g, gamma, gamma, g if has_add else None
    m, scale, rows = x.size // x.shape[-1], 1 / xp.sqrt(var + eps), ChannelRows(x)
    center, slope, centred = rows.wide(mean), rows.wide(gamma * scale), are_centred(mean, var)
    g_add = g if y is None else empty(x.shape, g.dtype)  # the gradient before the ReLU

    def sums(chunk):
        g_chunk, deviation = rows.of(g_add, chunk), rows.of(x, chunk)
        if y is not None:
            xp.multiply(rows.of(g, chunk), rows.of(y, chunk) > 0, out=g_chunk)
        if not centred:
            deviation = xp.subtract(deviation, center, out=rows.scratch("deviation", chunk))
        return rows.sum(g_chunk), rows.sum(g_chunk, deviation)

    g_beta, g_gamma = sum_over_chunks(sums, len(x), rows.size(4))
    g_gamma = (g_gamma - mean * g_beta if centred else g_gamma) * scale
    # With a ReLU alone, g_add belongs to this function, and g_x may reuse its memory.
    g_x = g_add if y is not None and not has_add else empty(x.shape, g.dtype)
    if training:
        mean_term, x_hat_term = gamma * scale * g_beta / m, gamma * scale * scale * g_gamma / m
        constant = rows.wide(mean_term - mean * x_hat_term if centred else mean_term)
        x_hat_term = rows.wide(x_hat_term)

    def chunk_backward(chunk):
        out = rows.of(g_x, chunk)
        xp.multiply(rows.of(g_add, chunk), slope, out=out)
        if training:
            out -= constant
            deviation, part = rows.of(x, chunk), rows.scratch("deviation", chunk)
            if not centred:
                deviation = xp.subtract(deviation, center, out=part)
            out -= xp.multiply(deviation, x_hat_term, out=part)

    sum_over_chunks(chunk_backward, len(x), rows.size(4))
    return g_x, g_gamma, g_beta, g_add if has_add else None


@op
def add_relu(x, add=None, *, relu=True):
    """max(x + add, 0): the rest of norm_add_relu when batch norm is folded into the convolution before it.

    This is the definition: the ops one after the other.
    """
    has_add = add is not None
    y, add_backward = plain_add(x, add) if has_add else (x, None)
    y, relu_backward = plain_relu(y) if relu else (y, None)

    def backward(g):
        (g,) = relu_backward(g) if relu else (g,)
        return add_backward(g) if has_add else (g, None)

    return y, backward


@faster("add_relu")
def one_pass_add_relu(x, add=None, *, relu=True):
    """add_relu in one pass. Saves  the result, with relu."""
    fits = add is None or getattr(add, "shape", None) == x.shape
    if x.ndim < 2 or not x.size or not fits:
        return NotImplemented
    rows, y = ChannelRows(x), empty(x.shape, result_dtype(x, add))
    nought = xp.zeros(rows.pixels * rows.c, dtype=y.dtype)  # an array, as in norm_forward

    def forward(chunk):
        out, total = rows.of(y, chunk), rows.of(x, chunk)
        if add is not None:
            total = xp.add(total, rows.of(add, chunk), out=out)
        if relu:
            xp.maximum(total, nought, out=out)
        elif add is None:
            out[...] = total

    sum_over_chunks(forward, len(x), rows.size(3))
    saved_y, has_add = y if relu else None, add is not None

    def backward(g):
        g_x = g if saved_y is None else g * (saved_y > 0)
        return g_x, g_x if has_add else None

    return y, backward
