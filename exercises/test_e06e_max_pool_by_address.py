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


def test_each_window_gives_its_largest():
    check.same(max_pool_by_address, numpy.arange(16.0).reshape(1, 4, 4, 1) % 7, kernel=2)
    check.same(max_pool_by_address, images, kernel=(3, 2), stride=(1, 2))


def test_the_padding_never_wins():
    check.same(max_pool_by_address, -1 - abs(images), kernel=3, stride=2, padding=1)


def test_windows_side_by_side_send_each_gradient_to_another_pixel():
    check.backward(max_pool_by_address, images, kernel=2)
    check.backward(max_pool_by_address, images, kernel=(3, 2))


def test_on_a_tie_the_first_gets_all():
    check.gradients(max_pool_by_address, numpy.zeros((1, 4, 4, 1)), kernel=2)
    check.gradients(max_pool_by_address, steps, kernel=2)


def test_a_pixel_that_wins_twice_gets_both():
    peak = numpy.array([[1.0, 2, 3, 4], [5, 16, 15, 6], [7, 14, 13, 8], [9, 10, 11, 12]]).reshape(
        1, 4, 4, 1
    )
    check.backward(max_pool_by_address, peak, kernel=3, stride=1)


def test_overlaps_with_a_frame_and_ties():
    check.backward(max_pool_by_address, images, kernel=3, stride=2, padding=1)
    check.backward(max_pool_by_address, images, kernel=(2, 4), stride=(1, 2), padding=(1, 2))
    check.gradients(max_pool_by_address, steps, kernel=3, stride=1, padding=1)
