"""Products of matrices, cut into small ones where those are faster.

A BLAS copies both factors into an order of its own before it multiplies. OpenBLAS's kernels for AVX-512 leave that out where
a product takes a million multiplications or fewer; with few channels it is a third of the time. So long and narrow products
are cut: into runs of rows, or where the sums are what is long, into runs of those.
"""

import numpy

from minires.backend import blas
from minires.backend.precision import is_half, widened

SMALL = 1_000_000  # multiplications, from OpenBLAS's sgemm_small_kernel_permit
SHORT = 64  # runs shorter than that gain nothing
STEP = 8  # rows that a kernel takes at once


def matmul(a, b, out=None):
    """numpy.matmul(a, b, out) of matrices or stacks of them; of half types by way of float32, as NumPy has no fast one."""
    if is_half(a.dtype) and a.dtype == b.dtype:
        out = numpy.empty((*a.shape[:-1], b.shape[-1]), a.dtype) if out is None else out
        out[...] = matmul(widened(a), widened(b))
        return out
    (m, k), n = a.shape[-2:], b.shape[-1]
    if m * k * n > SMALL and blas.takes_small_products():
        if k * n * SHORT <= SMALL:
            return _by_rows(a, numpy.ascontiguousarray(b), out)
        if m * n * SHORT <= SMALL:
            return _by_sums(a, b, out)
    return numpy.matmul(a, b, out=out)


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
    total = numpy.matmul(_runs(a.swapaxes(-1, -2), run).swapaxes(-1, -2), _runs(b, run)).sum(axis=-3, out=out)
    if end < k:
        total += numpy.matmul(a[..., end:], b[..., end:, :])
    return total


def _run(length, most):
    """The length of runs: as few of them as may be, of one length, which is a multiple of STEP."""
    runs = -(-length // most)
    return min(-(-length // (runs * STEP)) * STEP, most)


def _runs(x, run):
    """(..., M, N) as (..., M // run, run, N): a view, without the rest."""
    whole = x[..., : x.shape[-2] // run * run, :]
    return whole.reshape(*x.shape[:-2], -1, run, x.shape[-1])
