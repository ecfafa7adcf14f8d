"""Batch norm: statistics, the forward pass and the two of the backward pass.

They replace ops.channel_stats, nn's update_running, moving_stats of minires.fast.blocks, and norm_forward and norm_backward of
minires.fast.onepass. Arrays without a number take the plain form.
"""

import numpy

from minires.backend import accumulation_dtype, as_float, xp
from minires.fast.blocks import moving_stats
from minires.fast.cuda.start import BLOCK, FLOATS, c_bool, c_float, dense, each, grid, run_length
from minires.fast.onepass import norm_backward, norm_forward
from minires.nn.layers import update_running
from minires.ops.forms import faster
from minires.ops.norm import check_values

ROWS = 4  # rows that a thread takes, at least
PARTS = 512  # parts of the first stage, at most: enough blocks to fill a GPU
DEPTH = 64  # threads per channel in the second stage
THREADS = 2**31 - 1  # of a pass, at most: kernels divide their number as one of 32 bits


@faster("channel_stats", on="cupy")
def channel_stats_kernel(x):
    """Compute statistics in two stages: of parts of the rows, then of all parts."""
    check_values("channel_stats", as_float(x), at_least=1)
    return _stats(x)


@faster(moving_stats, on="cupy", covers=("channel_stats", "update_running"))
def moving_stats_kernel(x, gamma, beta, running_mean, running_var, momentum):
    """Compute statistics in two stages, of which the second moves the running ones."""
    vectors = gamma, beta, running_mean, running_var
    if (
        x.ndim < 2
        or x.size < 2 * max(x.shape[-1], 1)
        or any([v.shape != x.shape[-1:] for v in vectors])
    ):
        return NotImplemented
    return _stats(x, (running_mean, running_var), momentum)


def _stats(x, running=(), momentum=0):
    """Return the mean and variance of each channel, and move the running ones if given."""
    kind, c, dtype = c_float(x, halves=True), x.shape[-1], accumulation_dtype(x.dtype)
    if kind is None or not all([v.dtype == dtype and v.flags.c_contiguous for v in running]):
        return NotImplemented
    (x,), mean, var = dense(x), xp.empty(c, dtype=dtype), xp.empty(c, dtype=dtype)
    count, parts = _first_stage(f"stats_of_rows<{kind}, %d>", 3, x)
    _second_stage(f"stats_of_parts<{kind}, {c_bool(running)}>", c, parts, x, mean, var, *(running or (mean, var)),
                  dtype.type(momentum), dtype.type(x.size // c), count)  # fmt: skip
    return mean, var


@faster(update_running, on="cupy")
def update_running_kernel(running_mean, running_var, mean, var, momentum, count):
    """Run one thread per channel."""
    kind, real = c_float(running_mean, running_var, mean, var), mean.dtype.type
    if kind is None or not all(array.flags.c_contiguous for array in (running_mean, running_var)):
        return NotImplemented
    each("norm.cu", f"moved_statistics<{kind}>", mean.size, running_mean, running_var, *dense(mean, var),
         real(momentum), real(count / (count - 1)))  # fmt: skip
    return None


@faster(norm_forward, on="cupy")
def norm_forward_kernel(x, gamma, beta, add, mean, var, eps, relu):
    """Run one thread per run of channels of a few rows."""
    kind, dtype = c_float(x, x if add is None else add, halves=True), accumulation_dtype(x.dtype)
    vectors = mean, var, gamma, beta
    if kind is None or not x.size or any([vector.dtype != dtype for vector in vectors]):
        return NotImplemented
    y = xp.empty(x.shape, dtype=x.dtype)
    _pass(f"normalise<{kind}, %d, {c_bool(add is not None)}, {c_bool(relu)}>",
          *dense(x, x if add is None else add), y, *dense(*vectors), dtype.type(eps))  # fmt: skip
    return y


@faster(norm_backward, on="cupy")
def norm_backward_kernel(g, y, x, gamma, mean, var, eps, training, has_add):
    """Compute sums in two stages, then run one thread per run of channels of a few rows."""
    relu, dtype, c = y is not None, accumulation_dtype(x.dtype), x.shape[-1]
    kind, vectors = c_float(x, g, y if relu else g, halves=True), (mean, var, gamma)
    if kind is None or not x.size or any([vector.dtype != dtype for vector in vectors]):
        return NotImplemented
    arrays, (mean, var, gamma) = dense(g, y if relu else x, x), dense(*vectors)
    count, parts = _first_stage(
        f"gradient_sums_of_rows<{kind}, %d, {c_bool(relu)}>", 2, *arrays, mean
    )
    g_beta, g_gamma, terms = [xp.empty(shape, dtype=dtype) for shape in (c, c, (3, c))]
    _second_stage(f"gradient_sums_of_parts<{FLOATS[dtype.name]}>", c, parts, gamma, var, dtype.type(eps),
                  g_beta, g_gamma, terms, dtype.type(x.size // c), count)  # fmt: skip
    g_x = xp.empty(x.shape, dtype=x.dtype)
    g_add = xp.empty(x.shape, dtype=x.dtype) if has_add and relu else None
    flags = ", ".join(map(c_bool, (relu, training, g_add is not None)))
    _pass(f"normalise_backward<{kind}, %d, {flags}>", *arrays, g_x, g_x if g_add is None else g_add, mean, terms)  # fmt: skip
    return g_x, g_gamma, g_beta, (g_add if relu else g) if has_add else None


def _first_stage(function, values, x, *arrays):
    """Return (number of parts, their results): `values` numbers per channel of each part. x has the shape of the rows."""
    c, dtype = x.shape[-1], accumulation_dtype(x.dtype)
    m, run = x.size // c, run_length(c, x.dtype)
    runs = c // run
    lanes = min(1 << (runs - 1).bit_length(), 32)
    depth, across = BLOCK // lanes, -(-runs // lanes)
    count = max(min(-(-m // (depth * 2 * ROWS)), PARTS // across), 1)
    parts = xp.empty((count, values, c), dtype=dtype)
    grid("norm.cu", function % run, (across, count), BLOCK, x, *arrays, parts, numpy.int64(m * runs),
         runs, lanes, -(-m // (depth * count)))  # fmt: skip
    return count, parts


def _second_stage(function, c, *arguments):
    """Run DEPTH threads per channel."""
    lanes = BLOCK // DEPTH
    grid("norm.cu", function, (-(-c // lanes), 1), BLOCK, *arguments, c, lanes)


def _pass(function, x, *arguments):
    """Run a thread per run of channels, for ROWS rows, or for more where that would be too many threads."""
    c = x.shape[-1]
    m, run = x.size // c, run_length(c, x.dtype)
    runs = c // run
    apart = min(-(-m // ROWS), THREADS // runs)
    each("norm.cu", function % run, apart * runs, x, *arguments, numpy.int64(m * runs), runs, -(-m // apart))  # fmt: skip
