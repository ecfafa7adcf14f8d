"""Claims about mean: the mean over the given axes, and for each of n elements 1/n of its gradient."""

import numpy
from e02e_mean import mean

from minires.course import Check

check = Check("02e")
rng = numpy.random.default_rng(16)
x = rng.standard_normal((2, 3, 5)) + 4
square = rng.standard_normal((3, 3, 3))
images = rng.standard_normal((2, 2, 3, 2))


def test_the_columns_of_a_table():
    check.gradients(
        mean,
        numpy.array([[1.0, 2.0, 6.0], [3.0, 4.0, -2.0], [0.0, 0.0, 1.0], [4.0, -6.0, -1.0]]),
        axis=0,
    )


def test_three_numbers():
    check.gradients(mean, numpy.array([1.0, 2.0, 6.0]))


def test_over_all_axes():
    check.backward(mean, x)
    check.backward(mean, x, keepdims=True)
    check.backward(mean, x, axis=(0, 1, 2))
    check.backward(mean, numpy.array(3.0))


def test_the_axis_that_is_gone_comes_back_in_its_place():
    check.backward(mean, square, axis=2)
    check.backward(mean, square, axis=1)


def test_over_one_axis():
    check.backward(mean, x, axis=1)
    check.backward(mean, x, axis=0)
    check.backward(mean, x, axis=(1,))
    check.backward(mean, x[0, 0], axis=0)


def test_a_negative_axis_counts_from_the_end():
    check.backward(mean, x, axis=-1)
    check.backward(mean, x, axis=-2, keepdims=True)
    check.backward(mean, square, axis=-3)
    check.backward(mean, x, axis=(-2, -1))
    check.backward(mean, x, axis=(0, -1))


def test_over_several_axes():
    check.backward(mean, x, axis=(2, 0))
    check.backward(mean, x, axis=(0, 1))
    check.backward(mean, x, axis=(-1, 1), keepdims=True)
    check.backward(mean, square, axis=(2, 0))
    check.backward(mean, images, axis=(1, 2))
    check.backward(mean, images, axis=(0, 1, 2), keepdims=True)


def test_over_no_axis_it_is_x_itself():
    check.backward(mean, x, axis=())


def test_an_axis_of_size_1_may_be_kept():
    check.backward(mean, x, axis=1, keepdims=True)
    check.backward(mean, x[:, :1], axis=(1, 2))
    check.backward(mean, x[:, :1], axis=1)
    check.backward(mean, x[:, :1], axis=0)
    check.backward(mean, x[:1, :, :1], axis=(1,))
    check.backward(mean, x[:1], axis=(1, 2))
    check.backward(mean, x[:, :, :1], axis=(0, 1))


def test_gradients_stay_when_backward_runs_for_other_inputs():
    def run(function):
        _, first = function(x.copy(), axis=1)
        _, second = function(x * 2, axis=1)
        (g_x,) = first(x[:, 0])
        second(x[:, 1])
        return {"the gradient of x": g_x}

    check.experiment(run, mean, "two calls, and the gradient of the first after both")


def test_the_gradient_does_not_depend_on_the_values():
    check.gradients(mean, numpy.array([[1.0, numpy.inf], [2.0, 3.0]]), axis=0)
    check.gradients(mean, numpy.array([1.0, numpy.nan, 3.0]))
