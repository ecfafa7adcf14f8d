"""Claims about unbroadcast: an element that was used k times gets the sum of k gradients."""

import numpy
from e02b_unbroadcast import unbroadcast

from minires.course import Check

check = Check("02b")
g = numpy.random.default_rng(3).standard_normal((2, 3, 4))


def test_the_same_shape_stays_as_it_is():
    check.same(unbroadcast, g, (2, 3, 4))


def test_new_axes_in_front_are_summed():
    check.same(unbroadcast, g[0], (4,))
    check.same(unbroadcast, g, (4,))
    check.same(unbroadcast, g, (3, 4))


def test_axes_of_size_1_are_summed_and_stay():
    check.same(unbroadcast, g[0], (3, 1))
    check.same(unbroadcast, g, (1, 3, 1))


def test_both_at_once():
    check.same(unbroadcast, g, (3, 1))
    check.same(unbroadcast, g, (1, 4))
    check.same(unbroadcast, g[:, :, :1], (1, 1))


def test_an_axis_of_size_1_that_was_not_stretched_stays():
    check.same(unbroadcast, g[:, :1], (2, 1, 1))
    check.same(unbroadcast, g[:, :1], (1, 4))


def test_a_number_gets_the_sum_of_all():
    check.same(unbroadcast, g, ())
