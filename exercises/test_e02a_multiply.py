"""Claims about multiply: the product, and for each operand the gradient times the other."""

import numpy
from e02a_multiply import multiply

from minires.course import Check

check = Check("02a")
rng = numpy.random.default_rng(2)
a, b = rng.standard_normal((2, 3)), rng.standard_normal((2, 3)) + 2


def test_two_numbers_each():
    check.gradients(multiply, numpy.array([2.0, 3.0]), numpy.array([5.0, 7.0]))


def test_zeros_have_gradients_too():
    check.gradients(multiply, numpy.array([0.0, -3.0, 0.0]), numpy.array([5.0, 0.0, 0.0]))


def test_infinite_numbers():
    check.gradients(multiply, numpy.array([numpy.inf, 2.0]), numpy.array([3.0, -numpy.inf]))
    check.gradients(multiply, numpy.array([numpy.nan, 2.0]), numpy.array([3.0, 4.0]))
    with numpy.errstate(invalid="ignore"):
        check.gradients(multiply, numpy.array([numpy.inf, 0.0]), numpy.array([0.0, 1.0]))  # NaN, 0


def test_each_side_gets_the_gradient_times_the_other():
    check.backward(multiply, a, b)


def test_what_was_broadcast_gets_a_gradient_of_its_own_shape():
    check.backward(multiply, a, b[0])
    check.backward(multiply, a[:, :1], b)
    check.backward(multiply, a[:1], b[:, :1])
    check.backward(multiply, a, b[0, :1])
    check.backward(multiply, a[:1, :1], b)
    check.backward(multiply, a[:, :1], numpy.stack([b, a, b - a]))
    check.backward(multiply, numpy.stack([b, a, b - a]), a[:, :1])


def test_equal_sizes_are_matched_from_the_right():
    square = rng.standard_normal((3, 3))
    check.backward(multiply, square, square[0])
    check.backward(multiply, square[:, :1], square)
    check.backward(multiply, square[:, :1], square[:1])


def test_either_may_be_a_plain_number():
    check.gradients(multiply, a, 3.0)
    check.gradients(multiply, -2.0, b)
    check.gradients(multiply, a, 3)
    check.gradients(multiply, numpy.array(4.0), b)


def test_an_array_times_itself_gets_two_gradients_that_add_up():
    def run(function):
        x = a.copy()
        result, backward = function(x, x)
        g_left, g_right = backward(b.copy())
        return {"the result": result, "the sum of the two gradients": g_left + g_right}

    check.experiment(run, multiply, "x times x, where both operands are the same array")


def test_gradients_stay_when_backward_runs_for_other_inputs():
    def run(function):
        _, first = function(a.copy(), b.copy())
        _, second = function(b.copy(), a.copy())
        g_a, g_b = first(a - b)
        second(b * b)
        return {"the gradient of a": g_a, "the gradient of b": g_b}

    check.experiment(run, multiply, "two calls, and the gradients of the first after both")


def test_the_result_is_a_new_array_even_if_one_side_is_1():
    check.own_memory(multiply, a, 1)
    check.own_memory(multiply, 1.0, b)
