"""exp, log, sqrt, tanh, sigmoid and relu, against the math module."""

import math

import numpy
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

from minires import ops
from minires.gradcheck import check_backward
from tests.strategies import SEEDS, SHAPES, numbers, run, saved_by, types

pytestmark = pytest.mark.usefixtures("each_backend")

TRUTH = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: x if x > 0 else 0,
}
each_op = pytest.mark.parametrize("name", TRUTH)


def inside(name, seed, shape):
    """Draw numbers where the op is defined and smooth."""
    return numbers(seed, shape, positive=name in ("log", "sqrt"), away_from_zero=0.1)


@each_op
@given(SHAPES, SEEDS)
def test_each_place_is_the_math_module_s_result(name, shape, seed):
    x = inside(name, seed, shape)
    y, _ = run(getattr(ops, name), x)
    assert y.shape == shape
    assert_allclose(
        y.ravel(), [TRUTH[name](number) for number in x.ravel().tolist()], rtol=1e-12, atol=1e-15
    )


@each_op
@given(SHAPES, SEEDS)
def test_backward(name, shape, seed):
    check_backward(getattr(ops, name), inside(name, seed, shape))


def test_slopes_by_hand():
    for op, x, slope in [
        (ops.exp, 0.0, 1),
        (ops.exp, 2.0, math.e**2),
        (ops.log, 4.0, 0.25),
        (ops.sqrt, 9.0, 1 / 6),
        (ops.tanh, 0.0, 1),
        (ops.tanh, math.log(2), 1 - 0.6**2),
        (ops.sigmoid, 0.0, 0.25),
        (ops.sigmoid, math.log(3), 0.75 * 0.25),
        (ops.relu, 0.5, 1),
        (ops.relu, -0.5, 0),
    ]:
        _, backward = run(op, numpy.array([x, x]))
        assert_allclose(backward(numpy.array([1.0, -10.0]))[0], [slope, -10 * slope], rtol=1e-12)


@each_op
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_elements_stays(name, dtype):
    assert types(getattr(ops, name), inside(name, 0, (2, 3)), dtype=dtype) == {dtype}
    assert types(getattr(ops, name), inside(name, 0, ()), dtype=dtype) == {dtype}


@each_op
def test_an_empty_batch_gives_an_empty_result(name):
    y, backward = run(getattr(ops, name), numpy.ones((0, 3)))
    assert y.shape == backward(y)[0].shape == (0, 3)


@pytest.mark.parametrize("name", ["exp", "sqrt", "tanh", "sigmoid"])
def test_backward_saves_the_result(name):
    x = inside(name, 0, (2, 3))
    (array,) = saved_by(getattr(ops, name), x).values()
    assert_array_equal(array, run(getattr(ops, name), x)[0])


def test_log_saves_its_input():
    x = inside("log", 0, (2, 3))
    (array,) = saved_by(ops.log, x).values()
    assert_array_equal(array, x)


def test_relu_saves_one_bool_for_each_element():
    (array,) = saved_by(ops.relu, numpy.array([[-1.0, 0.0, 2.0]])).values()
    assert array.dtype == bool
    assert_array_equal(array, [[False, False, True]])


def test_the_slope_of_relu_at_0_is_0():
    y, backward = run(ops.relu, numpy.array([-2.0, -0.0, 0.0, 5e-324, 3.0]))
    assert_array_equal(y, [0, 0, 0, 5e-324, 3])
    assert_array_equal(
        backward(numpy.array([1.0, 10.0, 100.0, 1000.0, 1e4]))[0], [0, 0, 0, 1000, 1e4]
    )


def test_the_slope_of_sqrt_at_0_is_infinite():
    y, backward = run(ops.sqrt, numpy.array([0.0, 0.25]))
    with numpy.errstate(divide="ignore"):
        assert_array_equal(backward(numpy.ones(2))[0], [numpy.inf, 1])
    assert_array_equal(y, [0, 0.5])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_and_tanh_do_not_overflow(dtype):
    x = numpy.array([-1000, -90, 0, 90, 1000], dtype)
    with numpy.errstate(over="raise", invalid="raise", divide="raise"):
        for op, ends in [(ops.sigmoid, [0, 0, 0.5, 1, 1]), (ops.tanh, [-1, -1, 0, 1, 1])]:
            y, backward = run(op, x)
            assert_allclose(y, ends, rtol=0, atol=1e-35)
            g_x = backward(numpy.ones(5, dtype))[0]
            assert_allclose(g_x[[0, 1, 3, 4]], 0, atol=1e-35)
            assert g_x[2] in (0.25, 1)


@pytest.mark.parametrize(
    ("dtype", "x", "rtol"),
    [("float64", -700.0, 1e-14), ("float64", -40.0, 1e-14), ("float32", -80.0, 1e-6)],
)
def test_sigmoid_is_accurate_in_the_tail(dtype, x, rtol):
    """There, sigmoid and its derivative are e**x, however small."""
    y, backward = run(ops.sigmoid, numpy.array([x], dtype))
    assert_allclose(y.astype(float), math.exp(x), rtol=rtol)
    assert_allclose(backward(numpy.ones(1, dtype))[0].astype(float), math.exp(x), rtol=rtol)


@given(SEEDS)
def test_sigmoid_of_x_and_of_minus_x_add_up_to_1(seed):
    x = numbers(seed, (7,)) * 5
    assert_allclose(run(ops.sigmoid, x)[0] + run(ops.sigmoid, -x)[0], 1, rtol=1e-15)
