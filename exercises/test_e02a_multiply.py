"""Claims about multiply: the product, and for each operand the gradient times the other."""

import numpy
from e02a_multiply import multiply

from minires.course import Check

check = Check("02a")
rng = numpy.random.default_rng(2)
a, b = rng.standard_normal((2, 3)), rng.standard_normal((2, 3)) + 2


def test_two_numbers_each():
    check.gradients(multiply, numpy.array([2.0, 3.0]), numpy.array([5.0, 7.0]))


def test_each_side_gets_the_gradient_times_the_other():
    check.backward(multiply, a, b)


def test_what_was_broadcast_gets_a_gradient_of_its_own_shape():
    check.backward(multiply, a, b[0])
    check.backward(multiply, a[:, :1], b)
    check.backward(multiply, a[:1], b[:, :1])


def test_either_may_be_a_plain_number():
    check.gradients(multiply, a, 3.0)
    check.gradients(multiply, -2.0, b)
