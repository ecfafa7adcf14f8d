"""Claims about conv2d_by_places: the convolution of 05b, and two gradients that agree with finite differences."""

import numpy
from e05f_conv2d_by_places import conv2d_by_places

from minires.course import Check

check = Check("05f")
rng = numpy.random.default_rng(16)


def arrays(n, h, w, c, kh, kw, f):
    return rng.standard_normal((n, h, w, c)), rng.standard_normal((kh, kw, c, f))


def test_the_result_is_the_convolution():
    check.same(conv2d_by_places, *arrays(2, 4, 3, 3, 2, 2, 2))
    check.same(conv2d_by_places, *arrays(1, 5, 8, 2, 2, 3, 3), stride=(3, 2), padding=(0, 2))


def test_a_1x1_kernel():
    check.backward(conv2d_by_places, *arrays(2, 3, 4, 3, 1, 1, 2))
    check.backward(conv2d_by_places, *arrays(1, 5, 7, 2, 1, 1, 3), stride=2)


def test_one_channel_and_one_filter():
    check.backward(conv2d_by_places, *arrays(1, 3, 3, 1, 2, 2, 1))


def test_both_gradients_are_right():
    check.backward(conv2d_by_places, *arrays(2, 4, 5, 2, 3, 2, 3))


def test_with_stride_and_padding_too():
    check.backward(conv2d_by_places, *arrays(2, 5, 7, 2, 3, 3, 3), stride=2, padding=1)
    check.backward(conv2d_by_places, *arrays(1, 7, 6, 3, 2, 3, 2), stride=(3, 2), padding=(1, 2))


def test_sizes_that_are_all_equal():
    check.gradients(conv2d_by_places, *arrays(3, 3, 3, 3, 3, 3, 3), padding=1)
    check.gradients(conv2d_by_places, *arrays(2, 4, 4, 2, 2, 2, 2), stride=2)


def test_a_kernel_of_one_row_or_one_column():
    check.gradients(conv2d_by_places, *arrays(2, 4, 5, 2, 1, 3, 3))
    check.gradients(conv2d_by_places, *arrays(2, 5, 4, 3, 3, 1, 2), padding=1)


def test_a_kernel_as_large_as_the_image():
    check.gradients(conv2d_by_places, *arrays(2, 3, 4, 2, 3, 4, 3))


def test_a_stride_longer_than_the_kernel():
    check.gradients(conv2d_by_places, *arrays(1, 8, 9, 2, 2, 1, 2), stride=(3, 4))
