"""Claims about im2col: each patch that the window sees is a row."""

import numpy
from e05c_im2col import im2col

from minires.course import Check

check = Check("05c")
small = numpy.arange(1.0, 13).reshape(1, 3, 4, 1)  # one image, 3 high, 4 wide
images = numpy.random.default_rng(5).standard_normal((2, 5, 7, 3))


def test_every_patch_is_a_row():
    check.same(im2col, small, kernel=2)


def test_a_row_keeps_the_channels_of_a_pixel_together():
    check.same(im2col, images[:1, :3, :3], kernel=2)


def test_height_and_width_are_told_apart():
    check.same(im2col, images, kernel=(3, 2))


def test_the_window_moves_by_the_stride():
    check.same(im2col, images, kernel=2, stride=2)
    check.same(im2col, images, kernel=(2, 3), stride=(3, 2))


def test_the_padding_is_zeros_around_the_image():
    check.same(im2col, images, kernel=3, padding=1)
    check.same(im2col, images, kernel=2, padding=(2, 0))
    check.same(im2col, images, kernel=(3, 2), stride=2, padding=(1, 2))


def test_images_may_have_any_memory_layout():
    check.same(
        im2col, numpy.moveaxis(images, 1, 3), kernel=2, stride=(1, 2)
    )  # a view, with strides unlike those of a new array of its shape


def test_a_kernel_as_large_as_the_image_gives_one_row():
    check.same(im2col, images, kernel=(5, 7))
    check.gradients(im2col, images, kernel=(5, 7), padding=(0, 1))


def test_the_columns_are_a_copy():
    check.own_memory(im2col, images, kernel=1)
    check.own_memory(im2col, images, kernel=(5, 7))
    check.own_memory(im2col, images[:, :, :2], kernel=(1, 2))


def test_backward_adds_what_each_window_sends():
    check.backward(im2col, images, kernel=(3, 2), stride=2, padding=1)
    check.backward(im2col, images[..., :2], kernel=(2, 3), stride=(1, 2))


def test_a_1x1_kernel_may_skip_pixels_and_be_padded():
    check.gradients(im2col, images, kernel=1)
    check.gradients(im2col, images, kernel=1, stride=2)
    check.gradients(im2col, images, kernel=1, padding=1)


def test_patches_that_do_not_overlap():
    check.gradients(im2col, images, kernel=2, stride=2)
    check.gradients(im2col, images, kernel=(1, 2), stride=(2, 3))


def test_sizes_that_are_all_equal():
    cube = numpy.random.default_rng(6).standard_normal((3, 3, 3, 3))
    check.gradients(im2col, cube, kernel=3, padding=1)
    check.gradients(im2col, cube[..., :2], kernel=2)


def test_the_padding_may_be_larger_than_the_kernel():
    check.gradients(im2col, images[:1], kernel=(2, 1), stride=(1, 3), padding=(3, 2))
