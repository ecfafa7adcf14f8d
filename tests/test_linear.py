"""matmul and linear, against the sum of products."""

import math
import re

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import ops
from minires.backend import to_device
from minires.gradcheck import check_backward
from minires.graph import saved
from tests.strategies import SEEDS, SIZES, numbers, run, saved_by, types

pytestmark = pytest.mark.usefixtures("each_backend", "each_form")


def matmul_by_loops(a, b):
    """y[..., i, j] = the sum over k of a[..., i, k] * b[..., k, j], where a vector is one row or one column."""
    left, right = (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    batch = numpy.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = numpy.broadcast_to(left, (*batch, *left.shape[-2:]))
    right = numpy.broadcast_to(right, (*batch, *right.shape[-2:]))
    y = numpy.zeros((*batch, left.shape[-2], right.shape[-1]))
    for *at, i, j in numpy.ndindex(y.shape):
        y[*at, i, j] = sum(left[*at, i, k] * right[*at, k, j] for k in range(left.shape[-1]))
    y = y[..., 0, :] if a.ndim == 1 else y
    return y[..., 0] if b.ndim == 1 else y


PRODUCTS = [
    ((2, 3), (3, 5)),
    ((1, 3), (3, 1)),
    ((4, 2, 3), (4, 3, 5)),
    ((4, 2, 3), (3, 5)),
    ((2, 3), (4, 3, 5)),
    ((1, 2, 3), (4, 3, 5)),
    ((4, 2, 3), (1, 3, 5)),
    ((6, 1, 2, 3), (4, 3, 5)),
    ((3, 3, 3), (3, 3)),
    ((3,), (3,)),
    ((3,), (3, 5)),
    ((2, 3), (3,)),
    ((3,), (4, 3, 5)),
    ((4, 2, 3), (3,)),
    ((3,), (6, 4, 3, 5)),
    ((6, 4, 2, 3), (3,)),
    ((1,), (1,)),
]


@pytest.mark.parametrize("shapes", PRODUCTS)
def test_matmul_is_the_sum_over_the_inner_axis(shapes):
    a, b = numbers(0, shapes[0]), numbers(1, shapes[1])
    y, _ = run(ops.matmul, a, b)
    expected = matmul_by_loops(a, b)
    assert y.shape == expected.shape
    assert_allclose(y, expected, atol=1e-12)


@pytest.mark.parametrize("shapes", PRODUCTS)
def test_matmul_backward(shapes):
    check_backward(ops.matmul, numbers(0, shapes[0]), numbers(1, shapes[1]))
    for dtype in ("float32", "float64"):
        assert types(ops.matmul, numpy.ones(shapes[0]), numpy.ones(shapes[1]), dtype=dtype) == {
            dtype
        }


def test_matmul_by_hand():
    y, backward = run(
        ops.matmul, numpy.array([[1.0, 2.0]]), numpy.array([[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
    )
    assert_array_equal(y, [[15, 18, 21]])
    g_a, g_b = backward(numpy.array([[1.0, 10.0, 100.0]]))
    assert_array_equal(g_a, [[543, 876]])
    assert_array_equal(g_b, [[1, 10, 100], [2, 20, 200]])


@pytest.mark.parametrize(
    "shapes", [((2, 3), (3, 5)), ((3,), (4, 3, 5)), ((2, 3), (3,)), ((4, 2, 3), (3, 5))]
)
def test_matmul_saves_a_and_b_and_no_copy_of_them(shapes):
    a, b = numbers(0, shapes[0]), numbers(1, shapes[1])
    held = saved_by(ops.matmul, a, b)
    assert list(held) == ["left", "right"]
    # a matrix stays one: CuPy's way with more is slow.
    assert_array_equal(held["left"], a if a.ndim > 1 else [a], strict=True)
    assert_array_equal(held["right"], b if b.ndim > 1 else b[:, None], strict=True)
    if isinstance(to_device(a), numpy.ndarray):
        assert numpy.shares_memory(held["left"], a) and numpy.shares_memory(held["right"], b)


def test_matmul_with_nothing_to_add_or_no_rows():
    for shapes, result in [
        (((0, 3), (3, 2)), (0, 2)),
        (((2, 0), (0, 5)), (2, 5)),
        (((0, 2, 3), (3, 5)), (0, 2, 5)),
    ]:
        y, backward = run(ops.matmul, *map(numpy.ones, shapes))
        assert y.shape == result and not y.any()
        g_a, g_b = backward(y)
        assert (g_a.shape, g_b.shape) == shapes and not g_b.any()


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3), (4, 5)),
        ((2, 3), (4, 3)),
        ((3,), (4,)),
        ((3,), (4, 3)),
        ((2, 3), (2,)),
        ((4, 2, 3), (4, 2, 3)),
        ((), (3,)),
        ((2, 3), ()),
    ],
)
def test_matmul_refuses(shapes):
    message = f"matmul: expected the last size of the left to equal the second-to-last of the right, got {shapes[0]} and {shapes[1]}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(ops.matmul, *map(numpy.ones, shapes))


def test_matmul_refuses_leading_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError):
        run(ops.matmul, numpy.ones((4, 2, 3)), numpy.ones((5, 3, 2)))


@given(st.lists(SIZES, max_size=3).map(tuple), SIZES, SIZES, st.booleans(), SEEDS)
def test_linear_is_a_sum_for_each_feature(leading, i, o, with_bias, seed):
    x = numbers(seed, (*leading, i))
    weight = numbers(seed + 1, (i, o))
    bias = numbers(seed + 2, (o,))
    y, _ = run(ops.linear, x, weight, *[bias] * with_bias)
    assert y.shape == (*leading, o)
    for *at, feature in numpy.ndindex(y.shape):
        total = sum(x[*at, k] * weight[k, feature] for k in range(i))
        assert_allclose(y[*at, feature], total + (bias[feature] if with_bias else 0), atol=1e-12)
    check_backward(ops.linear, x, weight, *[bias] * with_bias)


def test_linear_by_hand():
    x = numpy.array([[1.0, 2.0], [3.0, 4.0]])
    weight = numpy.array([[1.0, 0.0, 2.0], [10.0, 1.0, 0.0]])
    y, backward = run(ops.linear, x, weight, numpy.array([100.0, 200.0, 300.0]))
    assert_array_equal(y, [[121, 202, 302], [143, 204, 306]])
    g_x, g_weight, g_bias = backward(numpy.array([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]))
    assert_array_equal(g_x, [[201, 20], [402, 40]])
    assert_array_equal(g_weight, [[7, 70, 700], [10, 100, 1000]])
    assert_array_equal(g_bias, [3, 30, 300])


def test_linear_without_a_bias_gives_it_no_gradient():
    for bias in ([], [None]):
        y, backward = run(ops.linear, numpy.ones((2, 3)), numpy.ones((3, 4)), *bias)
        assert_array_equal(y, numpy.full((2, 4), 3))
        g_x, g_weight, g_bias = backward(y)
        assert g_x.shape == (2, 3) and g_weight.shape == (3, 4) and g_bias is None


@pytest.mark.parametrize("shape", [(2, 3), (3,), (2, 4, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_elements_stays(shape, dtype):
    assert types(ops.linear, numpy.ones(shape), numpy.ones((3, 5)), numpy.ones(5), dtype=dtype) == {
        dtype
    }
    assert types(ops.linear, numpy.ones(shape), numpy.ones((3, 5)), dtype=dtype) == {dtype}


def test_linear_saves_x_and_weight():
    x, weight, bias = (to_device(numpy.ones(shape)) for shape in ((2, 3), (3, 5), (5,)))
    for arrays in ([x, weight, bias], [x, weight]):
        _, backward = ops.linear(*arrays)
        held = saved(backward)
        assert list(held) == ["weight", "x"] and held["x"] is x and held["weight"] is weight


@pytest.mark.parametrize(("i", "o"), [(0, 5), (3, 0), (0, 0)])
@pytest.mark.parametrize("leading", [(4,), (0,), (2, 3)])
def test_linear_of_no_features_is_its_bias(leading, i, o):
    bias = numpy.arange(o, dtype=float)
    y, backward = run(ops.linear, numpy.ones((*leading, i)), numpy.ones((i, o)), bias)
    assert_array_equal(y, numpy.broadcast_to(bias, (*leading, o)))
    g_x, g_weight, g_bias = backward(numpy.ones(y.shape))
    assert (g_x.shape, g_weight.shape) == ((*leading, i), (i, o)) and not g_x.any()
    assert_array_equal(g_bias, numpy.full(o, math.prod(leading)))


def test_the_type_of_the_result_is_common_to_weight_and_bias():
    x, weight = numpy.ones((2, 3), "int64"), numpy.ones((3, 1), "int64")
    y, _ = run(ops.linear, x, weight, numpy.array([0.5]))
    assert_array_equal(y, [[3.5], [3.5]])


def test_an_empty_batch_gives_an_empty_result():
    for shape in ((0, 3), (2, 0, 3)):
        y, backward = run(ops.linear, numpy.ones(shape), numpy.ones((3, 5)), numpy.ones(5))
        assert y.shape == (*shape[:-1], 5)
        g_x, g_weight, g_bias = backward(y)
        assert g_x.shape == shape
        assert_array_equal(g_weight, numpy.zeros((3, 5)))
        assert_array_equal(g_bias, numpy.zeros(5))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 4), (3, 5)), "linear: expected an x with 3 features, as in weight, got (2, 4)"),
        (((3, 2), (3, 5)), "linear: expected an x with 3 features, as in weight, got (3, 2)"),
        (((), (3, 5)), "linear: expected an x with 3 features, as in weight, got ()"),
        (((2, 3), (3, 5), (3,)), "linear: expected a bias of shape (5,), got (3,)"),
        (((2, 3), (3, 5), (1, 5)), "linear: expected a bias of shape (5,), got (1, 5)"),
        (((2, 3), (3, 5), ()), "linear: expected a bias of shape (5,), got ()"),
    ],
)
def test_linear_refuses(shapes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(ops.linear, *map(numpy.ones, shapes))


@pytest.mark.parametrize("shape", [(3,), (3, 5, 2), ()])
def test_linear_refuses_a_weight_that_is_no_matrix(shape):
    with pytest.raises(ValueError, match=f"weight .*{re.escape(str(shape))}"):
        run(ops.linear, numpy.ones((2, 3)), numpy.ones(shape))
