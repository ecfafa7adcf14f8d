"""Claims about log_softmax: x - log(sum(e**x)) along an axis, for numbers of any size, and its gradient."""

import numpy
from e04a_log_softmax import log_softmax

from minires.course import Check

check = Check("04a")
rng = numpy.random.default_rng(41)
x = 2 * rng.standard_normal((3, 4, 5)) + 1


def test_one_line_of_three():
    check.gradients(log_softmax, numpy.log([[1.0, 2.0, 5.0]]))  # log of 1/8, 2/8, 5/8


def test_each_line_by_itself():
    check.backward(log_softmax, x[0])


def test_any_axis():
    check.backward(log_softmax, x)
    check.backward(log_softmax, x, axis=0)
    check.backward(log_softmax, x, axis=1)
    check.backward(log_softmax, x[0], axis=-2)
    check.backward(log_softmax, x[0, 0])


def test_a_thousand_does_not_overflow():
    check.gradients(log_softmax, numpy.array([[1000.0, 999.0, 1001.0], [998.0, 1000.0, 1000.0]]))


def test_lines_that_lie_far_apart():
    check.gradients(
        log_softmax, numpy.array([[1000.0, 1001.0, 1003.0], [-1000.0, -1002.0, -1001.0]])
    )


def test_numbers_that_lie_far_apart_in_one_line():
    check.gradients(log_softmax, numpy.array([[0.0, 1000.0, -1000.0], [5.0, 1.0, -900.0]]))
