"""Claims about global_avg_pool: one number per channel of an image, and an equal share of the gradient for each pixel."""

import numpy
from e06d_global_avg_pool import global_avg_pool

from minires.course import Check
from minires.course.memory import saved_bytes

check = Check("06d")
rng = numpy.random.default_rng(14)


def test_one_number_for_each_channel():
    check.same(global_avg_pool, numpy.arange(12.0).reshape(1, 2, 3, 2))
    check.same(global_avg_pool, rng.standard_normal((1, 4, 5, 3)) + 100)


def test_each_image_has_its_own():
    check.same(global_avg_pool, rng.standard_normal((3, 2, 4, 2)))


def test_each_pixel_gets_its_share():
    check.backward(global_avg_pool, rng.standard_normal((1, 2, 3, 2)))
    check.backward(global_avg_pool, rng.standard_normal((3, 5, 2, 4)))


def test_an_image_of_one_pixel_is_its_own_mean():
    check.backward(global_avg_pool, rng.standard_normal((2, 1, 1, 3)))


def test_the_result_is_a_new_array():
    check.own_memory(global_avg_pool, rng.standard_normal((2, 1, 1, 3)))


def test_only_a_shape_is_saved():
    def run(global_avg_pool):
        x = rng.standard_normal((8, 40, 30, 3))
        return {"bytes per element of x": round(saved_bytes(global_avg_pool, x) / x.size)}

    check.experiment(
        run,
        global_avg_pool,
        "what backward saves for x (8, 40, 30, 3), once x and the result are released",
    )


def test_sizes_that_are_all_equal():
    check.gradients(global_avg_pool, rng.standard_normal((3, 3, 3, 3)))
    check.gradients(global_avg_pool, rng.standard_normal((2, 2, 2, 2)))


def test_one_row_one_column_or_one_channel():
    check.gradients(global_avg_pool, rng.standard_normal((2, 1, 5, 3)))
    check.gradients(global_avg_pool, rng.standard_normal((2, 5, 1, 3)))
    check.gradients(global_avg_pool, rng.standard_normal((1, 4, 3, 1)))


def test_negative_numbers_and_zeros():
    check.gradients(global_avg_pool, -5 - rng.standard_normal((2, 3, 4, 2)))
    check.gradients(global_avg_pool, numpy.maximum(rng.standard_normal((2, 3, 4, 2)), 0))
    check.gradients(global_avg_pool, numpy.zeros((2, 3, 4, 2)))


def test_small_and_large_numbers():
    x = rng.standard_normal((2, 3, 4, 2))
    check.gradients(global_avg_pool, x * 1e-20)
    check.gradients(global_avg_pool, x * 1e20)
