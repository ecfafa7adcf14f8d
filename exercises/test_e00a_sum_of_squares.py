"""Claims about sum_of_squares: one number for an array of any shape."""

import numpy
from e00a_sum_of_squares import sum_of_squares

from minires.course import Check

check = Check("00a")


def test_three_numbers():
    check.same(sum_of_squares, numpy.array([1.0, 2.0, 3.0]))


def test_negative_numbers_count_as_much():
    check.same(sum_of_squares, numpy.array([1.0, -2.0, 0.5, -4.0]))


def test_all_axes_are_added_up():
    check.same(sum_of_squares, numpy.arange(24.0).reshape(2, 3, 4) - 7)
