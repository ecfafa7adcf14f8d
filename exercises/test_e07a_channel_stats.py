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


def test_in_images_they_run_over_the_pixels_too():
    check.same(channel_stats, images)


def test_any_number_of_axes_may_stand_in_front():
    check.same(channel_stats, images.reshape(2, 3, 5, 2, 2))
    check.same(channel_stats, images.reshape(2, 15, 4))


def test_the_variance_is_divided_by_the_number_of_values():
    check.same(channel_stats, numpy.array([[1.0, 5.0, -2.0], [2.0, 5.0, 4.0]]))
    check.same(channel_stats, numpy.array([[[[2.0, -7.0, 0.5]]]]))


def test_far_from_0_no_digits_are_lost():
    exact.same(channel_stats, images + 1e6)


def test_memory_may_lie_in_any_order():
    check.same(channel_stats, images.transpose(3, 0, 2, 1)[:, :, ::-1])
