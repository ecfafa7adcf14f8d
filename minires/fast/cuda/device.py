"""The GPU through CuPy: kernels compiled by NVRTC at first use, products by cuBLAS, and the amount of free memory."""

from functools import cache
from operator import attrgetter

import numpy

from minires.fast.cuda import gemm
from minires.fast.parts import cut, one_by_one
from minires.ops.forms import faster, has_forms

LARGE = 64 << 20  # bytes that every GPU has


@cache
def _compiled(source, function):
    import cupy

    module = cupy.RawModule(code=source, options=("-std=c++17",), name_expressions=[function])
    return module.get_function(function)


@has_forms
def launch(source, function, blocks, block, arguments):
    """Launch a kernel: `blocks` (across, down) of `block` threads each. Python's ints are passed as int; bools are in the function's
    name.
    """
    passed = [numpy.int32(value) if type(value) is int else value for value in arguments]
    _compiled(source, function)(blocks, (block,), tuple(passed))


@faster("product", on="cupy")
def cublas_product(a, b, out=None):
    """a @ b by cuBLAS."""
    return products()(a, b, out)


@has_forms
def products():
    """Return the gemm.Products for CuPy's arrays."""
    return _products()


@cache
def _products():
    import cupy

    cublas, handle = cupy.cuda.cublas, cupy.cuda.get_cublas_handle

    def multiply(*arguments):
        cublas.gemmEx(handle(), *arguments)

    def multiply_stacks(*arguments):
        cublas.gemmStridedBatchedEx(handle(), *arguments)

    return gemm.Products(cupy, attrgetter("data.ptr"), multiply, multiply_stacks)


@has_forms
def address(array):
    """Return the address of an array's first element."""
    return array.data.ptr


@faster("sum_over_chunks", on="cupy")
def chunks_that_fit(work, n, bytes_each, bytes_shared=0):
    """Run the whole batch at once, unless that would take more than an eighth of the memory."""
    nbytes = n * bytes_each
    return one_by_one(work, cut(n, bytes_each, bytes_shared, nbytes if fits(nbytes) else budget()))


def fits(nbytes):
    """Return True if a whole batch may take this many bytes: an eighth of the memory, or as few as every GPU has."""
    return nbytes <= LARGE or nbytes <= budget()


def budget():
    """Return the bytes that a chunk of a batch may take: an eighth of the memory, as a power of 2, so that the chunks are the
    same in each step and each run.
    """
    every, _ = memory()
    return 1 << max(every // 8, 1 << 20).bit_length() - 1


def may_keep(nbytes):
    """Return True if three quarters of the memory stay free besides this many bytes, kept for the backward pass."""
    every, free = memory()
    return free - nbytes >= every * 3 // 4


@has_forms
def memory():
    """Return (all, free): the bytes that arrays may take, and those of them that none takes now, within the limit of CuPy's pool."""
    import cupy

    pool = cupy.get_default_memory_pool()
    every = _memory(cupy.cuda.runtime.getDevice())
    every = min(every, pool.get_limit() or every)
    return every, every - pool.used_bytes()


@cache
def _memory(device):
    """Return what is free on a device and in CuPy's pool. The driver is asked once: its answer takes as long as many a kernel."""
    import cupy

    return cupy.cuda.runtime.memGetInfo()[0] + cupy.get_default_memory_pool().total_bytes()
