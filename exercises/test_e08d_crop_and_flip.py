"""Claims about crop_and_flip: each image is seen through a window with its own shift, and mirrored where requested."""

import numpy
from e08d_crop_and_flip import crop_and_flip

from minires.course import Check

check = Check("08d")
rng = numpy.random.default_rng(15)
images = rng.integers(1, 200, (4, 5, 7, 3)).astype(numpy.uint8)
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
    check.same(
        crop_and_flip, images > 100, ints(0, 2, -1, 1), ints(1, -3, 2, -2), bools(1, 0, 1, 1)
    )
    large = images.astype(numpy.int64)
    check.same(crop_and_flip, 2**60 + large, ints(0, 2, -1, 1), none, bools(1, 0, 1, 1))


def test_images_may_be_square_or_have_one_row_or_column():
    moves = ints(0, 2, -1, 1), ints(1, -3, 2, -2), bools(1, 0, 1, 1)
    check.same(crop_and_flip, rng.integers(1, 200, (4, 4, 4, 4)).astype(numpy.uint8), *moves)
    check.same(crop_and_flip, images[:, :1], *moves)
    check.same(crop_and_flip, images[:, :, 3:4], *moves)


def test_there_may_be_one_image_or_one_channel():
    check.same(crop_and_flip, images[2:3], ints(-1), ints(2), bools(1))
    check.same(crop_and_flip, images[2:3, ..., :1], ints(1), ints(-2), bools(0))


def test_a_black_pixel_is_not_the_edge():
    dark = images * (images > 100)
    check.same(crop_and_flip, dark, ints(0, 2, -1, 1), ints(1, -3, 2, -2), bools(1, 0, 1, 1))
    check.same(
        crop_and_flip, 0 - images / 7.0, ints(1, 1, 1, 1), ints(1, 1, -1, -1), bools(0, 1, 0, 1)
    )


def test_shifts_may_be_large():
    down, across = numpy.array([100, -103, 1, -2]), numpy.array([-1, 3, 207, -128])
    check.same(crop_and_flip, images, down, across, bools(0, 1, 1, 0))
    check.same(crop_and_flip, images, down * 0, across // 50, bools(0, 1, 1, 0))


def test_it_is_a_new_array():
    check.own_memory(crop_and_flip, images, none, none, no)
    check.own_memory(crop_and_flip, images[:1], none[:1], none[:1], bools(1))
