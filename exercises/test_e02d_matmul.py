"""Claims about matmul: the product, and for each operand the gradient times the other, transposed, in the operand's shape."""

import numpy
from e02d_matmul import matmul

from minires.course import Check

check = Check("02d")
rng = numpy.random.default_rng(21)


def drawn(*shape):
    return rng.standard_normal(shape)


def test_square_matrices():
    check.gradients(
        matmul, numpy.array([[1.0, 2.0], [3.0, 4.0]]), numpy.array([[5.0, -6.0], [7.0, 8.0]])
    )


def test_other_shapes():
    check.backward(matmul, drawn(2, 3), drawn(3, 5))
    check.backward(matmul, drawn(1, 4), drawn(4, 1))
    check.backward(matmul, drawn(5, 7), drawn(7, 3))


def test_a_stack_of_matrices_on_both_sides():
    check.backward(matmul, drawn(4, 4, 4), drawn(4, 4, 4))
    check.backward(matmul, drawn(3, 2, 4), drawn(3, 4, 5))


def test_one_matrix_for_a_whole_stack():
    check.backward(matmul, drawn(4, 2, 3), drawn(3, 5))
    check.backward(matmul, drawn(2, 3), drawn(4, 3, 5))


def test_stacks_that_broadcast():
    check.backward(matmul, drawn(4, 1, 2, 3), drawn(6, 3, 5))
    check.backward(matmul, drawn(1, 2, 3), drawn(4, 3, 2))
    check.backward(matmul, drawn(1, 2, 3), drawn(5, 4, 3, 2))
    check.backward(matmul, drawn(2, 1, 4, 2, 3), drawn(2, 1, 3, 2))


def test_a_stack_as_high_as_its_matrices():
    check.backward(matmul, drawn(3, 3, 3), drawn(3, 3))
    check.backward(matmul, drawn(3, 3), drawn(3, 3, 3))
    check.backward(matmul, drawn(3, 1, 3, 3), drawn(3, 3, 3))


def test_matrices_with_a_single_row_or_column():
    check.backward(matmul, drawn(1, 1), drawn(1, 1))
    check.backward(matmul, drawn(5, 1), drawn(1, 5))
    check.backward(matmul, drawn(2, 1, 3), drawn(2, 3, 1))


def test_zeros_have_gradients_too():
    check.backward(matmul, drawn(2, 3), numpy.zeros((3, 5)))
    check.backward(matmul, numpy.zeros((4, 2, 3)), drawn(3, 5))


def test_transposed_matrices():
    check.backward(matmul, drawn(3, 2).T, drawn(5, 3).T)


def test_a_matrix_times_itself_gets_two_gradients_that_add_up():
    x, g = drawn(3, 3), drawn(3, 3)

    def run(function):
        same = x.copy()
        result, backward = function(same, same)
        g_left, g_right = backward(g.copy())
        return {"the result": result, "the sum of the two gradients": g_left + g_right}

    check.experiment(run, matmul, "x @ x, where both operands are the same array")


def test_gradients_stay_when_backward_runs_for_other_inputs():
    def run(function):
        _, first = function(numpy.eye(3).copy(), numpy.ones((3, 3)).copy())
        _, second = function(numpy.ones((3, 3)).copy(), numpy.eye(3).copy())
        g_a, g_b = first(numpy.arange(9.0).reshape(3, 3))
        second(numpy.eye(3))
        return {"the gradient of a": g_a, "the gradient of b": g_b}

    check.experiment(run, matmul, "two calls, and the gradients of the first after both")


def test_infinity_and_nan_are_not_left_out():
    infinite, unknown = numpy.array([[1.0, numpy.inf]]), numpy.array([[numpy.nan, 1.0], [3.0, 4.0]])
    check.gradients(matmul, infinite, numpy.array([[4.0, 5.0], [6.0, 7.0]]))
    check.gradients(matmul, numpy.array([[1.0, 2.0]]), unknown)
