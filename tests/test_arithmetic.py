"""add, scaled_add, subtract, multiply, divide, negative, power, maximum and where, against Python's own numbers."""

import math
import operator
import re

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import ops
from minires.backend import to_device, to_host
from minires.gradcheck import check_backward
from minires.graph import saved
from minires.ops.elementwise import checked_shapes, unbroadcast
from tests.strategies import SEEDS, SHAPES, broadcastable, distinct, numbers, run, saved_by, types

pytestmark = pytest.mark.usefixtures("each_backend")

PYTHON = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "maximum": max,
}
each_op = pytest.mark.parametrize("name", PYTHON)


def by_loops(function, *arrays):
    """Apply the function to Python's numbers, element by element."""
    arrays = numpy.broadcast_arrays(*arrays)
    return numpy.array(
        [function(*at) for at in zip(*(a.ravel().tolist() for a in arrays))]
    ).reshape(arrays[0].shape)


def operands(name, shapes, seed):
    """Draw two arrays where the op is smooth."""
    if name == "maximum":
        return distinct(seed, shapes[0]), distinct(seed + 1, shapes[1]) + 0.021
    a = numbers(seed, shapes[0], positive=name == "power", away_from_zero=0.1)
    return a, numbers(seed + 1, shapes[1], away_from_zero=0.3)


def beside(op, number, *, left):
    """Return the op of one array, with a plain number on its left or right."""

    def one_array(x):
        y, backward = op(number, x) if left else op(x, number)

        def of_the_array(g):
            gradients = backward(g)
            assert len(gradients) == 2
            return gradients[1:] if left else gradients[:1]

        return y, of_the_array

    return one_array


@each_op
@given(broadcastable(), SEEDS)
def test_each_place_is_python_s_result(name, shapes, seed):
    a, b = operands(name, shapes, seed)
    y, _ = run(getattr(ops, name), a, b)
    assert y.shape == numpy.broadcast_shapes(*shapes)
    assert_allclose(y, by_loops(PYTHON[name], a, b), rtol=1e-12)


@each_op
@given(broadcastable(), SEEDS)
def test_backward(name, shapes, seed):
    check_backward(getattr(ops, name), *operands(name, shapes, seed))


@each_op
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("number", [0.7, 2])
def test_a_plain_number_on_either_side(name, left, number):
    op = beside(getattr(ops, name), number, left=left)
    x = numbers(3, (2, 3), positive=True, away_from_zero=0.2)
    y, _ = run(op, x)
    assert_allclose(y, by_loops(PYTHON[name], *((number, x) if left else (x, number))), rtol=1e-12)
    check_backward(op, x)
    for dtype in ("float32", "float64"):
        assert types(op, x, dtype=dtype) == {dtype}


@each_op
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_of_the_elements_stays(name, dtype):
    assert types(getattr(ops, name), *operands(name, [(2, 3), (3,)], 0), dtype=dtype) == {dtype}


@each_op
def test_an_empty_batch_gives_an_empty_result(name):
    y, backward = run(getattr(ops, name), numpy.ones((0, 3)), numpy.ones(3))
    assert y.shape == (0, 3)
    g_a, g_b = backward(y)
    assert g_a.shape == (0, 3)
    assert_array_equal(g_b, [0, 0, 0])


@each_op
@pytest.mark.parametrize(
    "shapes",
    [((2, 3), (4,)), ((2, 3), (2,)), ((3, 1, 4), (2, 3, 4)), ((2, 5), (3, 5)), ((2,), (3, 3))],
)
def test_shapes_that_do_not_broadcast_are_refused(name, shapes):
    message = f"{name}: expected shapes that broadcast (from the right, sizes equal or 1), got {shapes[0]} and {shapes[1]}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(getattr(ops, name), *map(numpy.ones, shapes))


@pytest.mark.parametrize(
    ("name", "keeps"),
    [
        ("add", ""),
        ("subtract", ""),
        ("multiply", "a b"),
        ("divide", "a b"),
        ("power", "a b"),
        ("maximum", "a b"),
    ],
)
def test_backward_saves_the_operands_or_nothing(name, keeps):
    a, b = map(to_device, operands(name, [(2, 3), (3,)], 0))
    _, backward = getattr(ops, name)(a, b)
    arrays = saved(backward)
    assert list(arrays) == keeps.split()
    assert all(array is {"a": a, "b": b}[name] for name, array in arrays.items())  # no copies


# Broadcasting.


def test_broadcast_gives_both_shapes_and_a_number_has_none():
    x = to_device(numpy.ones((2, 3)))
    assert checked_shapes("add", x, to_device(numpy.ones((1, 1, 3)))) == ((2, 3), (1, 1, 3))
    assert checked_shapes("add", 2.0, x) == ((), (2, 3))
    assert checked_shapes("add", x, 2) == ((2, 3), ())


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((3,), [5, 7, 9]),
        ((1, 3), [[5, 7, 9]]),
        ((2, 1), [[6], [15]]),
        ((1, 1), [[21]]),
        ((1,), [21]),
        ((), 21),
        ((2, 3), [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_unbroadcast_sums_over_what_was_stretched(shape, expected):
    result = to_host(unbroadcast(to_device(numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])), shape))
    assert result.shape == shape
    assert_array_equal(result, expected)


def test_unbroadcast_leaves_alone_an_axis_of_size_1_that_was_not_stretched():
    g = numpy.arange(6.0).reshape(2, 1, 3)
    assert_array_equal(to_host(unbroadcast(to_device(g), (1, 3))), [[3, 5, 7]])
    assert to_host(unbroadcast(to_device(g), (1, 1, 1))).tolist() == [[[15]]]


@given(broadcastable(), SEEDS)
def test_unbroadcast_is_the_adjoint_of_broadcasting(shapes, seed):
    x, g = numbers(seed, shapes[0]), numbers(seed + 1, numpy.broadcast_shapes(*shapes))
    summed = to_host(unbroadcast(to_device(g), x.shape))
    assert summed.shape == x.shape
    assert_allclose((x * summed).sum(), (numpy.broadcast_to(x, g.shape) * g).sum(), atol=1e-12)


def test_unbroadcast_over_no_images_gives_zeros():
    assert_array_equal(to_host(unbroadcast(to_device(numpy.ones((0, 3))), (1, 3))), [[0, 0, 0]])


@given(SHAPES, SEEDS, st.floats(-3, 3))
def test_scaled_add_is_the_sum_by_loops_and_alpha_gets_a_gradient(shape, seed, alpha):
    x, branch = numbers(seed, shape), numbers(seed + 1, shape)
    alpha = numpy.array(alpha)
    y, _ = run(ops.scaled_add, x, branch, alpha)
    assert_allclose(
        y, by_loops(lambda a, b: a + float(alpha) * b, x, branch), rtol=1e-12, atol=1e-12
    )
    check_backward(ops.scaled_add, x, branch, alpha)


def test_scaled_add_by_hand_and_with_a_number():
    x, branch, g = numpy.array([1.0, 2.0]), numpy.array([10.0, -20.0]), numpy.array([1.0, 3.0])
    for alpha in (0.5, numpy.array(0.5)):
        y, backward = run(ops.scaled_add, x, branch, alpha)
        assert_array_equal(y, [6, -8])
        g_x, g_branch, g_alpha = backward(g)
        assert_array_equal(g_x, g)
        assert_array_equal(g_branch, [0.5, 1.5])
        assert g_alpha == 10 - 60 and g_alpha.shape == ()


@pytest.mark.parametrize(
    ("branch", "alpha"), [((2, 1), ()), ((3,), ()), ((2, 3), (1,)), ((2, 3), (2, 3))]
)
def test_scaled_add_refuses_shapes_that_would_broadcast(branch, alpha):
    told = f"scaled_add: expected a branch of shape (2, 3) and one alpha, got {branch} and {alpha}"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        run(ops.scaled_add, numpy.ones((2, 3)), numpy.ones(branch), numpy.ones(alpha))


def test_add_hands_the_same_gradient_to_both_sides():
    x = to_device(numpy.ones((2, 3)))
    _, backward = ops.add(x, x)
    g = to_device(numpy.ones((2, 3)))
    assert all(gradient is g for gradient in backward(g))


# Each op's own.


def test_gradients_by_hand():
    a, b, g = numpy.array([6.0, 3.0]), numpy.array([2.0, -4.0]), numpy.array([1.0, 10.0])
    for op, g_a, g_b in [
        (ops.add, [1, 10], [1, 10]),
        (ops.subtract, [1, 10], [-1, -10]),
        (ops.multiply, [2, -40], [6, 30]),
        (ops.divide, [0.5, -2.5], [-1.5, -1.875]),
        (ops.maximum, [1, 10], [0, 0]),
    ]:
        _, backward = run(op, a, b)
        assert_allclose(backward(g), [g_a, g_b], rtol=1e-15)


@given(SHAPES, SEEDS)
def test_negative_turns_the_sign_there_and_back(shape, seed):
    x = numbers(seed, shape)
    y, _ = run(ops.negative, x)
    assert_array_equal(y, by_loops(operator.neg, x))
    check_backward(ops.negative, x)


def test_negative_saves_nothing():
    assert saved_by(ops.negative, numpy.ones((2, 3))) == {}
    assert types(ops.negative, numpy.ones(2), dtype="float32") == {"float32"}
    assert types(ops.negative, numpy.ones(2), dtype="float64") == {"float64"}
    y, backward = run(ops.negative, numpy.ones((0, 2)))
    assert y.shape == backward(y)[0].shape == (0, 2)


def test_power_has_a_slope_of_0_where_b_is_0_and_where_a_is_0():
    a, b = numpy.array([0.0, 0.0, 0.0, 5.0, 0.5]), numpy.array([0.0, 1.0, 2.0, 0.0, 3.0])
    with numpy.errstate(all="raise"):
        y, backward = run(ops.power, a, b)
        g_a, g_b = backward(numpy.array([1.0, 10.0, 100.0, 1000.0, 8.0]))
    assert_array_equal(y, [1, 0, 0, 1, 0.125])
    assert_allclose(g_a, [0, 10, 0, 0, 6])
    assert_allclose(g_b, [0, 0, 0, 1000 * math.log(5), math.log(0.5)])


def test_power_has_a_slope_of_0_where_b_is_0_even_at_infinity():
    with numpy.errstate(invalid="ignore"):
        _, backward = run(ops.power, numpy.array([numpy.inf, -numpy.inf]), numpy.zeros(2))
        assert_array_equal(backward(numpy.ones(2))[0], [0, 0])


def test_power_of_mixed_types_has_the_digits_of_the_longer():
    a, b = numpy.array([1 / 3, 1.7]), numpy.array([2.5, -1.5], "float32")
    _, backward = run(ops.power, a, b)
    g_a, g_b = backward(numpy.ones(2))
    assert_allclose(g_a, [y * x ** (y - 1) for x, y in zip(a.tolist(), b.tolist())], rtol=1e-14)
    assert_allclose(g_b, [x**y * math.log(x) for x, y in zip(a.tolist(), b.tolist())], rtol=1e-14)


def test_power_of_0_below_the_first_has_infinite_slopes():
    with numpy.errstate(divide="ignore"):
        _, backward = run(ops.power, numpy.zeros(2), numpy.array([0.5, -1.0]))
        g_a, g_b = backward(numpy.ones(2))
    assert_array_equal(g_a, [numpy.inf, -numpy.inf])
    assert_array_equal(g_b, [0, -numpy.inf])


@pytest.mark.parametrize(
    ("b", "expected", "slope"),
    [
        (0, [1, 1, 1], [0, 0, 0]),
        (0.0, [1, 1, 1], [0, 0, 0]),
        (1, [-3, 0, 2], [1, 1, 1]),
        (2, [9, 0, 4], [-6, 0, 4]),
        (3.0, [-27, 0, 8], [27, 0, 12]),
    ],
)
def test_an_array_to_a_plain_power_may_be_negative_and_the_power_gets_no_gradient(
    b, expected, slope
):
    with numpy.errstate(all="raise"):
        y, backward = ops.power(to_device(numpy.array([-3.0, 0.0, 2.0])), b)
        g_a, g_b = backward(to_device(numpy.array([1.0, 10.0, 100.0])))
    assert_array_equal(to_host(y), expected)
    assert g_a.shape == (3,) and g_b is None
    assert_array_equal(to_host(g_a), numpy.multiply(slope, [1, 10, 100]))


def test_an_array_to_a_negative_plain_power():
    y, backward = ops.power(to_device(numpy.array([-2.0, 4.0])), -1)
    assert_array_equal(to_host(y), [-0.5, 0.25])
    assert_array_equal(to_host(backward(to_device(numpy.array([16.0, 16.0])))[0]), [-4, -1])


def test_a_plain_number_to_the_power_of_an_array():
    b = numpy.array([0.0, 2.0, 3.0])
    with numpy.errstate(all="raise"):
        for number, expected, slope in [
            (2, [1, 4, 8], math.log(2)),
            (0, [1, 0, 0], 0),
            (1, [1, 1, 1], 0),
        ]:
            y, backward = run(beside(ops.power, number, left=True), b)
            assert_array_equal(y, expected)
            assert_allclose(
                backward(numpy.array([1.0, 10.0, 100.0]))[0],
                numpy.multiply(expected, slope) * [1, 10, 100],
            )


def test_on_a_tie_each_side_of_maximum_gets_half():
    y, backward = run(
        ops.maximum, numpy.array([1.0, 2.0, 3.0, 0.0]), numpy.array([1.0, 3.0, 2.0, 0.0])
    )
    assert_array_equal(y, [1, 3, 3, 0])
    g_a, g_b = backward(numpy.array([10.0, 20.0, 30.0, 40.0]))
    assert_array_equal(g_a, [5, 0, 30, 20])
    assert_array_equal(g_b, [5, 20, 0, 20])


def test_ties_of_maximum_with_a_stretched_side_and_with_a_number():
    _, backward = run(ops.maximum, numpy.array([[1.0], [2.0]]), numpy.array([1.0, 2.0, 3.0]))
    g_a, g_b = backward(numpy.array([[1.0, 10.0, 100.0], [1e3, 1e4, 1e5]]))
    assert_array_equal(g_a, [[0.5], [1000 + 5000]])
    assert_array_equal(g_b, [0.5, 10 + 5000, 100 + 1e5])
    for left in (True, False):
        _, backward = run(beside(ops.maximum, 2, left=left), numpy.array([1.0, 2.0, 3.0]))
        assert_array_equal(backward(numpy.array([1.0, 10.0, 100.0]))[0], [0, 5, 100])


@given(broadcastable(), st.data(), SEEDS)
def test_where_takes_a_or_b(shapes, data, seed):
    shape = numpy.broadcast_shapes(*shapes)
    of_condition = data.draw(st.sampled_from([shape, shape[1:], (1, *shape[1:]), ()]))
    condition = numpy.asarray(numbers(seed + 2, of_condition) > 0)
    a, b = (numbers(seed + i, s) for i, s in enumerate(shapes))
    y, _ = run(ops.where, condition, a, b)
    assert_array_equal(y, by_loops(lambda this, x, z: x if this else z, condition, a, b))
    check_backward(ops.where, condition, a, b)


def test_where_by_hand_and_the_condition_gets_no_gradient():
    condition = numpy.array([[True, False, False], [True, True, False]])
    y, backward = run(
        ops.where, condition, numpy.array([1.0, 2.0, 3.0]), numpy.array([[-1.0], [-2.0]])
    )
    assert_array_equal(y, [[1, -1, -1], [1, 2, -2]])
    g_condition, g_a, g_b = backward(numpy.array([[1.0, 10.0, 100.0], [1e3, 1e4, 1e5]]))
    assert g_condition is None
    assert_array_equal(g_a, [1001, 10000, 0])
    assert_array_equal(g_b, [[110], [1e5]])


def test_where_with_plain_numbers():
    condition = to_device(numpy.array([True, False]))
    x = to_device(numpy.array([3.0, 4.0], "float32"))
    for a, b, expected, slopes in [(x, 0.5, [3, 0.5], [1, 0]), (0.5, x, [0.5, 4], [0, 1])]:
        y, backward = ops.where(condition, a, b)
        g_x = backward(x)[1 if a is x else 2]
        assert y.dtype == g_x.dtype == numpy.float32
        assert_array_equal(to_host(y), expected)
        assert_array_equal(to_host(g_x), [3 * slopes[0], 4 * slopes[1]])


def test_where_saves_the_condition_and_keeps_the_type():
    condition, a, b = numpy.array([True, False, True]), numpy.ones((2, 3)), numpy.ones(3)
    held = saved_by(ops.where, condition, a, b)
    assert list(held) == ["condition"] and held["condition"].dtype == bool
    assert_array_equal(held["condition"], condition)
    for dtype in ("float32", "float64"):
        assert types(ops.where, condition, a, b, dtype=dtype) == {dtype}
    y, backward = run(ops.where, numpy.ones((0, 3), bool), numpy.ones((0, 3)), numpy.ones(3))
    assert y.shape == (0, 3)
    assert_array_equal(backward(y)[2], [0, 0, 0])


def test_where_refuses_a_condition_that_is_not_of_bools():
    x = to_device(numpy.ones(2))
    for condition, kind in [
        (x, "float64"),
        (to_device(numpy.array([1, 0])), "int64"),
        ([True, False], "list"),
        (True, "bool"),
    ]:
        with pytest.raises(
            TypeError, match=f"^where: expected an array of bools as condition, got {kind}$"
        ):
            ops.where(condition, x, x)


@pytest.mark.parametrize(
    ("condition", "a", "b", "named"),
    [
        ((2, 3), (4,), (1,), "(2, 3) and (4,)"),
        ((2, 3), (1,), (4,), "(2, 3) and (4,)"),
        ((1,), (2,), (3,), "(2,) and (3,)"),
    ],
)
def test_where_refuses_shapes_that_do_not_broadcast(condition, a, b, named):
    with pytest.raises(
        ValueError, match=f"^where: expected shapes that broadcast .* got {re.escape(named)}$"
    ):
        run(ops.where, numpy.ones(condition, bool), numpy.ones(a), numpy.ones(b))
