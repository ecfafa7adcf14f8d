"""Claims about relu: 0 for negative x; the gradient passes where x is positive; little is saved."""

import numpy
from e06a_relu import relu

from minires.course import Check
from minires.course.memory import saved_bytes

check = Check("06a")
rng = numpy.random.default_rng(12)
images = (rng.permutation(2 * 3 * 4 * 2) - 23.5).reshape(2, 3, 4, 2) / 10  # none of them near 0


def test_x_stays_unchanged():
    def run(relu):
        x = numpy.array([1.0, -2.0, 3.0])
        result, _ = relu(x)
        return {"x afterwards": x, "the result": result, "x + relu(x)": x + result}

    check.experiment(run, relu, "x = [1, -2, 3], and x afterwards")


def test_positive_numbers_stay_and_negative_ones_become_0():
    check.same(relu, numpy.array([3.0, -1.0, 0.5, -0.25]))
    check.same(relu, images)


def test_the_gradient_passes_where_x_is_positive():
    check.backward(relu, images)
    check.backward(relu, images[0, 0])
    check.backward(relu, images.transpose(0, 3, 1, 2))


def test_the_slope_at_0_is_0():
    check.gradients(relu, numpy.array([0.0, -0.0, 1.0, -1.0, 0.0]))
    check.gradients(relu, numpy.array([1e-30, -1e-30, 0.0, 1e-8]))


def test_one_bool_per_element_is_saved():
    def run(relu):
        size = 20000
        return {
            "bytes per element": max(
                1, round(saved_bytes(relu, numpy.linspace(-1, 1, size)) / size)
            )
        }

    check.experiment(
        run,
        relu,
        "what backward saves for 20,000 elements in float64, once x and the result are released",
    )


def test_numbers_of_any_size():
    check.gradients(relu, numpy.linspace(-3e38, 3e38, 8))
    check.gradients(relu, numpy.array([1e-30, -1e-30, 3e-36]))


def test_the_result_is_a_new_array():
    check.own_memory(relu, images)
    check.own_memory(relu, abs(images))
    check.gradients(relu, abs(images))
    check.gradients(relu, -abs(images))


def test_sizes_that_are_all_equal():
    check.gradients(relu, rng.standard_normal((3, 3, 3)))
    check.gradients(relu, rng.standard_normal((4, 4)).T)
