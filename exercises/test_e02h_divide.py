"""Claims about divide: the quotient, and its two gradients."""

import numpy
from e02h_divide import divide

from minires.course import Check

check = Check("02h")
rng = numpy.random.default_rng(6)
a, b = rng.standard_normal((2, 3)), rng.uniform(1.5, 3, (2, 3))


def test_two_numbers_each():
    check.gradients(divide, numpy.array([1.0, 3.0]), numpy.array([2.0, -4.0]))


def test_both_gradients_are_right():
    check.backward(divide, a, b)


def test_what_was_broadcast_gets_a_gradient_of_its_own_shape():
    check.backward(divide, a, b[0])
    check.backward(divide, a[:, :1], b)
