"""Products of two matrices by cuBLAS: of views with any distance between rows, with TF32 by a switch, summed in float32."""

import os
from contextlib import contextmanager

import numpy

# From library_types.h and cublas_api.h: what numbers are, and what they are multiplied as.
REAL = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}
FLOAT32, TF32, FLOAT64, ANY = 68, 77, 70, -1
PLAIN, TRANSPOSED = 0, 1

_tf32 = os.environ.get("MINIRES_TF32", "0") not in ("", "0")


@contextmanager
def using_tf32(wanted=True):
    """For a while cuBLAS may round float32 factors to TF32 (11 bits of mantissa, sums in float32): several times as fast on
    cards of compute capability 8.0 or higher. Elsewhere nothing changes. MINIRES_TF32=1 sets the start.
    """
    global _tf32
    before, _tf32 = _tf32, bool(wanted)
    try:
        yield
    finally:
        _tf32 = before


class Products:
    """matmul for the arrays of a library. pointer(array) is where one lies; call is cublasGemmEx without its handle."""

    def __init__(self, library, pointer, call):
        self.library, self.pointer, self.call = library, pointer, call

    def __call__(self, a, b, out=None):
        """a @ b. Two matrices of one type of floats go to cuBLAS, where they lie; the rest is the library's own matmul."""
        kind = REAL.get(a.dtype.name)
        if kind is None or a.dtype != b.dtype or a.ndim != 2 or b.ndim != 2 or not a.size or not b.size:
            return self.library.matmul(a, b, out=out)
        (m, k), n = a.shape, b.shape[1]
        if b.shape[0] != k:
            raise ValueError(f"matmul: a has {k} columns, b has {b.shape[0]} rows")
        ready = out is not None and out.dtype == a.dtype and _rows_apart(out)
        into = out if ready else self.library.empty((m, n), dtype=a.dtype)
        a, way_a, rows_a = self._placed(a)
        b, way_b, rows_b = self._placed(b)
        one, nought = (numpy.array(value, numpy.float64 if kind == 1 else numpy.float32) for value in (1, 0))
        compute = FLOAT64 if kind == 1 else TF32 if kind == 0 and _tf32 else FLOAT32
        # cuBLAS counts down the columns, so that rows are columns to it: it multiplies b' by a', and finds out' = b' a'.
        self.call(way_b, way_a, n, m, k, one.ctypes.data, self.pointer(b), kind, rows_b, self.pointer(a), kind, rows_a,
                  nought.ctypes.data, self.pointer(into), kind, _rows_apart(into), compute, ANY)  # fmt: skip
        if out is None or into is out:
            return into
        out[...] = into
        return out

    def _placed(self, x):
        """(x or a copy of it, whether it lies transposed, how far its rows are apart)"""
        for array, way in ((x, PLAIN), (x.T, TRANSPOSED)):
            apart = _rows_apart(array)
            if apart:
                return x, way, apart
        x = self.library.ascontiguousarray(x)
        return x, PLAIN, _rows_apart(x)


def _rows_apart(x):
    """The distance between rows in numbers, where the numbers of a row lie side by side; else 0."""
    (m, n), (down, across) = x.shape, (stride // x.dtype.itemsize for stride in x.strides)
    if n > 1 and across != 1:
        return 0
    if m == 1:
        return n
    return down if down >= n else 0
