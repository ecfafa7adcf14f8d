"""Claims about max_pool_by_address: the pooling of 06b, whose gradients add up where windows overlap."""

import numpy
from e06e_max_pool_by_address import max_pool_by_address

from minires.course import Check

check = Check("06e")
rng = numpy.random.default_rng(17)
images = (rng.permutation(2 * 5 * 7 * 3) * 0.1 - 12).reshape(
    2, 5, 7, 3
)  # no two elements are equal
steps = numpy.round(rng.standard_normal((1, 4, 6, 2)))  # many are


def test_the_result_is_the_maximum_of_each_window():
    check.same(max_pool_by_address, numpy.arange(16.0).reshape(1, 4, 4, 1) % 7, kernel=2)
    check.same(max_pool_by_address, images, kernel=(3, 2), stride=(1, 2))


def test_the_padding_never_wins():
    check.same(max_pool_by_address, -1 - abs(images), kernel=3, stride=2, padding=1)
    for scale in (1e4, 1e12, 1e37):
        low = scale / numpy.pi * (images - 9)
        check.gradients(max_pool_by_address, low, kernel=3, stride=2, padding=1)


def test_without_overlaps_each_gradient_goes_to_its_own_pixel():
    check.backward(max_pool_by_address, images, kernel=2)
    check.backward(max_pool_by_address, images, kernel=(3, 2))


def test_on_a_tie_the_first_gets_all():
    check.gradients(max_pool_by_address, numpy.zeros((1, 4, 4, 1)), kernel=2)
    check.gradients(max_pool_by_address, steps, kernel=2)
    near = 1 + rng.permutation(48).reshape(1, 4, 6, 2) * 1e-13  # no ties
    check.gradients(max_pool_by_address, near, kernel=2)


def test_a_maximum_of_two_windows_gets_both_gradients():
    peak = numpy.array([[1.0, 2, 3, 4], [5, 16, 15, 6], [7, 14, 13, 8], [9, 10, 11, 12]]).reshape(
        1, 4, 4, 1
    )
    check.backward(max_pool_by_address, peak, kernel=3, stride=1)


def test_overlaps_with_padding_and_ties():
    check.backward(max_pool_by_address, images, kernel=3, stride=2, padding=1)
    check.backward(max_pool_by_address, images, kernel=(2, 4), stride=(1, 2), padding=(1, 2))
    check.gradients(max_pool_by_address, steps, kernel=3, stride=1, padding=1)


def test_sizes_that_are_all_equal():
    cube = images.ravel()[:81].reshape(3, 3, 3, 3)
    check.gradients(max_pool_by_address, cube, kernel=3, stride=1, padding=1)
    check.gradients(max_pool_by_address, cube[:2, :, :, :2], kernel=2, stride=1)


def test_a_pixel_that_no_window_sees_gets_0():
    check.gradients(max_pool_by_address, images, kernel=1, stride=2)
    check.gradients(max_pool_by_address, images, kernel=2, stride=3)


def test_a_kernel_as_large_as_the_image():
    check.gradients(max_pool_by_address, images, kernel=(5, 7))


def test_ties_in_windows_that_overlap():
    check.gradients(max_pool_by_address, numpy.ones((2, 4, 5, 2)), kernel=2, stride=1)
    check.gradients(max_pool_by_address, steps, kernel=(3, 2), stride=(2, 1))
    check.gradients(max_pool_by_address, -numpy.ones((1, 5, 6, 2)), kernel=3, stride=2, padding=1)
