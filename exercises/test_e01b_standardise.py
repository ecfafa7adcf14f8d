"""Claims about standardise: each channel with its own mean and standard deviation, from the training images."""

import numpy
from e01b_standardise import standardise

from minires.course import Check

check = Check("01b", tolerance=1e-5)
rng = numpy.random.default_rng(4)
bright = numpy.array([30, 120, 200])


def images(n, spread=40):
    """Return images (n, 5, 7, 3): each channel has a different mean, and each image is brighter or darker."""
    drawn = bright + rng.normal(0, spread, (n, 1, 1, 3)) + rng.normal(0, 20, (n, 5, 7, 3))
    return drawn.clip(0, 255).astype(numpy.uint8)


training, others = images(6), images(2, spread=5)


def test_two_pixels():
    pixels = numpy.array([1, 3], numpy.uint8).reshape(1, 2, 1, 1)  # mean 2, standard deviation 1
    check.same(standardise, pixels, pixels)


def test_the_training_images_get_mean_0_and_standard_deviation_1():
    check.same(standardise, training, training)


def test_the_statistics_come_from_the_training_images():
    check.same(standardise, others, training)
    check.same(standardise, others[:1, :1, :1], training)


def test_a_pixel_darker_than_the_mean_becomes_negative():
    check.same(standardise, numpy.zeros((1, 5, 7, 3), numpy.uint8), training)


def test_equal_sizes():
    cube = training[:3, :3, :3]  # (3, 3, 3, 3)
    check.same(standardise, cube, cube)
    check.same(standardise, others, cube)


def test_any_number_of_channels():
    check.same(standardise, others[..., :1], training[..., 1:2])
    check.same(standardise, numpy.tile(others, 2), numpy.tile(training, 2)[..., ::-1])


def test_the_sum_of_many_bright_pixels_is_large():
    many = rng.integers(150, 256, (2, 64, 64, 3)).astype(numpy.uint8)
    check.same(standardise, others, many)


def test_a_single_bright_pixel_in_a_large_dark_set():
    dark = numpy.zeros((40, 64, 64, 1), numpy.uint8)
    dark[2, 5, 6] = 1  # a standard deviation of 0.0025
    check.experiment(
        lambda function: {"the values": function(dark[2:3], dark)},
        standardise,
        "one bright pixel in 40 images",
    )


def test_a_constant_channel_is_not_divided():
    constant = training.copy()
    constant[..., 1] = 77
    check.same(standardise, constant, constant)
    check.same(standardise, others, constant)
    check.same(standardise, training, numpy.full((2, 3, 3, 3), 255, numpy.uint8))
    check.same(standardise, training, numpy.zeros((2, 3, 3, 3), numpy.uint8))


def test_a_constant_channel_stays_one_in_a_large_set():
    white = numpy.full((80, 32, 32, 3), [77, 255, 201], numpy.uint8)  # their sum is more than 2^24
    check.experiment(
        lambda function: {"the values": function(others, white)}, standardise, "80 plain images"
    )


def test_images_that_are_all_the_same_are_not_constant():
    check.same(standardise, others, numpy.repeat(training[:1], 3, axis=0))
    check.same(standardise, others, training[:1])


def test_settings_of_numpy_are_unchanged():
    constant = training.copy()
    constant[..., 1] = 77

    def run(function):
        with numpy.errstate(divide="warn", invalid="warn", over="raise"):
            function(others, constant)
            return {"what NumPy does about errors": " ".join(numpy.geterr().values())}

    check.experiment(run, standardise, "a constant channel, and NumPy's settings afterwards")
