"""The GPU through CuPy: kernels compiled by NVRTC at first use, products by cuBLAS, and the amount of free memory."""

from functools import cache

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
    """Launch a kernel: `blocks` (across, down) of `block` threads each."""
    _compiled(source, function)(blocks, (block,), tuple(arguments))


@faster("product", on="cupy")
def cublas_product(a, b, out=None):
    """a @ b by cuBLAS."""
    return products()(a, b, out=out)


@has_forms
def products():
    """Return the gemm.Products for CuPy's arrays."""
    return _cupy_products()


@cache
def _cupy_products():
    import cupy

    def of(function):
        return lambda *arguments: function(cupy.cuda.get_cublas_handle(), *arguments)

    cublas = cupy.cuda.cublas
    return gemm.Products(cupy, pointer=lambda array: array.data.ptr, gemm=of(cublas.gemmEx),
                         stacks={"float32": of(cublas.sgemmStridedBatched), "float64": of(cublas.dgemmStridedBatched)})  # fmt: skip


@faster("sum_over_chunks", on="cupy")
def chunks_that_fit(work, n, bytes_each, bytes_shared=0):
    """Run the whole batch at once, unless that would take more than a quarter of the free memory."""
    chunk = budget() if n * bytes_each > LARGE else LARGE
    return one_by_one(work, cut(n, bytes_each, bytes_shared, chunk))


@has_forms
def free_bytes():
    """Return the memory available to arrays: what is free on the GPU and in CuPy's pool, within the pool's limit."""
    import cupy

    pool = cupy.get_default_memory_pool()
    free = cupy.cuda.runtime.memGetInfo()[0] + pool.free_bytes()
    return min(free, pool.get_limit() - pool.used_bytes()) if pool.get_limit() else free


def budget():
    """Return the bytes that a chunk of a batch may take: a quarter of the free memory, as a power of 2, so that the chunks
    stay the same from step to step.
    """
    return 1 << max(free_bytes() // 4, 1 << 20).bit_length() - 1
