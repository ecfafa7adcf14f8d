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


def test_a_stack_of_matrices_on_both_sides():
    check.backward(matmul, drawn(4, 4, 4), drawn(4, 4, 4))
    check.backward(matmul, drawn(3, 2, 4), drawn(3, 4, 5))


def test_one_matrix_for_a_whole_stack():
    check.backward(matmul, drawn(4, 2, 3), drawn(3, 5))
    check.backward(matmul, drawn(2, 3), drawn(4, 3, 5))


def test_stacks_that_broadcast():
    check.backward(matmul, drawn(4, 1, 2, 3), drawn(6, 3, 5))
    check.backward(matmul, drawn(1, 2, 3), drawn(4, 3, 2))


def test_matrices_that_lie_turned_in_memory():
    check.backward(matmul, drawn(3, 2).T, drawn(5, 3).T)
