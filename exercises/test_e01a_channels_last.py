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


def test_every_value_is_in_its_position():
    check.same(channels_last, numpy.arange(2 * 3072).reshape(2, 3072))
    check.same(channels_last, numpy.arange(3 * 3072).reshape(3, 3072))


def test_the_dtype_stays():
    check.same(channels_last, rows)
    check.same(channels_last, rows / 255)
    check.same(channels_last, rows > 99)


def test_any_number_of_images():
    check.same(channels_last, rows[:1])
    check.same(channels_last, rows[:0])
    check.same(channels_last, numpy.repeat(rows, 9, axis=0))


def test_rows_of_a_larger_table():
    check.same(channels_last, numpy.asfortranarray(rows))
    check.experiment(
        lambda function: {"the values": function(numpy.repeat(rows, 2, axis=0)[::-2])},
        channels_last,
        "every second row of a table, from the last to the first",
    )


def test_the_result_is_a_copy():
    check.own_memory(channels_last, rows)
    check.own_memory(channels_last, rows[:1])


def test_the_channels_of_a_pixel_are_neighbours_in_memory():
    for few in (rows, rows[:1]):
        check.experiment(
            lambda function, few=few: {
                "the values": function(few.copy()),
                "in the order in which they are read": laid_out(function(few.copy())),
            },
            channels_last,
            f"{len(few)} image{'s'[: len(few) - 1]}, and the order in memory",
        )


def laid_out(images):
    return bool(images.flags.c_contiguous)
