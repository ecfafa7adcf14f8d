"""Matrix multiplication, cut into small products if they are faster; and the linear layer, in chunks of rows on all cores.

These forms replace one call of the library's matmul, and ops.linear.

A BLAS copies both factors into its own order before it multiplies. OpenBLAS's kernels for AVX-512 skip this if a product
takes a million multiplications or fewer; with few channels, copying is a third of the time. So long and narrow products
are cut: into runs of rows, or, if the sums are long, into runs of their terms.
"""

import math

import numpy

from minires.backend import accumulation_dtype, is_half, result_dtype, upcast, xp
from minires.fast.parts import PROCESS, sum_over_chunks
from minires.nn.init import sum_of_products
from minires.ops.forms import faster, has_forms
from minires.ops.linear import check_features
from minires.ops.reduce import total

SMALL = 1_000_000  # multiplications, from OpenBLAS's sgemm_small_kernel_permit
SHORT = 64  # shorter runs gain nothing
STEP = 8  # rows that a kernel processes at once


@has_forms
def product(a, b, out=None):
    """Return a @ b for matrices or stacks of them, in `out` if it is given.

    For half types the sums are float32, and are rounded once at the end, or not at all if `out` is float32.
    """
    if is_half(a.dtype) and a.dtype == b.dtype:  # NumPy has no fast product of these
        wide = product(a.astype(xp.float32), b.astype(xp.float32))
        if out is None:
            return wide.astype(a.dtype)
        out[...] = wide.astype(out.dtype)
        return out
    return xp.matmul(a, b, out=out)


@faster("product", on="numpy")
def small_products(a, b, out=None):
    """Multiply long and narrow matrices in several small products, if OpenBLAS is faster with them."""
    (m, k), n = a.shape[-2:], b.shape[-1]
    if is_half(a.dtype) or m * k * n <= SMALL or not PROCESS.multiplies_small_in_place():
        return NotImplemented
    if k * n * SHORT <= SMALL:
        return _by_rows(a, numpy.ascontiguousarray(b), out)
    if m * n * SHORT <= SMALL:
        return _by_sums(a, b, out)
    return NotImplemented


def _by_rows(a, b, out):
    (m, k), n = a.shape[-2:], b.shape[-1]
    if out is None:
        out = numpy.empty((*a.shape[:-1], n), numpy.result_type(a, b))
    run = _run(m, SMALL // (k * n))
    end = m // run * run
    numpy.matmul(_runs(a, run), b[..., None, :, :], out=_runs(out, run))
    if end < m:
        numpy.matmul(a[..., end:, :], b, out=out[..., end:, :])
    return out


def _by_sums(a, b, out):
    (m, k), n = a.shape[-2:], b.shape[-1]
    run = _run(k, SMALL // (m * n))
    end = k // run * run
    total = numpy.matmul(_runs(a.swapaxes(-1, -2), run).swapaxes(-1, -2), _runs(b, run)).sum(
        axis=-3, out=out
    )
    if end < k:
        total += numpy.matmul(a[..., end:], b[..., end:, :])
    return total


def _run(length, most):
    """Return the length of runs: as few runs as possible, of one length, which is a multiple of STEP."""
    runs = -(-length // most)
    return min(-(-length // (runs * STEP)) * STEP, most)


def _runs(x, run):
    """View (..., M, N) as (..., M // run, run, N), without the remaining rows."""
    whole = x[..., : x.shape[-2] // run * run, :]
    return whole.reshape(*x.shape[:-2], -1, run, x.shape[-1])


@faster("linear")
def rows_in_chunks(x, weight, bias=None):
    """x @ weight + bias, a chunk of rows at a time. Saves  x and weight."""
    i, o = check_features(x, weight, bias)
    n = math.prod(x.shape[:-1])
    rows, y = x.reshape(n, i), xp.empty((n, o), dtype=result_dtype(x, weight, bias))

    def forward(chunk):
        out = product(rows[chunk], weight, y[chunk])
        if bias is not None:
            out += bias

    plan = n, (i + o) * y.dtype.itemsize, weight.nbytes
    sum_over_chunks(forward, *plan)
    has_bias = bias is not None

    def backward(g):
        x_rows, g_rows = x.reshape(n, i), g.reshape(n, o)
        g_x = xp.empty(x_rows.shape, dtype=g.dtype)

        def chunk_backward(chunk):
            product(g_rows[chunk], weight.T, g_x[chunk])
            into = xp.empty((i, o), dtype=accumulation_dtype(g.dtype))
            return product(x_rows[chunk].T, g_rows[chunk], into)

        g_weight = sum_over_chunks(chunk_backward, *plan)
        return g_x.reshape(x.shape), g_weight, total(upcast(g_rows), axis=0) if has_bias else None

    return y.reshape(*x.shape[:-1], o), backward


@faster(sum_of_products)
def products_in_chunks(rows):
    """rows.T @ rows, a chunk of rows at a time: the same on any number of threads."""
    return sum_over_chunks(
        lambda chunk: rows[chunk].T @ rows[chunk], len(rows), rows.itemsize * rows.shape[1]
    )
