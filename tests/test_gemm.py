"""Products by cuBLAS, without a GPU: on the shim, which does the work of cublasGemmEx."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minires import backend
from minires.fast.cuda import gemm
from tests.halves import TYPES, each_half
from tests.shim import COMPUTE, STACKS, matmul

sizes = st.integers(1, 6)


def laid(rng, m, n, way, dtype):
    """Return a matrix (m, n) with this memory layout."""
    x = rng.standard_normal((2 * m, 2 * n)).astype(dtype)
    return {"whole": x[:m, :n].copy(), "transposed": x[:m, :n].T.copy().T, "rows": x[:m, :n], "columns": x.T.copy().T[:m, :n],
            "gaps": x[::2, ::2], "backwards": x[m - 1 :: -1, :n] if m > 1 else x[:m, :n]}[way]  # fmt: skip


ways = st.sampled_from(["whole", "transposed", "rows", "columns", "gaps", "backwards"])


@settings(max_examples=300)
@given(
    sizes,
    sizes,
    sizes,
    ways,
    ways,
    st.sampled_from([None, "whole", "rows", "transposed", "gaps"]),
    st.sampled_from(["f4", "f8"]),
)
def test_a_product_of_matrices_however_they_lie(m, k, n, way_a, way_b, way_out, dtype):
    rng = np.random.default_rng(0)
    a, b = laid(rng, m, k, way_a, dtype), laid(rng, k, n, way_b, dtype)
    out = None if way_out is None else laid(rng, m, n, way_out, dtype)
    result = matmul(a, b, out)
    assert (out is None or result is out) and result.dtype == np.dtype(dtype)
    np.testing.assert_allclose(result, a.astype("f8") @ b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", ["whole", "transposed", "rows", "columns"])
def test_what_cublas_can_read_is_not_copied(way):
    a = laid(np.random.default_rng(0), 5, 4, way, "f4")
    with mock.patch.object(np, "ascontiguousarray", side_effect=AssertionError):
        matmul(a, laid(np.random.default_rng(1), 4, 3, way, "f4"))


def test_tf32_is_asked_for_by_the_switch_alone_and_for_float32_alone():
    x = np.ones((2, 2), "f4")
    COMPUTE.clear()
    matmul(x, x)
    with backend.using_tf32():
        matmul(x, x)
        matmul(x.astype("f8"), x.astype("f8"))
        with backend.using_tf32(False):
            matmul(x, x)
    matmul(x, x)
    assert list(COMPUTE) == [gemm.FLOAT32, gemm.TF32, gemm.FLOAT64, gemm.FLOAT32, gemm.FLOAT32]


def test_the_rest_goes_to_the_library():
    COMPUTE.clear()
    for a, b in ((np.ones((2, 3, 4)), np.ones((4, 5))), (np.ones((2, 3), "f4"), np.ones((3, 2))), (np.ones((0, 3)), np.ones((3, 2))),
                 (np.ones((2, 0)), np.ones((0, 2))), (np.ones((2, 2), int), np.ones((2, 2), int)), (np.ones(3), np.ones((3, 2)))):  # fmt: skip
        np.testing.assert_array_equal(matmul(a, b), np.matmul(a, b))
    assert not COMPUTE


def test_a_result_goes_into_an_array_of_another_type():
    a, b, out = np.ones((2, 3), "f4"), np.ones((3, 4), "f4"), np.full((2, 4), np.nan)
    assert matmul(a, b, out) is out and (out == 3).all()


@each_half
def test_half_types_are_summed_in_float32_and_rounded_once_or_not_at_all(half):
    COMPUTE.clear()
    x = np.full((1, 4097), 1.0, TYPES[half])
    out = np.empty((1, 1), "f4")
    # The neighbours of 4096 are more than 1 away.
    assert matmul(x, x.T)[0, 0] == 4096 and matmul(x, x.T).dtype == half
    assert matmul(x, x.T, out) is out and out[0, 0] == 4097 and set(COMPUTE) == {gemm.FLOAT32}


@settings(max_examples=100)
@given(
    st.integers(1, 5), sizes, sizes, sizes, ways, ways, st.booleans(), st.sampled_from(["f4", "f8"])
)
def test_stacks_of_matrices_however_they_lie(count, m, k, n, way_a, way_b, into, dtype):
    rng = np.random.default_rng(0)
    a, b = (np.stack([laid(rng, *size, "whole", dtype)] * count) for size in ((m, k), (k, n)))
    a *= np.arange(1, count + 1, dtype=dtype)[:, None, None]
    lie = {"transposed": lambda x: x.transpose(0, 2, 1).copy().transpose(0, 2, 1), "gaps": lambda x: x.repeat(2, 2)[:, :, ::2],
           "rows": lambda x: x.repeat(2, 2)[:, :, : x.shape[2]] * 0 + x, "backwards": lambda x: x[::-1].copy()[::-1]}  # fmt: skip
    a, b = (lie.get(way, np.ascontiguousarray)(x) for way, x in ((way_a, a), (way_b, b)))
    STACKS.clear()
    out = np.empty((count, m, n), dtype) if into else None
    with backend.using_tf32():
        result = matmul(a, b, out)
    assert (out is None or result is out) and list(STACKS) == [count]
    np.testing.assert_allclose(result, np.matmul(a.astype("f8"), b), rtol=1e-5, atol=1e-4)


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="expected a b with 3 rows, as a has columns, got 4"):
        matmul(np.ones((2, 3)), np.ones((4, 2)))
