"""Claims about softmax: e**x / sum(e**x) along an axis, for numbers of any size, and its gradient."""

import numpy
from e04h_softmax import softmax

from minires.course import Check

check = Check("04h")
x = numpy.random.default_rng(48).standard_normal((3, 4, 2))


def test_one_line_of_three():
    check.gradients(softmax, numpy.log([1.0, 2.0, 5.0]))


def test_small_numbers_along_any_axis():
    check.backward(softmax, x[0])
    check.backward(softmax, x, axis=0)
    check.backward(softmax, x, axis=1)


def test_a_thousand_does_not_overflow():
    check.gradients(softmax, numpy.array([[1000.0, 999.0, 1001.0], [1000.0, 1000.0, 998.0]]))


def test_lines_that_lie_far_apart():
    check.gradients(softmax, numpy.array([[1000.0, 1001.0, 1003.0], [-1000.0, -1002.0, -1001.0]]))
    check.gradients(softmax, numpy.array([[0.0, 2000.0], [1.0, 1998.0], [-1.0, 1999.0]]), axis=0)


def test_numbers_that_lie_far_apart_in_one_line():
    check.gradients(
        softmax, numpy.array([[0.0, 2000.0, 1000.0], [5.0, 1.0, -900.0], [-1000.0, -999.0, 1000.0]])
    )
