"""Claims about divide: the quotient, and its two gradients."""

import numpy
from e02h_divide import divide

from minires.course import Check

check = Check("02h")
rng = numpy.random.default_rng(6)
a, b = rng.standard_normal((2, 3)), rng.uniform(1.5, 3, (2, 3))


def test_two_numbers_each():
    check.gradients(divide, numpy.array([1.0, 3.0]), numpy.array([2.0, -4.0]))


def test_a_numerator_of_0_has_a_gradient():
    check.backward(divide, numpy.array([0.0, 2.0, 0.0]), numpy.array([-2.0, 0.5, 4.0]))


def test_small_denominators():
    check.gradients(divide, numpy.array([3.0, -2.0]), numpy.array([1e-5, -1e-6]))


def test_both_gradients_are_right():
    check.backward(divide, a, b)


def test_what_was_broadcast_gets_a_gradient_of_its_own_shape():
    check.backward(divide, a, b[0])
    check.backward(divide, a[:, :1], b)
    check.backward(divide, a[0], b)
    check.backward(divide, a[:1], b[:, :1])
    check.backward(divide, a, b[0, :1])
    check.backward(divide, a[:1, :1], b)


def test_equal_sizes_are_matched_from_the_right():
    square = rng.uniform(1.5, 3, (3, 3))
    check.backward(divide, square, square[0])
    check.backward(divide, square[0] - 2, square)
    check.backward(divide, square[:, :1], square[:1])


def test_gradients_stay_when_backward_runs_for_other_inputs():
    def run(function):
        _, first = function(a.copy(), b.copy())
        _, second = function(b.copy(), b.copy())
        g_a, g_b = first(a - b)
        second(b * b)
        return {"the gradient of a": g_a, "the gradient of b": g_b}

    check.experiment(run, divide, "two calls, and the gradients of the first after both")


def test_either_may_have_no_axes():
    check.gradients(divide, a, numpy.array(-0.5))
    check.gradients(divide, numpy.array(3.0), b)


def test_a_denominator_of_0_is_not_hidden():
    def run(function):
        with numpy.errstate(all="ignore"):
            quotient, backward = function(numpy.array([1.0, -2.0, 0.0]), numpy.zeros(3))
            g_a, g_b = backward(numpy.array([1.0, 3.0, -1.0]))
        return {"the quotient": quotient, "the gradient of a": g_a, "the gradient of b": g_b}

    check.experiment(run, divide, "[1, -2, 0] / [0, 0, 0]")
