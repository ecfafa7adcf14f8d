"""Batch norm: statistics, the forward pass and the two of the backward pass.

They replace ops.channel_stats, nn's update_running, and norm_forward and norm_backward of minires.fast.onepass.
"""

import numpy

from minires.backend import accumulation_dtype, as_float, xp
from minires.fast.cuda.start import BLOCK, FLOATS, c_bool, c_float, each, grid, run_length
from minires.fast.onepass import norm_backward, norm_forward
from minires.nn.layers import update_running
from minires.ops.forms import faster
from minires.ops.norm import check_values

ROWS = 8  # rows that a thread of the first stage takes, at least
PARTS = 1024  # parts of the first stage, at most: enough blocks to fill a GPU
DEPTH = 64  # threads per channel in the second stage


@faster("channel_stats", on="cupy")
def channel_stats_kernel(x):
    """Compute statistics in two stages: of parts of the rows, then of all parts."""
    check_values("channel_stats", as_float(x), at_least=1)
    kind, c, dtype = c_float(x, halves=True), x.shape[-1], accumulation_dtype(x.dtype)
    if kind is None:
        return NotImplemented
    x = xp.ascontiguousarray(x)
    parts, found = _first_stage(f"stats_of_rows<{kind}, %d>", x, 3, x)
    mean, var = xp.empty(c, dtype=dtype), xp.empty(c, dtype=dtype)
    _second_stage(f"stats_of_parts<{kind}>", parts, c, found, x, mean, var)
    return mean, var


@faster(update_running, on="cupy")
def update_running_kernel(running_mean, running_var, mean, var, momentum, count):
    """Run one thread per channel."""
    kind, real = c_float(running_mean, running_var, mean, var), mean.dtype.type
    if kind is None or not all(array.flags.c_contiguous for array in (running_mean, running_var)):
        return NotImplemented
    each("norm.cu", f"moved_statistics<{kind}>", mean.size, running_mean, running_var, *_contiguous(mean, var),
         real(momentum), real(count / (count - 1)))  # fmt: skip
    return None


@faster(norm_forward, on="cupy")
def norm_forward_kernel(x, gamma, beta, add, mean, var, eps, relu):
    """Run one thread per run of channels."""
    kind = c_float(x, x if add is None else add, halves=True)
    c = x.shape[-1]
    dtype = accumulation_dtype(x.dtype)
    if kind is None or not _all_of(dtype, gamma, beta, mean, var):
        return NotImplemented
    run, y = run_length(c, x.dtype), xp.empty(x.shape, dtype=x.dtype)
    arrays = _contiguous(x, x if add is None else add)
    each("norm.cu", f"normalise<{kind}, {run}, {c_bool(add is not None)}, {c_bool(relu)}>", x.size // run,
         *arrays, y, *_contiguous(mean, var, gamma, beta), dtype.type(eps), c // run)  # fmt: skip
    return y


@faster(norm_backward, on="cupy")
def norm_backward_kernel(g, y, x, gamma, mean, var, eps, training, has_add):
    """Compute sums in two stages, then run one thread per run of channels."""
    kind = c_float(x, g, halves=True)
    c = x.shape[-1]
    relu = y is not None
    dtype = accumulation_dtype(x.dtype)
    if kind is None or not _all_of(dtype, gamma, mean, var):
        return NotImplemented
    run, eps = run_length(c, x.dtype), dtype.type(eps)
    arrays, vectors = _contiguous(g, y if relu else x, x), _contiguous(mean, var, gamma)
    mean, var, gamma = vectors
    g_beta, g_gamma, push, pull = (xp.empty(c, dtype=dtype) for _ in range(4))
    parts, found = _first_stage(
        f"gradient_sums_of_rows<{kind}, %d, {c_bool(relu)}>", x, 2, *arrays, mean
    )
    _second_stage(f"gradient_sums_of_parts<{FLOATS[dtype.name]}>", parts, c,
                  found, gamma, var, eps, g_beta, g_gamma, push, pull, dtype.type(x.size // c))  # fmt: skip
    g_x = xp.empty(x.shape, dtype=x.dtype)
    g_add = xp.empty(x.shape, dtype=x.dtype) if has_add and relu else None
    flags = ", ".join(map(c_bool, (relu, training, g_add is not None)))
    each("norm.cu", f"normalise_backward<{kind}, {run}, {flags}>", x.size // run,
         *arrays, g_x, g_x if g_add is None else g_add, *vectors, push, pull, eps, c // run)  # fmt: skip
    return g_x, g_gamma, g_beta, (g_add if relu else g) if has_add else None


def _first_stage(function, x, values, *arrays):
    """Return (number of parts, their results): `values` numbers for each part and channel."""
    c = x.shape[-1]
    m, run = x.size // c, run_length(c, x.dtype)
    runs = c // run
    lanes = min(1 << (runs - 1).bit_length(), 32)
    depth = BLOCK // lanes
    across = -(-runs // lanes)
    parts = max(min(-(-m // (depth * ROWS)), PARTS // across), 1)
    found = xp.empty(parts * c * values, dtype=accumulation_dtype(x.dtype))
    grid(
        "norm.cu",
        function % run,
        (across, parts),
        BLOCK,
        *arrays,
        found,
        numpy.int64(m),
        runs,
        lanes,
    )
    return parts, found


def _second_stage(function, parts, c, *arrays):
    lanes = BLOCK // DEPTH
    grid("norm.cu", function, (-(-c // lanes), 1), BLOCK, *arrays, parts, c, lanes)


def _all_of(dtype, *vectors):
    return all(vector.dtype == dtype for vector in vectors)


def _contiguous(*arrays):
    return [xp.ascontiguousarray(array) for array in arrays]
