"""Claims about sum_of_squares: one number for an array of any shape."""

import numpy
from e00a_sum_of_squares import sum_of_squares

from minires.course import Check

check = Check("00a")


def test_three_numbers():
    check.same(sum_of_squares, numpy.array([1.0, 2.0, 3.0]))


def test_negative_numbers_count_as_much():
    check.same(sum_of_squares, numpy.array([1.0, -2.0, 0.5, -4.0]))


def test_equal_numbers_all_count():
    check.same(sum_of_squares, numpy.array([2.0, 2.0, -2.0, 2.0]))


def test_all_axes_are_added_up_however_many_there_are():
    check.same(sum_of_squares, numpy.arange(24.0).reshape(2, 3, 4) - 7)
    check.same(sum_of_squares, numpy.array(-3.0))


def test_many_numbers():
    check.same(sum_of_squares, numpy.random.default_rng(7).standard_normal((3, 3, 500)))


def test_infinity_and_nan_are_not_left_out():
    check.same(sum_of_squares, numpy.array([1.0, -numpy.inf, 2.0]))
    check.same(sum_of_squares, numpy.array([1.0, numpy.nan, 2.0]))


def test_an_empty_array_has_the_sum_0():
    check.same(sum_of_squares, numpy.zeros((0, 3)))


def test_tiny_numbers_are_not_rounded_off():
    check.same(sum_of_squares, numpy.array([1e-6, -3e-7, 2e-9]))
    check.same(sum_of_squares, numpy.array([1e-17, -3e-17]))
