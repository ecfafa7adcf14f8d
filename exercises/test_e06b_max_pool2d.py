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


def test_the_result_is_the_maximum_of_each_window():
    check.same(max_pool2d, numpy.arange(16.0).reshape(1, 4, 4, 1) % 7, kernel=2)


def test_without_a_stride_windows_are_next_to_each_other():
    check.same(max_pool2d, images, kernel=2)
    check.same(max_pool2d, images, kernel=(3, 2))


def test_height_and_width_are_told_apart():
    check.same(max_pool2d, images, kernel=(3, 2), stride=(1, 2))


def test_the_padding_never_wins():
    check.same(max_pool2d, -1 - abs(images), kernel=3, stride=2, padding=1)
    for scale in (1e4, 1e12, 1e37):
        check.gradients(max_pool2d, scale / numpy.pi * (images - 11), kernel=3, stride=2, padding=1)
    check.gradients(max_pool2d, -1 - abs(images), kernel=(2, 4), stride=2, padding=(1, 2))


def test_the_padding_never_ties():
    check.gradients(max_pool2d, -numpy.ones((1, 5, 6, 2)), kernel=3, stride=2, padding=1)


def test_the_gradient_goes_to_the_maximum():
    check.backward(max_pool2d, images, kernel=2)
    check.backward(max_pool2d, images, kernel=(3, 2), stride=(2, 3))


def test_a_maximum_of_two_windows_gets_both_gradients():
    check.backward(max_pool2d, images, kernel=3, stride=2)
    check.backward(max_pool2d, images, kernel=3, stride=1, padding=1)


def test_on_a_tie_the_first_gets_all():
    check.gradients(max_pool2d, numpy.zeros((1, 4, 4, 1)), kernel=2)
    check.gradients(max_pool2d, steps, kernel=3, stride=1, padding=1)


def test_a_window_may_have_more_than_256_positions():
    check.gradients(max_pool2d, numpy.arange(300.0).reshape(1, 60, 5, 1), kernel=(60, 5))
    check.gradients(max_pool2d, numpy.arange(300.0).reshape(1, 5, 60, 1), kernel=(5, 60))


def test_numbers_that_are_nearly_equal_are_no_tie():
    near = 1 + rng.permutation(48).reshape(1, 4, 6, 2) * 1e-13
    check.gradients(max_pool2d, near, kernel=2)
    check.gradients(max_pool2d, 1e6 * near, kernel=3, stride=1, padding=1)


def test_infinite_numbers():
    seen = images.copy()
    seen[:, ::2, ::3] = -numpy.inf
    check.gradients(max_pool2d, seen, kernel=2)
    check.gradients(max_pool2d, seen, kernel=3, stride=2, padding=1)
    seen[0, 1, 1] = numpy.inf
    check.gradients(max_pool2d, seen, kernel=3, stride=2, padding=1)


def test_a_1x1_kernel_may_skip_pixels():
    check.gradients(max_pool2d, images, kernel=1)
    check.gradients(max_pool2d, images, kernel=1, stride=(2, 3))


def test_a_kernel_as_large_as_the_image():
    check.gradients(max_pool2d, images, kernel=(5, 7))
    check.gradients(max_pool2d, images, kernel=(5, 7), padding=(2, 3))


def test_sizes_that_are_all_equal():
    cube = images.ravel()[:81].reshape(3, 3, 3, 3)
    check.gradients(max_pool2d, cube, kernel=3, stride=3, padding=1)
    check.gradients(max_pool2d, cube[:2, :, :, :2], kernel=2, stride=1)
