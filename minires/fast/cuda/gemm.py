"""Matrix multiplication by cuBLAS: for views with any row stride, optionally in TF32, with sums in float32."""

import numpy

from minires.backend import is_half, settings

# From library_types.h and cublas_api.h: the types of elements, and the types they are multiplied in.
REAL = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}
FLOAT32, TF32, FLOAT64, ANY = 68, 77, 70, -1
PLAIN, TRANSPOSED = 0, 1


class Products:
    """matmul for the arrays of a library. pointer(array) returns its address; gemm is cublasGemmEx without its handle, and stacks
    are cublasSgemmStridedBatched and cublasDgemmStridedBatched without theirs, by dtype.
    """

    def __init__(self, library, pointer, gemm, stacks):
        self.library, self.pointer, self.gemm, self.stacks = library, pointer, gemm, stacks

    def __call__(self, a, b, out=None):
        """Return a @ b. cuBLAS multiplies two matrices of one dtype of floats, without copies, and two equally long stacks in
        float32 (never in TF32) or float64; the library's own matmul does the rest. For half types `out` may be float32.
        """
        kind, name = REAL.get(a.dtype.name), a.dtype.name
        ours = (a.ndim == b.ndim == 2 and kind is not None) or (
            a.ndim == b.ndim == 3 and name in self.stacks and len(a) == len(b)
        )
        if not ours or a.dtype != b.dtype or not a.size or not b.size:
            return self.library.matmul(a, b, out=out)
        shape, (k, n) = (*a.shape[:-1], b.shape[-1]), b.shape[-2:]
        if a.shape[-1] != k:
            raise ValueError(
                f"matmul: expected a b with {a.shape[-1]} rows, as a has columns, got {k}"
            )
        fits = out is not None and (
            out.dtype == a.dtype or (is_half(a.dtype) and out.dtype == numpy.float32)
        )
        ready = fits and _rows_apart(out)
        into = out if ready else self.library.empty(shape, dtype=a.dtype)
        (a, *place_a), (b, *place_b) = self._placed(a), self._placed(b)
        # cuBLAS is column-major, so our rows are its columns: it multiplies b' by a', and computes out' = b' a'.
        sizes = n, shape[-2], k
        if a.ndim == 2:
            self._matrices(sizes, (b, *place_b), (a, *place_a), into, kind)
        else:
            self._stacks(sizes, (b, *place_b), (a, *place_a), into)
        if out is None or into is out:
            return into
        out[...] = into
        return out

    def _matrices(self, sizes, left, right, into, kind):
        (b, way_b, rows_b), (a, way_a, rows_a) = left, right
        one, nought = (
            numpy.array(value, numpy.float64 if kind == 1 else numpy.float32) for value in (1, 0)
        )
        compute = FLOAT64 if kind == 1 else TF32 if kind == 0 and settings().tf32 else FLOAT32
        self.gemm(way_b, way_a, *sizes, one.ctypes.data, self.pointer(b), kind, rows_b, self.pointer(a), kind, rows_a,
                  nought.ctypes.data, self.pointer(into), REAL[into.dtype.name], _rows_apart(into), compute, ANY)  # fmt: skip

    def _stacks(self, sizes, left, right, into):
        (b, way_b, rows_b), (a, way_a, rows_a) = left, right
        # From one matrix to the next.
        apart = [max(x.strides[0] // x.itemsize, 0) for x in (b, a, into)]
        self.stacks[a.dtype.name](way_b, way_a, *sizes, 1.0, self.pointer(b), rows_b, apart[0], self.pointer(a), rows_a, apart[1],
                                  0.0, self.pointer(into), _rows_apart(into), apart[2], len(into))  # fmt: skip

    def _placed(self, x):
        """Return (x or a copy of it, PLAIN or TRANSPOSED, the row stride)."""
        for array, way in ((x, PLAIN), (x.swapaxes(-1, -2), TRANSPOSED)):
            apart = _rows_apart(array)
            if apart:
                return x, way, apart
        x = self.library.ascontiguousarray(x)
        return x, PLAIN, _rows_apart(x)


def _rows_apart(x):
    """Return the row stride in elements, if the elements of a row are contiguous; otherwise 0."""
    (m, n), (down, across) = x.shape[-2:], (stride // x.dtype.itemsize for stride in x.strides[-2:])
    if (n > 1 and across != 1) or (x.ndim > 2 and len(x) > 1 and x.strides[0] < 0):
        return 0
    if m == 1:
        return n
    return down if down >= n else 0
