"""Claims about max_pool2d: the maximum under each window, whose first position gets the gradient."""

import numpy
from e06b_max_pool2d import max_pool2d

from minires.course import Check

check = Check("06b")
rng = numpy.random.default_rng(8)
images = (rng.permutation(2 * 5 * 7 * 3) * 0.1 - 10).reshape(
    2, 5, 7, 3
)  # no two elements are equal
steps = numpy.round(rng.standard_normal((1, 4, 6, 2)))  # many are


def test_each_window_gives_its_largest():
    check.same(max_pool2d, numpy.arange(16.0).reshape(1, 4, 4, 1) % 7, kernel=2)


def test_windows_lie_side_by_side_where_no_stride_is_given():
    check.same(max_pool2d, images, kernel=2)
    check.same(max_pool2d, images, kernel=(3, 2))


def test_height_and_width_are_told_apart():
    check.same(max_pool2d, images, kernel=(3, 2), stride=(1, 2))


def test_the_padding_never_wins():
    check.same(max_pool2d, -1 - abs(images), kernel=3, stride=2, padding=1)
    check.gradients(max_pool2d, -1 - abs(images), kernel=(2, 4), stride=2, padding=(1, 2))


def test_the_gradient_goes_to_the_largest():
    check.backward(max_pool2d, images, kernel=2)
    check.backward(max_pool2d, images, kernel=(3, 2), stride=(2, 3))


def test_a_pixel_that_wins_twice_gets_both():
    check.backward(max_pool2d, images, kernel=3, stride=2)
    check.backward(max_pool2d, images, kernel=3, stride=1, padding=1)


def test_on_a_tie_the_first_gets_all():
    check.gradients(max_pool2d, numpy.zeros((1, 4, 4, 1)), kernel=2)
    check.gradients(max_pool2d, steps, kernel=3, stride=1, padding=1)


def test_a_window_may_have_more_than_256_places():
    check.gradients(max_pool2d, numpy.arange(300.0).reshape(1, 60, 5, 1), kernel=(60, 5))
    check.gradients(max_pool2d, numpy.arange(300.0).reshape(1, 5, 60, 1), kernel=(5, 60))
