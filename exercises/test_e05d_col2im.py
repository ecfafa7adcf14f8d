"""Claims about col2im: each part goes back to where its patch was, and is added there."""

import numpy
from e05d_col2im import col2im

from minires.course import Check

check = Check("05d")
rng = numpy.random.default_rng(7)


def columns(n, oh, ow, k, c):
    return rng.standard_normal((n * oh * ow, k * c))


def test_overlapping_windows_add_up():
    rows = numpy.arange(16.0).reshape(
        4, 4
    )  # 2x2 steps over 3x3 pixels: the middle pixel is seen four times
    check.same(col2im, rows, shape=(1, 3, 3, 1), kernel=2)


def test_a_row_keeps_the_channels_of_a_pixel_together():
    check.same(col2im, columns(1, 2, 2, 4, 3), shape=(1, 3, 3, 3), kernel=2)


def test_height_and_width_are_told_apart():
    check.same(col2im, columns(2, 3, 6, 6, 2), shape=(2, 5, 7, 2), kernel=(3, 2))


def test_the_patches_are_as_far_apart_as_the_stride_says():
    check.same(col2im, columns(2, 2, 3, 4, 2), shape=(2, 5, 7, 2), kernel=2, stride=2)
    check.same(col2im, columns(1, 2, 3, 6, 2), shape=(1, 5, 7, 2), kernel=(2, 3), stride=(3, 2))


def test_what_falls_on_the_padding_is_dropped():
    check.same(col2im, columns(2, 5, 7, 9, 2), shape=(2, 5, 7, 2), kernel=3, padding=1)
    check.same(
        col2im, columns(1, 3, 5, 6, 2), shape=(1, 5, 7, 2), kernel=(3, 2), stride=2, padding=(1, 2)
    )
    check.same(col2im, columns(1, 6, 6, 4, 1), shape=(1, 3, 7, 1), kernel=2, padding=(2, 0))


def test_backward_is_im2col():
    check.backward(
        col2im, columns(2, 3, 4, 6, 2), shape=(2, 5, 7, 2), kernel=(3, 2), stride=2, padding=(1, 1)
    )
    check.backward(
        col2im,
        columns(1, 5, 2, 6, 3),
        shape=(1, 4, 6, 3),
        kernel=(2, 3),
        stride=(1, 3),
        padding=(1, 1),
    )


def test_a_pixel_that_no_window_sees_is_0():
    check.gradients(col2im, columns(2, 2, 3, 4, 2), shape=(2, 5, 7, 2), kernel=2, stride=2)
    check.gradients(
        col2im, columns(1, 2, 3, 2, 3), shape=(1, 5, 7, 3), kernel=(1, 2), stride=(4, 2)
    )


def test_a_1x1_kernel():
    check.gradients(col2im, columns(2, 3, 4, 1, 2), shape=(2, 3, 4, 2), kernel=1)
    check.gradients(col2im, columns(2, 2, 3, 1, 2), shape=(2, 3, 5, 2), kernel=1, stride=2)
    check.gradients(col2im, columns(1, 4, 5, 1, 2), shape=(1, 2, 3, 2), kernel=1, padding=1)


def test_a_kernel_as_large_as_the_image():
    check.gradients(col2im, columns(2, 1, 1, 12, 2), shape=(2, 3, 4, 2), kernel=(3, 4))


def test_sizes_that_are_all_equal():
    check.gradients(col2im, columns(3, 3, 3, 9, 3), shape=(3, 3, 3, 3), kernel=3, padding=1)
    check.gradients(col2im, columns(2, 2, 2, 4, 2), shape=(2, 3, 3, 2), kernel=2)


def test_the_padding_may_be_larger_than_the_kernel():
    check.gradients(
        col2im,
        columns(1, 7, 2, 2, 2),
        shape=(1, 2, 3, 2),
        kernel=(2, 1),
        stride=(1, 4),
        padding=(3, 2),
    )
