"""Claims about conv2d_by_loops: at each step, the sum over the window and the channels."""

import numpy
from e05b_conv2d_by_loops import conv2d_by_loops

from minires.course import Check

check = Check("05b")
rng = numpy.random.default_rng(11)


def arrays(n, h, w, c, kh, kw, f):
    return rng.standard_normal((n, h, w, c)), rng.standard_normal((kh, kw, c, f))


def test_the_kernel_is_not_flipped():
    picture, weight = (
        numpy.arange(9.0).reshape(1, 3, 3, 1),
        numpy.array([[1.0, 10.0], [100.0, 1000.0]]),
    )
    check.same(conv2d_by_loops, picture, weight.reshape(2, 2, 1, 1))


def test_a_1x1_kernel_mixes_the_channels():
    check.same(conv2d_by_loops, *arrays(1, 2, 3, 3, 1, 1, 2))


def test_the_sum_runs_over_all_channels():
    check.same(conv2d_by_loops, *arrays(1, 3, 3, 3, 2, 2, 1))


def test_each_filter_makes_its_own_feature_map():
    check.same(conv2d_by_loops, *arrays(2, 3, 3, 2, 2, 2, 4))


def test_height_and_width_are_told_apart():
    check.same(conv2d_by_loops, *arrays(1, 4, 6, 2, 3, 2, 3))


def test_the_window_moves_by_the_stride():
    check.same(conv2d_by_loops, *arrays(2, 7, 5, 2, 3, 3, 1), stride=2)
    check.same(conv2d_by_loops, *arrays(1, 5, 8, 2, 2, 3, 3), stride=(3, 2))
    check.same(conv2d_by_loops, *arrays(1, 5, 7, 2, 1, 1, 3), stride=2)
    check.same(conv2d_by_loops, *arrays(2, 4, 5, 2, 1, 1, 3), stride=(1, 3))


def test_the_padding_is_zeros_on_all_sides():
    check.same(conv2d_by_loops, *arrays(1, 3, 4, 2, 3, 3, 2), padding=1)
    check.same(conv2d_by_loops, *arrays(1, 3, 5, 1, 3, 3, 2), stride=2, padding=(2, 1))
    check.same(conv2d_by_loops, *arrays(2, 3, 2, 2, 2, 4, 1), padding=(0, 2))
    check.same(conv2d_by_loops, *arrays(1, 2, 3, 2, 1, 1, 3), padding=1)
    check.same(conv2d_by_loops, *arrays(1, 2, 2, 1, 2, 1, 2), padding=(3, 2), stride=2)


def test_a_kernel_as_large_as_the_image():
    check.same(conv2d_by_loops, *arrays(2, 3, 4, 2, 3, 4, 3))
    check.same(conv2d_by_loops, *arrays(2, 3, 4, 2, 3, 4, 3), padding=(1, 0))


def test_sizes_that_are_all_equal():
    check.same(conv2d_by_loops, *arrays(3, 3, 3, 3, 3, 3, 3), padding=1)
    check.same(conv2d_by_loops, *arrays(2, 4, 4, 2, 2, 2, 2), stride=2)


def test_a_stride_longer_than_the_kernel():
    check.same(conv2d_by_loops, *arrays(1, 8, 9, 2, 2, 1, 2), stride=(3, 4))


def test_one_row_one_column_or_one_channel():
    check.same(conv2d_by_loops, *arrays(1, 1, 6, 1, 1, 3, 2))
    check.same(conv2d_by_loops, *arrays(2, 6, 1, 2, 3, 1, 1), padding=(1, 0))
