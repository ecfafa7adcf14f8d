"""sum, mean, max and var, against loops over the elements that go into each result."""

import math
import re

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import ops
from minires.gradcheck import check_backward
from tests.strategies import SEEDS, distinct, numbers, reductions, run, saved_by, types

pytestmark = pytest.mark.usefixtures("each_backend")


def mean(elements):
    return math.fsum(elements) / len(elements)


def var(elements, ddof=0):
    return math.fsum((element - mean(elements)) ** 2 for element in elements) / (
        len(elements) - ddof
    )


TRUTH = {"sum": math.fsum, "mean": mean, "max": max, "var": var}
each_op = pytest.mark.parametrize("name", TRUTH)


def by_loops(function, x, axis, keepdims):
    """Apply the function to each list of elements with the same position along the axes that are kept."""
    axes = (
        range(x.ndim)
        if axis is None
        else [i % x.ndim for i in (axis if isinstance(axis, tuple) else (axis,))]
    )
    groups = {}
    for index in numpy.ndindex(x.shape):
        groups.setdefault(tuple(0 if i in axes else at for i, at in enumerate(index)), []).append(
            float(x[index])
        )
    y = numpy.zeros([1 if i in axes else size for i, size in enumerate(x.shape)])
    for index, elements in groups.items():
        y[index] = function(elements)
    return y if keepdims else y.reshape([size for i, size in enumerate(x.shape) if i not in axes])


@each_op
@given(reductions(), SEEDS)
def test_each_result_comes_from_its_own_elements(name, drawn, seed):
    shape, axis, keepdims = drawn
    x = numbers(seed, shape)
    y, _ = run(getattr(ops, name), x, axis=axis, keepdims=keepdims)
    expected = by_loops(TRUTH[name], x, axis, keepdims)
    assert y.shape == expected.shape
    assert_allclose(y, expected, rtol=1e-12, atol=1e-14)


@each_op
@given(reductions(), SEEDS)
def test_backward(name, drawn, seed):
    shape, axis, keepdims = drawn
    x = distinct(seed, shape) if name == "max" else numbers(seed, shape)
    check_backward(getattr(ops, name), x, axis=axis, keepdims=keepdims)


@given(reductions(), st.sampled_from([-1, 0.5, 1]), SEEDS)
def test_var_divides_by_n_minus_ddof(drawn, ddof, seed):
    shape, axis, keepdims = drawn
    shape = tuple(size + 1 for size in shape)
    x = numbers(seed, shape)
    y, _ = run(ops.var, x, axis=axis, keepdims=keepdims, ddof=ddof)
    assert_allclose(
        y, by_loops(lambda elements: var(elements, ddof), x, axis, keepdims), rtol=1e-12
    )
    check_backward(ops.var, x, axis=axis, keepdims=keepdims, ddof=ddof)


X = numpy.array([[1.0, 2.0, 6.0], [4.0, 8.0, 9.0]])


@pytest.mark.parametrize(
    ("name", "result", "gradient"),
    [
        ("sum", 30, [[1, 1, 1], [1, 1, 1]]),
        ("mean", 5, [[1 / 6, 1 / 6, 1 / 6], [1 / 6, 1 / 6, 1 / 6]]),
        ("max", 9, [[0, 0, 0], [0, 0, 1]]),
        ("var", 52 / 6, [[-8 / 6, -1, 2 / 6], [-2 / 6, 1, 8 / 6]]),
    ],
)
def test_without_options_all_elements_go_into_one_number_without_axes(name, result, gradient):
    y, backward = run(getattr(ops, name), X)
    assert y.shape == ()
    assert_allclose(y, result, rtol=1e-14)
    (g_x,) = backward(3.0)
    assert_allclose(g_x, numpy.multiply(gradient, 3), rtol=1e-14)


@pytest.mark.parametrize(
    ("options", "result"),
    [
        ({"axis": 0}, [5, 10, 15]),
        ({"axis": 1}, [9, 21]),
        ({"axis": -1}, [9, 21]),
        ({"axis": -2}, [5, 10, 15]),
        ({"axis": (0, 1)}, 30),
        ({"axis": (1, -2)}, 30),
        ({"axis": ()}, X),
        ({"axis": 1, "keepdims": True}, [[9], [21]]),
        ({"axis": (0,), "keepdims": True}, [[5, 10, 15]]),
        ({"keepdims": True}, [[30]]),
    ],
)
def test_every_form_of_axis(options, result):
    x = numpy.array([[1.0, 2.0, 6.0], [4.0, 8.0, 9.0]])
    y, backward = run(ops.sum, x, **options)
    assert y.shape == numpy.shape(result)
    assert_array_equal(y, result)
    assert backward(y)[0].shape == (2, 3)


def test_mean_divides_the_gradient_by_the_number_of_elements_in_one_result():
    x = numpy.zeros((2, 3, 5))
    for axis, n in [(0, 2), (1, 3), (-1, 5), ((0, 2), 10), ((1, -1), 15), (None, 30), ((), 1)]:
        y, backward = run(ops.mean, x, axis=axis)
        assert_array_equal(backward(numpy.full(y.shape, 30.0))[0], numpy.full((2, 3, 5), 30 / n))


@pytest.mark.parametrize(
    ("axis", "g", "expected"),
    [
        (1, [10.0, 20.0], [[0, 5, 5], [20, 0, 0]]),
        (0, [10.0, 20.0, 30.0], [[0, 20, 30], [10, 0, 0]]),
        (None, 12.0, [[0, 4, 4], [4, 0, 0]]),
    ],
)
@pytest.mark.parametrize("keepdims", [True, False])
def test_elements_that_tie_for_the_maximum_share_the_gradient_equally(axis, g, expected, keepdims):
    y, backward = run(
        ops.max, numpy.array([[1.0, 3.0, 3.0], [3.0, 2.0, 0.0]]), axis=axis, keepdims=keepdims
    )
    (g_x,) = backward(numpy.array(g).reshape(y.shape))
    assert_array_equal(g_x, expected)


def test_var_is_biased_by_default_and_unbiased_with_ddof_1():
    x = numpy.array([[1.0, 3.0], [2.0, 8.0]])
    assert_array_equal(run(ops.var, x, axis=1)[0], [1, 9])
    y, backward = run(ops.var, x, axis=1, ddof=1)
    assert_array_equal(y, [2, 18])
    assert_array_equal(backward(numpy.array([1.0, 10.0]))[0], [[-2, 2], [-60, 60]])


def test_var_does_not_mind_a_mean_far_from_0():
    """The mean of the squares minus the square of the mean would lose all digits."""
    x = numpy.array([1e8 + 1, 1e8 + 2, 1e8 + 6])
    assert_allclose(run(ops.var, x)[0], 14 / 3, rtol=1e-6)


@each_op
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [None, 0, (0, 2)])
def test_the_type_of_the_elements_stays(name, dtype, axis):
    assert types(getattr(ops, name), numpy.ones((2, 3, 4)), dtype=dtype, axis=axis) == {dtype}


def test_sum_and_mean_save_no_array():
    for axis in (None, 1):
        assert saved_by(ops.sum, X, axis=axis) == saved_by(ops.mean, X, axis=axis) == {}


def test_max_saves_one_bool_for_each_element_and_var_the_distances():
    (chosen,) = saved_by(ops.max, X, axis=1).values()
    assert chosen.dtype == bool
    assert_array_equal(chosen, [[False, False, True]] * 2)
    (distance,) = saved_by(ops.var, X, axis=1).values()
    assert_array_equal(distance, [[-2, -1, 3], [-3, 1, 2]])


@each_op
def test_an_empty_batch_reduced_along_its_features_gives_an_empty_result(name):
    y, backward = run(getattr(ops, name), numpy.ones((0, 3)), axis=1)
    assert y.shape == (0,)
    assert backward(y)[0].shape == (0, 3)


def test_no_images_add_up_to_0_and_have_no_maximum():
    y, backward = run(ops.sum, numpy.ones((0, 3)), axis=0)
    assert_array_equal(y, [0, 0, 0])
    assert backward(y)[0].shape == (0, 3)
    with pytest.raises(ValueError):
        run(ops.max, numpy.ones((0, 3)), axis=0)


@each_op
@pytest.mark.parametrize("axis", [2, -3, (0, 2)])
def test_an_axis_that_does_not_exist_is_refused(name, axis):
    with pytest.raises(ValueError, match="axis (2|-3) is out of bounds"):
        run(getattr(ops, name), X, axis=axis)


@each_op
@pytest.mark.parametrize("axis", [1.0, "1", [0, 1], (0, 0.5), (None,)])
def test_an_axis_that_is_no_int_is_refused(name, axis):
    with pytest.raises(
        TypeError,
        match=f"^{re.escape(f'axis: expected None, an int or a tuple of ints, got {axis!r}')}$",
    ):
        run(getattr(ops, name), X, axis=axis)


@each_op
def test_a_number_has_no_axis_to_reduce(name):
    with pytest.raises(ValueError, match=r"^axis 0 is out of bounds for shape \(\)$"):
        run(getattr(ops, name), numpy.array(3.0), axis=0)
    assert run(getattr(ops, name), numpy.array(3.0))[0] == (0 if name == "var" else 3)


@pytest.mark.parametrize(
    ("shape", "axis", "ddof", "n"),
    [((2, 3), 1, 3, 3), ((2, 3), None, 7, 6), ((1,), 0, 1, 1), ((0, 3), 0, 0, 0)],
)
def test_var_refuses_to_divide_by_nothing_or_less(shape, axis, ddof, n):
    with pytest.raises(
        ValueError, match=f"^var: expected a ddof below the number of elements, {n}, got {ddof}$"
    ):
        run(ops.var, numpy.ones(shape), axis=axis, ddof=ddof)
