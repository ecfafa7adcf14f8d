"""cuBLAS through a handle of our own: against a library that g++ compiles (tests/cublas.cpp), and the names in the real one."""

import ctypes
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minires import backend
from minires.fast.cuda import cublas, gemm
from tests import shim

WORKSPACE = 32 << 20


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if shim.COMPILER is None:
        pytest.skip("there is no g++")
    built = tmp_path_factory.mktemp("cublas") / "libcublas.so"
    source = Path(__file__).with_name("cublas.cpp")
    command = [
        shim.COMPILER,
        "-std=c++17",
        "-O1",
        "-shared",
        "-fPIC",
        str(source),
        "-o",
        str(built),
    ]
    subprocess.run(command, check=True)
    return str(built)


@pytest.fixture(scope="module")
def multiply(library):
    handle = cublas.Cublas(1 << 40, 1 << 41, WORKSPACE, library)
    return gemm.Products(np, lambda array: array.ctypes.data, handle.gemm, handle.stack)


sizes = st.integers(1, 5)


@given(
    sizes,
    sizes,
    sizes,
    st.sampled_from([(), (3,)]),
    st.sampled_from(["f4", "f8"]),
    st.booleans(),
    st.booleans(),
)
def test_products_of_matrices_and_of_stacks(multiply, m, k, n, stack, dtype, turn_a, turn_b):
    rng = np.random.default_rng(0)

    def laid(rows, columns, turn):
        if turn:
            return rng.standard_normal((*stack, columns, rows)).astype(dtype).swapaxes(-1, -2)
        return rng.standard_normal((*stack, rows, columns)).astype(dtype)

    a, b = laid(m, k, turn_a), laid(k, n, turn_b)
    np.testing.assert_allclose(multiply(a, b), np.matmul(a.astype("f8"), b), rtol=1e-5, atol=1e-5)


def test_strides_beyond_32_bits_reach_the_library():
    """The elements from one matrix to the next are 64-bit numbers, and addresses are not cut."""
    parameters = cublas.FUNCTIONS["cublasGemmStridedBatchedEx"]
    assert [i for i, kind in enumerate(parameters) if kind is ctypes.c_longlong] == [9, 13, 18]
    assert [i for i, kind in enumerate(parameters) if kind is ctypes.c_void_p] == [5, 6, 10, 14, 15]


def test_tf32_is_asked_for(library, multiply):
    with backend.using_tf32():
        x = np.ones((2, 2), "f4")
        assert multiply(x, x).tolist() == [[2, 2], [2, 2]]


def test_a_failure_names_the_function_and_the_status(library):
    handle = cublas.Cublas(1 << 40, 1 << 41, WORKSPACE, library)
    x, one = np.ones((1, 1), "f2"), np.ones(1, "f4").ctypes.data
    arguments = (
        0,
        0,
        1,
        1,
        1,
        one,
        x.ctypes.data,
        2,
        1,
        x.ctypes.data,
        2,
        1,
        one,
        x.ctypes.data,
        2,
        1,
        68,
        -1,
    )
    with pytest.raises(cublas.CublasError, match="^cublasGemmEx: CUBLAS_STATUS_NOT_SUPPORTED$"):
        handle.gemm(*arguments)
    small = cublas.Cublas(1 << 40, 1 << 41, 1, library)
    with pytest.raises(cublas.CublasError, match="^cublasGemmEx: CUBLAS_STATUS_NOT_INITIALIZED$"):
        small.gemm(*arguments)


def test_a_handle_is_destroyed_with_its_last_reference(library):
    alive = ctypes.CDLL(library).handles_alive
    before = alive()
    handle = cublas.Cublas(1, 2, WORKSPACE, library)
    assert alive() == before + 1
    del handle
    assert alive() == before


def test_a_library_that_is_not_there_is_an_error_of_its_own():
    with pytest.raises(OSError, match="nowhere"):
        cublas.Cublas(1, 2, WORKSPACE, "/nowhere/libcublas.so")


@pytest.fixture
def real():
    pytest.importorskip("cuda.pathfinder")
    try:
        return cublas.found()
    except RuntimeError as error:
        pytest.skip(f"cuBLAS is not installed: {str(error).splitlines()[0]}")


def test_the_real_library_has_every_function(real):
    assert set(cublas.functions(real)) == {*cublas.FUNCTIONS, "cublasCreate_v2"}


# How the header names what ctypes declares.
IN_C = {"int": ctypes.c_int, "size_t": ctypes.c_size_t, "long long int": ctypes.c_longlong, "cudaDataType": ctypes.c_int,
        "cudaStream_t": ctypes.c_void_p, "cublasHandle_t": ctypes.c_void_p, "cublasOperation_t": ctypes.c_int,
        "cublasComputeType_t": ctypes.c_int, "cublasGemmAlgo_t": ctypes.c_int}  # fmt: skip


def test_the_parameters_are_those_of_the_header(real):
    header = next(iter(Path(real).parents[1].glob("include/cublas_api.h")), None)
    if header is None:
        pytest.skip("cuBLAS is installed without its headers")
    text = header.read_text(encoding="utf-8")
    for name, parameters in cublas.FUNCTIONS.items():
        (declared,) = re.findall(
            rf"CUBLASAPI\s+cublasStatus_t\s+CUBLASWINAPI\s+{name}\(([^)]*)\);", text
        )
        kinds = []
        for parameter in declared.split(","):
            kind = re.sub(r"/\*.*?\*/|\bconst\b", "", parameter).rpartition(" ")[0].strip()
            kinds.append(ctypes.c_void_p if "*" in parameter else IN_C[kind])
        assert kinds == [ctypes.c_void_p, *parameters], name
