"""Claims about crop_and_flip: each image is seen through a window with its own shift, and mirrored where requested."""

import numpy
from e08d_crop_and_flip import crop_and_flip

from minires.course import Check

check = Check("08d")
images = numpy.random.default_rng(15).integers(1, 200, (4, 5, 7, 3)).astype(numpy.uint8)
none, no = numpy.zeros(4, numpy.int32), numpy.zeros(4, bool)


def ints(*values):
    return numpy.array(values, numpy.int32)


def bools(*values):
    return numpy.array(values, bool)


def test_without_shifts_images_stay_unchanged():
    check.same(crop_and_flip, images, none, none, no)


def test_down_moves_the_window_down():
    check.same(crop_and_flip, images, ints(1, 1, 1, 1), none, no)
    check.same(crop_and_flip, images, ints(-2, -2, -2, -2), none, no)


def test_across_moves_it_to_the_right():
    check.same(crop_and_flip, images, none, ints(2, 2, 2, 2), no)
    check.same(crop_and_flip, images, none, ints(-1, -1, -1, -1), no)


def test_mirrored_images_are_read_from_right_to_left():
    check.same(crop_and_flip, images, none, none, bools(1, 1, 1, 1))


def test_each_image_has_its_own_shift():
    check.same(crop_and_flip, images, ints(0, 2, -1, 1), ints(1, -3, 0, 2), no)
    check.same(crop_and_flip, images, none, none, bools(1, 0, 0, 1))


def test_the_window_moves_first_and_then_it_is_mirrored():
    check.same(crop_and_flip, images, ints(0, 2, -1, 1), ints(1, -3, 2, -2), bools(1, 0, 1, 1))


def test_beyond_the_edge_everything_is_0():
    check.same(crop_and_flip, images, ints(5, -5, 9, 0), ints(0, 0, 0, -12), bools(0, 1, 0, 1))


def test_pixels_keep_their_dtype():
    check.same(
        crop_and_flip, images / 7 - 3.0, ints(0, 2, -1, 1), ints(1, -3, 2, -2), bools(1, 0, 1, 1)
    )
    check.same(
        crop_and_flip, images[:1, :, :, :1].astype(numpy.int16) - 300, ints(1), ints(-1), bools(1)
    )


def test_it_is_a_new_array():
    check.own_memory(crop_and_flip, images, none, none, no)
