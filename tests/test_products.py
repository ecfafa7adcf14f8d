"""Matrix multiplications that are cut into small ones, compared with float64 and with numpy.matmul, which cuts none."""

from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minires import backend, ops
from minires.fast import products
from minires.fast.parts import PROCESS


@pytest.fixture(autouse=True)
def small_products():
    """Run as with OpenBLAS's kernels for AVX-512, whatever this machine has."""
    with (
        mock.patch.object(PROCESS, "blas", lambda: [SimpleNamespace(architecture="SkylakeX")]),
        backend.using("numpy"),
    ):
        yield


def factors(stack, m, k, n, transposed, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((*stack, k, m) if transposed[0] else (*stack, m, k), dtype="f4")
    b = rng.standard_normal((*stack, n, k) if transposed[1] else (*stack, k, n), dtype="f4")
    return a.swapaxes(-1, -2) if transposed[0] else a, b.swapaxes(-1, -2) if transposed[1] else b


def shapes_multiplied(a, b, out=None):
    """Return (m, k, n) of each call of numpy.matmul, and the result."""
    seen = []

    def recorded(x, y, out=None):
        seen.append((*x.shape[-2:], y.shape[-1]))
        return np.matmul(x, y, out=out)

    library = SimpleNamespace(**{**vars(np), "matmul": recorded})
    with mock.patch.object(products, "numpy", library), mock.patch.object(products, "xp", library):
        return seen, products.product(a, b, out)


sizes = st.integers(1, 11).flatmap(lambda bits: st.integers(2 ** (bits - 1), 2**bits))


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([(), (1,), (3,)]),
    sizes,
    sizes,
    sizes,
    st.tuples(st.booleans(), st.booleans()),
    st.booleans(),
)
@example((3,), 1000, 33, 64, (False, True), True)  # by rows, and a rest of rows
@example((), 27, 3001, 64, (True, False), True)  # by sums, and a rest of them
@example((), 500, 500, 500, (False, False), True)  # large: whole
def test_a_cut_product_is_the_product(stack, m, k, n, transposed, into):
    if m * k * n > 3e8:
        return
    a, b = factors(stack, m, k, n, transposed)
    out = np.full((*stack, m, n), np.nan, "f4") if into else None
    result = products.product(a, b, out)
    if into:
        assert result is out
    wanted = a.astype("f8") @ b.astype("f8")
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, wanted, rtol=0, atol=1e-6 * k * np.sqrt(1 + 1 / k) + 1e-6)


@pytest.mark.parametrize("m, k, n", [(36864, 27, 64), (256, 64, 64), (1001, 32, 64)])
def test_a_long_product_is_cut_into_runs_of_rows_that_are_small(m, k, n):
    seen, _ = shapes_multiplied(*factors((2,), m, k, n, (False, False)))
    assert all(rows * k * n <= products.SMALL for rows, *_ in seen)
    assert seen[0][0] % products.STEP == 0 and seen[0][0] >= products.SHORT
    # One call for all runs, one for the rest.
    assert sum(rows == seen[0][0] for rows, *_ in seen) == 1 and len(seen) <= 2


def test_a_product_with_long_sums_is_cut_into_runs_of_those():
    seen, _ = shapes_multiplied(*factors((), 27, 36864, 64, (True, False)))
    assert len(seen) == 1 and seen[0][0] == 27 and 27 * seen[0][1] * 64 <= products.SMALL


@pytest.mark.parametrize(
    "m, k, n", [(200, 64, 64), (2048, 128, 256), (512, 2304, 64), (128, 512, 512)]
)
def test_small_products_and_those_without_long_runs_stay_whole(m, k, n):
    assert shapes_multiplied(*factors((), m, k, n, (False, False)))[0] == [(m, k, n)]


def test_runs_are_of_one_length():
    assert products._run(256, 244) == 128  # and not 240 and 16
    assert products._run(250, 244) == 128
    assert products._run(245, 244) == 128
    assert products._run(1000, 244) == 200
    assert products._run(70, 69) == 40
    assert products._run(488, 244) == 244  # what is allowed is no multiple of 8


def test_a_factor_that_lies_transposed_is_copied_once_and_not_for_each_run():
    a, b = factors((), 4096, 32, 64, (False, True))
    with mock.patch.object(
        products.numpy, "ascontiguousarray", wraps=np.ascontiguousarray
    ) as copied:
        products.product(a, b)
    assert copied.call_count == 1


@pytest.mark.parametrize("kernel, cut", [("SkylakeX", True), ("Haswell", False), (None, False)])
def test_products_are_cut_for_kernels_that_gain_by_it(kernel, cut):
    library = SimpleNamespace(architecture=kernel) if kernel else SimpleNamespace()
    with mock.patch.object(PROCESS, "blas", lambda: [library]):
        assert (len(shapes_multiplied(*factors((), 4096, 32, 64, (False, False)))[0]) > 1) is cut
        assert PROCESS.multiplies_small_in_place() is cut


def test_without_the_faster_form_products_are_whole():
    a, b = factors((), 4096, 32, 64, (False, False))
    assert len(shapes_multiplied(a, b)[0]) > 1
    for context in (ops.without("small_products"), ops.plain()):
        with context:
            assert shapes_multiplied(a, b)[0] == [(4096, 32, 64)]
