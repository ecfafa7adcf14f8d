"""Claims about avg_pool2d: the mean under each window, and an equal share of the gradient for each pixel."""

import numpy
from e06c_avg_pool2d import avg_pool2d

from minires.course import Check
from minires.course.memory import saved_bytes

check = Check("06c")
rng = numpy.random.default_rng(13)
images = rng.standard_normal((2, 5, 7, 3)) + 3


def test_the_result_is_the_mean_of_each_window():
    check.same(avg_pool2d, numpy.arange(16.0).reshape(1, 4, 4, 1) % 7, kernel=2)
    check.same(avg_pool2d, images, kernel=2, stride=2)


def test_without_a_stride_windows_are_next_to_each_other():
    check.same(avg_pool2d, images, kernel=2)
    check.same(avg_pool2d, images, kernel=(3, 2))


def test_height_and_width_are_told_apart():
    check.same(avg_pool2d, images, kernel=(2, 3), stride=(1, 2))


def test_the_padding_counts_as_zeros():
    check.same(avg_pool2d, images, kernel=3, stride=2, padding=1)
    check.same(avg_pool2d, images, kernel=(2, 4), stride=2, padding=(1, 2))


def test_each_pixel_gets_its_share():
    check.backward(avg_pool2d, numpy.arange(16.0).reshape(1, 4, 4, 1) % 7, kernel=2)
    check.backward(avg_pool2d, images, kernel=(3, 2), stride=(3, 4))


def test_a_pixel_of_several_windows_gets_a_share_of_each():
    check.backward(avg_pool2d, images[:1, :4, :5], kernel=3, stride=1)
    check.backward(avg_pool2d, images, kernel=3, stride=2)


def test_what_falls_on_the_padding_is_dropped():
    check.backward(avg_pool2d, images, kernel=3, stride=2, padding=1)
    check.backward(avg_pool2d, images, kernel=(2, 4), stride=(2, 1), padding=(1, 2))


def test_only_a_shape_is_saved():
    def run(avg_pool2d):
        x = rng.standard_normal((8, 40, 30, 3))
        return {"bytes per element of x": round(saved_bytes(avg_pool2d, x, kernel=2) / x.size)}

    check.experiment(
        run,
        avg_pool2d,
        "what backward saves for x (8, 40, 30, 3), once x and the result are released",
    )


def test_a_1x1_kernel_may_skip_pixels():
    check.gradients(avg_pool2d, images, kernel=1)
    check.gradients(avg_pool2d, images, kernel=1, stride=(2, 3))


def test_the_result_is_a_new_array():
    check.own_memory(avg_pool2d, images, kernel=1)
    check.own_memory(avg_pool2d, images, kernel=1, stride=2)


def test_a_kernel_as_large_as_the_image():
    check.gradients(avg_pool2d, images, kernel=(5, 7))
    check.gradients(avg_pool2d, images, kernel=(5, 7), padding=(2, 3))


def test_sizes_that_are_all_equal():
    cube = images.ravel()[:81].reshape(3, 3, 3, 3)
    check.gradients(avg_pool2d, cube, kernel=3, stride=3, padding=1)
    check.gradients(avg_pool2d, cube[:2, :, :, :2], kernel=2, stride=1)


def test_negative_numbers_and_zeros():
    check.gradients(avg_pool2d, -abs(images), kernel=2)
    check.gradients(avg_pool2d, numpy.maximum(images - 3, 0), kernel=3, stride=2, padding=1)
