"""Claims about add: the sum, and for each operand the gradient itself, in the operand's shape."""

import numpy
from e02c_add import add

from minires.course import Check

check = Check("02c")
rng = numpy.random.default_rng(12)
a, b = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 3, 4)) + 1


def test_both_operands_are_unchanged_afterwards():
    def run(function):
        x, y = a.copy(), b.copy()
        return {"the sum": function(x, y)[0], "a afterwards": x, "b afterwards": y}

    check.experiment(run, add, "a + b, and a and b afterwards")


def test_two_numbers_each():
    check.gradients(add, numpy.array([2.0, 3.0]), numpy.array([5.0, -7.0]))


def test_each_operand_gets_all_of_the_gradient():
    check.backward(add, a, b)


def test_new_axes_in_front_are_summed():
    check.backward(add, a, b[0])
    check.backward(add, b[0, 0], a)


def test_broadcast_axes_are_summed():
    check.backward(add, a[0], b[:, :, :1])
    check.backward(add, a[:, :1], b)
    check.backward(add, a[:1], b[0, :, :1])
    check.backward(add, a[0, :, :1], b)


def test_equal_sizes_are_matched_from_the_right():
    cube = rng.standard_normal((3, 3, 3))
    check.backward(add, cube, cube[0])
    check.backward(add, cube[0, 0], cube[1])
    check.backward(add, cube[:, 0], cube[0, :, :1])
    check.backward(add, cube[:, :1], cube[:1])


def test_a_single_element():
    check.backward(add, a, b[0, 0, :1])
    check.backward(add, a[:1, :1, :1], b)
    check.backward(add, a[0, 0, :1], b[1, :1, :1])


def test_an_axis_of_size_1_on_both_sides():
    check.backward(add, a[:1], b[:1])
    check.backward(add, a[:1, :1], b[0])


def test_either_may_be_a_plain_number():
    check.gradients(add, a, 3.0)
    check.gradients(add, -2.0, b)
    check.gradients(add, a, 0)
    check.gradients(add, numpy.array(4.0), b)


def test_zeros_and_large_and_infinite_numbers():
    check.gradients(add, numpy.array([0.0, 1e9, -1e9]), numpy.array([-0.0, 1.0, 1e9]))
    check.gradients(add, numpy.array([numpy.inf, 1.0]), numpy.array([2.0, numpy.nan]))


def test_an_array_plus_itself_gets_two_gradients_that_add_up():
    def run(function):
        x = a.copy()
        result, backward = function(x, x)
        g_left, g_right = backward(b.copy())
        return {
            "the sum": result,
            "x afterwards": x,
            "the sum of the two gradients": g_left + g_right,
        }

    check.experiment(run, add, "x plus x, where both operands are the same array")


def test_gradients_stay_when_backward_runs_for_other_inputs():
    def run(function):
        _, first = function(a.copy(), b[0].copy())
        _, second = function(b.copy(), a[0].copy())
        g_a, g_b = first(a - b)
        second(b * b)
        return {"the gradient of a": g_a, "the gradient of b": g_b}

    check.experiment(run, add, "two calls, and the gradients of the first after both")


def test_the_result_is_a_new_array_even_if_one_side_is_0():
    check.own_memory(add, a, 0)
    check.own_memory(add, 0.0, b)
