"""Matrix multiplication by cuBLAS: for views with any row stride, optionally in TF32, with sums in float32."""

from functools import cache

import numpy

from minires.backend import is_half, settings

# From library_types.h and cublas_api.h: the types of elements, and the types they are multiplied in.
REAL = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}
FLOAT32, TF32, FLOAT64, ANY = 68, 77, 70, -1
PLAIN, TRANSPOSED = 0, 1


class Products:
    """matmul for the arrays of a library.

    address(array)  the address of its first element
    gemm, stack  cublasGemmEx and cublasGemmStridedBatchedEx without their handle
    """

    def __init__(self, library, address, gemm, stack):
        self.library, self.address, self.gemm, self.stack = library, address, gemm, stack

    def __call__(self, a, b, out=None):
        """Return a @ b. cuBLAS multiplies two matrices of one dtype of floats, without copies, and two equally long stacks of
        them (never in TF32); the library's own matmul does the rest. For half types `out` may be float32.
        """
        kind, ndim = _kind(a.dtype), a.ndim
        ours = kind is not None and a.dtype == b.dtype and ndim == b.ndim and 2 <= ndim <= 3 and a.size and b.size  # fmt: skip
        if not ours or (ndim == 3 and len(a) != len(b)):
            return self.library.matmul(a, b, out=out)
        (m, k), (rows, n) = a.shape[-2:], b.shape[-2:]
        if k != rows:
            raise ValueError(f"matmul: expected a b with {k} rows, as a has columns, got {rows}")
        into, rows_out = out, 0
        if out is not None and (out.dtype == a.dtype or (out.dtype == "f4" and is_half(a.dtype))):
            rows_out = _rows_apart(out)
        if not rows_out:
            into, rows_out = self.library.empty((*a.shape[:-1], n), dtype=a.dtype), n
        (a, way_a, rows_a), (b, way_b, rows_b) = self._placed(a), self._placed(b)
        tf32 = kind == REAL["float32"] and ndim == 2 and settings().tf32
        compute = FLOAT64 if kind == REAL["float64"] else TF32 if tf32 else FLOAT32
        one, nought, _ = _factors(compute)
        at_a, at_b, at_out, kind_out = *map(self.address, (a, b, into)), _kind(into.dtype)
        # cuBLAS is column-major, so our rows are its columns: it multiplies b' by a', and computes out' = b' a'.
        if ndim == 2:
            self.gemm(way_b, way_a, n, m, k, one, at_b, kind, rows_b, at_a, kind, rows_a,
                      nought, at_out, kind_out, rows_out, compute, ANY)  # fmt: skip
        else:  # with the elements from one matrix to the next
            next_a, next_b, next_out = [max(x.strides[0] // x.itemsize, 0) for x in (a, b, into)]
            self.stack(way_b, way_a, n, m, k, one, at_b, kind, rows_b, next_b, at_a, kind, rows_a, next_a,
                       nought, at_out, kind_out, rows_out, next_out, len(a), compute, ANY)  # fmt: skip
        if out is None or into is out:
            return into
        out[...] = into
        return out

    def _placed(self, x):
        """Return (x or a copy of it, PLAIN or TRANSPOSED, the row stride)."""
        apart = _rows_apart(x)
        if apart:
            return x, PLAIN, apart
        apart = _rows_apart(x.swapaxes(-1, -2))
        if apart:
            return x, TRANSPOSED, apart
        x = self.library.ascontiguousarray(x)
        return x, PLAIN, x.shape[-1]


@cache
def _kind(dtype):
    """Return cuBLAS's number of a dtype, or None."""
    return REAL.get(dtype.name)


@cache
def _factors(compute):
    """Return the addresses of 1 and 0, as cuBLAS takes alpha and beta of alpha a b + beta c; and the array that holds them."""
    numbers = numpy.array([1, 0], numpy.float64 if compute == FLOAT64 else numpy.float32)
    return numbers.ctypes.data, numbers.ctypes.data + numbers.itemsize, numbers


def _rows_apart(x):
    """Return the row stride in elements, if the elements of a row are contiguous; otherwise 0."""
    (m, n), (down, across), size = x.shape[-2:], x.strides[-2:], x.itemsize
    if (n > 1 and across != size) or (x.ndim > 2 and x.strides[0] < 0 and len(x) > 1):
        return 0
    return n if m == 1 else down // size if down >= n * size else 0
