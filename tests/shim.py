"""A backend on which CUDA kernels run on the processor, on NumPy's arrays: g++ compiles the sources in minires/fast/cuda, with
shim.h in place of CUDA. Slow, and as exact as the kernels are.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections import deque
from functools import cache
from pathlib import Path

import numpy as np

from minires.backend import Library, settings, strict
from minires.fast.cuda import gemm
from minires.ops.forms import faster

COMPILER = shutil.which("g++")
FOLDER = Path(
    os.environ.get("MINIRES_SHIM_CACHE")
    or Path(tempfile.gettempdir()) / f"minires-shim-{os.getuid()}"
)
HEADER = (Path(__file__).parent / "shim.h").read_text(encoding="utf-8")


@cache
def compiled(source, function):
    """run(blocks across, blocks down, threads, pointers to the arguments) of one kernel."""
    text = (
        f"{HEADER}\n{source}\n"
        "template <class... A> std::index_sequence_for<A...> numbers(void (*)(A...)) { return {}; }\n"
        f"static void call(void** a) {{ auto kernel = &{function}; shim::unpacked(kernel, a, numbers(kernel)); }}\n"
        'extern "C" void run(int gx, int gy, int threads, void** a) {\n'
        "    shim::body = call;\n    shim::arguments = a;\n    shim::launch(gx, gy, threads);\n}\n"
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    library = FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.so"
    if not library.exists():
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            code, built = Path(folder) / "kernel.cpp", Path(folder) / "kernel.so"
            code.write_text(text)
            command = [
                COMPILER,
                "-std=c++17",
                "-O1",
                "-shared",
                "-fPIC",
                "-ffp-contract=off",
                "-w",
                str(code),
                "-o",
                str(built),
            ]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"g++ does not compile {function}:\n{done.stderr}")
            os.replace(built, library)
    return ctypes.CDLL(str(library)).run


def bare(array):
    """The NumPy array in an array of strict; anything else as it is."""
    return array._hidden if isinstance(array, strict.Array) else array


@faster("launch", on="shim")
def launch_here(source, function, blocks, block, arguments):
    """Run a kernel over all blocks and threads."""
    kept, pointers = [], []
    if any(isinstance(argument, strict.Array) for argument in arguments):
        if any(isinstance(argument, np.ndarray) for argument in arguments):
            raise TypeError(f"{function} gets a NumPy array among device arrays")
        arguments = [bare(argument) for argument in arguments]
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            if not argument.flags.c_contiguous:
                raise ValueError(f"{function} gets an array that is not contiguous")
            holder = ctypes.c_void_p(argument.ctypes.data)
        else:
            value = np.int32(argument) if type(argument) is int else np.asarray(argument)
            holder = ctypes.create_string_buffer(value.tobytes())
        kept.append(holder)
        pointers.append(ctypes.cast(ctypes.byref(holder), ctypes.c_void_p))
    compiled(source, function)(*blocks, block, (ctypes.c_void_p * len(pointers))(*pointers))


# What cublasGemmEx does, for arrays on the host.

COMPUTE = deque(maxlen=100)  # what cuBLAS was asked to compute in


def columns(pointer, kind, rows, count, apart):
    """The matrix that cuBLAS sees at a pointer: element (i, j) lies at i + j * apart."""
    dtype = np.dtype({0: "f4", 1: "f8", 2: "f2"}.get(kind, "bfloat16"))
    assert apart >= max(rows, 1)
    size = (apart * (count - 1) + rows) * dtype.itemsize
    flat = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(pointer)).view(dtype)
    return np.lib.stride_tricks.as_strided(
        flat, (rows, count), (dtype.itemsize, apart * dtype.itemsize)
    )


def at(address, kind):
    """The number at an address: alpha and beta are passed by address, in float32 unless the matrices are in float64."""
    return (ctypes.c_double if kind == 1 else ctypes.c_float).from_address(address).value


def gemm_ex(
    way_a,
    way_b,
    m,
    n,
    k,
    alpha,
    a,
    kind_a,
    apart_a,
    b,
    kind_b,
    apart_b,
    beta,
    c,
    kind_c,
    apart_c,
    compute,
    algorithm,
):
    """cublasGemmEx: c = alpha op(a) op(b) + beta c."""
    assert (at(alpha, kind_c), at(beta, kind_c)) == (1, 0)
    COMPUTE.append(compute)
    a = columns(a, kind_a, m, k, apart_a) if way_a == 0 else columns(a, kind_a, k, m, apart_a).T
    b = columns(b, kind_b, k, n, apart_b) if way_b == 0 else columns(b, kind_b, n, k, apart_b).T
    assert kind_a == kind_b and (kind_c == kind_a or (kind_a in (2, 14) and kind_c == 0))
    columns(c, kind_c, m, n, apart_c)[...] = (
        a.astype("f4") @ b.astype("f4") if kind_a in (2, 14) else a @ b
    )


def gemm_strided_batched_ex(way_a, way_b, m, n, k, alpha, a, kind_a, apart_a, next_a, b, kind_b, apart_b, next_b, beta,
                            c, kind_c, apart_c, next_c, count, compute, algorithm):  # fmt: skip
    """cublasGemmStridedBatchedEx: as many products, of matrices so many numbers apart."""
    assert min(next_a, next_b, next_c) >= 0
    STACKS.append(count)
    size_a, size_b, size_c = (SIZES[kind] for kind in (kind_a, kind_b, kind_c))
    for i in range(count):
        gemm_ex(way_a, way_b, m, n, k, alpha, a + i * next_a * size_a, kind_a, apart_a, b + i * next_b * size_b, kind_b, apart_b,
                beta, c + i * next_c * size_c, kind_c, apart_c, compute, algorithm)  # fmt: skip


STACKS = deque(maxlen=100)  # how many matrices each stack had
SIZES = {0: 4, 1: 8, 2: 2, 14: 2}  # bytes of an element, by kind
matmul, hidden_matmul = (
    gemm.Products(module, lambda array: bare(array).ctypes.data, gemm_ex, gemm_strided_batched_ex)
    for module in (np, strict)
)


@faster("products", on="shim")
def products_here():
    """The products of NumPy's or strict's arrays, by the stand-in for cuBLAS."""
    return hidden_matmul if settings().library.module is strict else matmul


@faster("address", on="shim")
def address_here(array):
    """The address of an array's first element."""
    return bare(array).ctypes.data


@faster("memory", on="shim")
def memory_here():
    """As on a GPU of 8 GiB, all of it free."""
    return 8 << 30, 8 << 30


def library(hidden=False):
    """The backend "shim": everything is as on a GPU, except that the arrays are NumPy's.

    hidden  True for arrays that hide their numbers as CuPy's do (minires.backend.strict): what NumPy is given unasked fails
    """

    def same(array):
        return array

    if hidden:
        return Library(
            "shim", strict, strict.Array, strict.to_device, strict.to_host, family="cupy"
        )
    return Library("shim", np, np.ndarray, same, same, family="cupy")
