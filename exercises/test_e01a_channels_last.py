"""Claims about channels_last: each pixel value in its position, in memory of its own."""

import numpy
from e01a_channels_last import channels_last

from minires.course import Check

check = Check("01a")
rows = numpy.random.default_rng(1).integers(0, 256, (4, 3072), numpy.uint8)


def test_a_red_pixel_is_red_and_a_blue_one_blue():
    image = numpy.zeros((1, 3072), numpy.uint8)
    image[0, 1], image[0, 2048] = 200, 100  # the second red is at [0, 1], the first blue at [0, 0]
    check.same(channels_last, image)


def test_every_number_has_its_place():
    check.same(channels_last, numpy.arange(2 * 3072).reshape(2, 3072))


def test_the_type_stays():
    check.same(channels_last, rows)
    check.same(channels_last, rows / 255)


def test_any_number_of_images():
    check.same(channels_last, rows[:1])
    check.same(channels_last, rows[:0])


def test_the_channels_of_a_pixel_are_neighbours_in_memory():
    check.experiment(
        lambda function: {
            "the values": function(rows),
            "in the order in which they are read": laid_out(function(rows)),
        },
        channels_last,
        "four images, and their order in memory",
    )
    check.own_memory(channels_last, rows)


def laid_out(images):
    return bool(images.flags.c_contiguous)
