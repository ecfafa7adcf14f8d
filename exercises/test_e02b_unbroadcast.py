"""Claims about unbroadcast: an element that was used k times gets the sum of k gradients."""

import numpy
from e02b_unbroadcast import unbroadcast

from minires.course import Check

check = Check("02b")
rng = numpy.random.default_rng(3)
g = rng.standard_normal((2, 3, 4))
square, cube = rng.standard_normal((3, 3)), rng.standard_normal((3, 3, 3))


def test_the_same_shape_is_unchanged():
    check.same(unbroadcast, g, (2, 3, 4))


def test_new_axes_in_front_are_summed():
    check.same(unbroadcast, g[0], (4,))
    check.same(unbroadcast, g, (4,))
    check.same(unbroadcast, g, (3, 4))
    check.same(unbroadcast, numpy.zeros((0, 3)), (3,))  # the sum of no gradients is 0


def test_axes_of_size_1_are_summed_and_kept():
    check.same(unbroadcast, g[0], (3, 1))
    check.same(unbroadcast, g, (1, 3, 1))


def test_an_axis_of_size_1_that_became_empty_gets_0():
    check.same(unbroadcast, numpy.zeros((3, 0)), (3, 1))
    check.same(unbroadcast, numpy.zeros((0, 0)), (1,))


def test_both_at_once():
    check.same(unbroadcast, g, (3, 1))
    check.same(unbroadcast, g, (1, 4))
    check.same(unbroadcast, g[:, :, :1], (1, 1))


def test_an_axis_of_size_1_that_was_not_broadcast_is_kept():
    check.same(unbroadcast, g[:, :1], (2, 1, 1))
    check.same(unbroadcast, g[:, :1], (1, 4))


def test_a_number_gets_the_sum_of_all_gradients():
    check.same(unbroadcast, g, ())
    check.same(unbroadcast, numpy.array(2.5), ())
    check.same(unbroadcast, g[:1, :1, :1], ())


def test_equal_sizes_are_matched_from_the_right():
    check.same(unbroadcast, square, (3,))
    check.same(unbroadcast, square, (3, 1))
    check.same(unbroadcast, square, (1, 3))
    check.same(unbroadcast, cube, (3, 3))
    check.same(unbroadcast, cube, (3, 1))
    check.same(unbroadcast, cube, (3, 1, 3))
    check.same(unbroadcast, rng.standard_normal((3, 3, 4)), (3, 1))


def test_more_than_three_axes():
    check.same(unbroadcast, numpy.stack([cube, g[:1, :, :3] + cube]), (3, 1, 3))
    check.same(unbroadcast, numpy.arange(240.0).reshape(2, 5, 2, 3, 4), (5, 1, 1, 4))
    check.same(unbroadcast, numpy.arange(240.0).reshape(2, 5, 2, 3, 4), (4,))


def test_infinite_gradients_are_summed_too():
    infinite = numpy.array([[1.0, numpy.inf, 2.0], [3.0, 4.0, numpy.nan]])
    check.same(unbroadcast, infinite, (3,))
    check.same(unbroadcast, infinite, (2, 1))
