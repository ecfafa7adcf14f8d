"""cuBLAS through a handle of our own. CuPy refuses to call cuBLAS while a stream is captured; the library itself does not."""

import ctypes
import sys
from ctypes import POINTER, c_int, c_longlong, c_size_t, c_void_p
from functools import cache

# From cublas_api.h: the statuses, and the parameters of each function after the handle.
STATUSES = {1: "NOT_INITIALIZED", 3: "ALLOC_FAILED", 7: "INVALID_VALUE", 8: "ARCH_MISMATCH", 11: "MAPPING_ERROR",
            13: "EXECUTION_FAILED", 14: "INTERNAL_ERROR", 15: "NOT_SUPPORTED", 16: "LICENSE_ERROR"}  # fmt: skip
_MATRIX = [c_void_p, c_int, c_int]  # address, type, elements from one column to the next
_STACK = [*_MATRIX, c_longlong]  # and from one matrix to the next
_WAYS_AND_SIZES = [c_int] * 5
FUNCTIONS = {
    "cublasDestroy_v2": [],
    "cublasSetStream_v2": [c_void_p],
    "cublasSetWorkspace_v2": [c_void_p, c_size_t],
    "cublasGemmEx": [*_WAYS_AND_SIZES, c_void_p, *_MATRIX * 2, c_void_p, *_MATRIX, c_int, c_int],
    "cublasGemmStridedBatchedEx": [*_WAYS_AND_SIZES, c_void_p, *_STACK * 2, c_void_p, *_STACK, c_int, c_int, c_int],
}  # fmt: skip


class CublasError(RuntimeError):
    """A function of cuBLAS failed: its name and its status."""


class Cublas:
    """A handle whose work goes to one stream.

    stream  its address    workspace, nbytes  address and size of device memory for the products' own use
    path  of the library (default: the one that CuPy uses)

    gemm, stack  cublasGemmEx and cublasGemmStridedBatchedEx, as gemm.Products calls them: alpha and beta lie on the host
    """

    def __init__(self, stream, workspace, nbytes, path=None):
        self._handle = c_void_p()
        self._functions = functions(path or found())
        _check("cublasCreate_v2", self._functions["cublasCreate_v2"](ctypes.byref(self._handle)))
        self._call("cublasSetStream_v2", stream)  # first, as it takes the workspace away
        self._call("cublasSetWorkspace_v2", workspace, nbytes)

    def gemm(self, *arguments):
        """Multiply two matrices."""
        self._call("cublasGemmEx", *arguments)

    def stack(self, *arguments):
        """Multiply two stacks of matrices."""
        self._call("cublasGemmStridedBatchedEx", *arguments)

    def __del__(self):
        if self._handle and not sys.is_finalizing():  # then CUDA may be gone
            self._functions["cublasDestroy_v2"](self._handle)

    def _call(self, name, *arguments):
        _check(name, self._functions[name](self._handle, *arguments))


def _check(name, status):
    if status:
        raise CublasError(f"{name}: CUBLAS_STATUS_{STATUSES.get(status, status)}")


@cache
def functions(path):
    """Return {name: function} of the library at a path."""
    library = ctypes.CDLL(path)
    declared = {name: [c_void_p, *parameters] for name, parameters in FUNCTIONS.items()}
    declared["cublasCreate_v2"] = [POINTER(c_void_p)]
    found = {name: getattr(library, name) for name in declared}
    for name, function in found.items():
        function.argtypes, function.restype = declared[name], c_int
    return found


def found():
    """Return the path of cuBLAS: of the one that is loaded, or that CUDA's packages or the system bring."""
    from cuda import pathfinder  # CuPy needs it, too

    return pathfinder.load_nvidia_dynamic_lib("cublas").abs_path
