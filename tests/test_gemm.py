"""Products by cuBLAS, without a card: on the shim, which does what cublasGemmEx is asked for."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minires import backend
from minires.backend import gemm
from tests.shim import COMPUTE, matmul

sizes = st.integers(1, 6)


def laid(rng, m, n, way, dtype):
    """A matrix (m, n) that lies in memory in this way."""
    x = rng.standard_normal((2 * m, 2 * n)).astype(dtype)
    return {"whole": x[:m, :n].copy(), "transposed": x[:m, :n].T.copy().T, "rows": x[:m, :n], "columns": x.T.copy().T[:m, :n],
            "gaps": x[::2, ::2], "backwards": x[m - 1 :: -1, :n] if m > 1 else x[:m, :n]}[way]  # fmt: skip


ways = st.sampled_from(["whole", "transposed", "rows", "columns", "gaps", "backwards"])


@settings(max_examples=300)
@given(sizes, sizes, sizes, ways, ways, st.sampled_from([None, "whole", "rows", "transposed", "gaps"]), st.sampled_from(["f4", "f8"]))
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


def test_half_precision_is_summed_in_float32():
    COMPUTE.clear()
    x = np.full((1, 4096), 1.0, "f2")
    assert matmul(x, x.T)[0, 0] == 4096 and list(COMPUTE) == [gemm.FLOAT32]


def test_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="a has 3 columns, b has 4 rows"):
        matmul(np.ones((2, 3)), np.ones((4, 2)))
