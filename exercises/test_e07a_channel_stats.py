"""Claims about channel_stats: one mean and one biased variance per channel, over all other axes."""

import numpy
from e07a_channel_stats import channel_stats

from minires.course import Check

check = Check("07a")
exact = Check("07a", float32=False)
rng = numpy.random.default_rng(11)
images = rng.standard_normal((2, 3, 5, 4)) * [1.0, 2.0, 0.5, 3.0] + [3.0, -1.0, 0.0, 8.0]


def test_each_channel_of_vectors_has_its_own():
    check.same(channel_stats, numpy.array([[1.0, 10.0], [3.0, 20.0], [8.0, 60.0]]))


def test_images_are_averaged_over_their_pixels_too():
    check.same(channel_stats, images)


def test_any_number_of_axes_may_come_before_the_channels():
    check.same(channel_stats, images.reshape(2, 3, 5, 2, 2))
    check.same(channel_stats, images.reshape(2, 15, 4))


def test_the_variance_is_divided_by_the_number_of_values():
    check.same(channel_stats, numpy.array([[1.0, 5.0, -2.0], [2.0, 5.0, 4.0]]))
    check.same(channel_stats, numpy.array([[[[2.0, -7.0, 0.5]]]]))


def test_far_from_0_no_digits_are_lost():
    exact.same(channel_stats, images + 1e6)
    check.same(channel_stats, images + 1000.0)


def test_as_many_images_and_pixels_as_channels():
    check.same(channel_stats, rng.standard_normal((4, 4, 4, 4)))
    check.same(channel_stats, rng.standard_normal((3, 3)))


def test_there_may_be_one_channel_or_one_image():
    check.same(channel_stats, images[..., :1])
    check.same(channel_stats, images[1:])
    check.same(channel_stats, images[:, 1:2, :1])


def test_a_channel_of_equal_values_has_the_variance_0():
    check.same(channel_stats, images * [1.0, 0.0, 0.0, 1.0] + [0.0, 0.5, 0.0, 0.0])
    check.same(channel_stats, numpy.zeros((3, 2)))


def test_small_and_large_channels_are_next_to_each_other():
    for channel, factor in enumerate([1e-6, 1.0, 1e3, 1e-3]):
        exact.same(channel_stats, factor * images[..., channel : channel + 1])


def test_nan_stays_in_its_channel():
    broken = images.copy()
    broken[1, 2, 0, 1] = numpy.nan
    check.same(channel_stats, broken)


def test_elements_may_be_in_any_order_in_memory():
    check.same(channel_stats, images.transpose(3, 0, 2, 1)[:, :, ::-1])
