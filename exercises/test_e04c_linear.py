"""Claims about linear: x @ weight + bias for any leading axes, and three gradients."""

import math

import numpy
from e04c_linear import linear

from minires.course import Check

check = Check("04c", tolerance=1e-12)
rng = numpy.random.default_rng(43)
x, weight, bias = (
    rng.standard_normal((4, 3)),
    rng.standard_normal((3, 2)),
    rng.standard_normal(2) + 3,
)


def test_one_example_is_right():
    check.gradients(linear, numpy.array([[1.0, 2.0, 3.0]]), numpy.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]),
                    numpy.array([0.5, -0.5]))  # fmt: skip


def test_the_gradients_of_weight_and_bias_are_sums_over_the_batch():
    check.backward(linear, x, weight, bias)
    check.backward(linear, x[:, :1], weight[:1], bias)


def test_there_may_be_more_features():
    many = numpy.random.default_rng(50)
    x, weight = many.standard_normal((5, 11)), many.standard_normal((11, 7))
    check.backward(linear, x, weight, many.standard_normal(7))


def test_there_may_be_as_many_features_out_as_in():
    check.backward(linear, x, rng.standard_normal((3, 3)), rng.standard_normal(3))
    check.backward(linear, x[:3], rng.standard_normal((3, 3)), rng.standard_normal(3))
    cube = rng.standard_normal((3, 3, 3))
    check.gradients(linear, cube, rng.standard_normal((3, 3)), rng.standard_normal(3))


def test_x_may_have_any_number_of_leading_axes():
    check.backward(linear, rng.standard_normal((2, 5, 3)), weight, bias)
    check.backward(linear, rng.standard_normal((2, 1, 4, 3)), weight, bias)
    check.backward(linear, x[0], weight, bias)


def test_bias_may_be_left_out():
    square = rng.standard_normal((3, 3))

    def without(weight, *leading):
        o = weight.shape[1]

        def run(linear):
            cosines = numpy.cos(numpy.arange(60.0))
            count = math.prod(leading)
            y, backward = linear(cosines[: 3 * count].reshape(*leading, 3), weight)
            g_x, g_weight, *no_more = backward(cosines[-o * count :].reshape(*leading, o))
            return {"y": y, "the gradient of x": g_x, "the gradient of weight": g_weight,
                    "a third gradient": any(gradient is not None for gradient in no_more)}  # fmt: skip

        return run

    for leading in ((4,), (2, 4), (2, 1, 5), ()):
        for matrix in (weight, square):
            told = f"linear(x, weight), x {(*leading, 3)}, weight {matrix.shape}"
            check.experiment(without(matrix, *leading), linear, told)


def test_memory_may_be_in_pieces():
    turned = rng.standard_normal((3, 5, 2)).transpose(1, 2, 0)
    check.gradients(linear, turned, rng.standard_normal((4, 3)).T, rng.standard_normal(4))


def test_zeros_get_a_gradient():
    check.gradients(linear, x, weight, numpy.zeros(2))
    check.gradients(linear, x, weight[:, :1], numpy.zeros(1))
    check.gradients(linear, x, numpy.zeros((3, 2)), bias)


def test_there_may_be_one_feature_in_or_out():
    one = rng.standard_normal(1)
    check.gradients(linear, x, weight[:, :1], one)
    check.gradients(linear, x[:, :1], weight[:1, :1], one)
    check.gradients(linear, x[:1, :1], weight[:1, :1], one)
    check.gradients(linear, x[0, :1], weight[:1, :1], one)


def test_an_identity_as_weight_gives_a_new_array():
    check.gradients(linear, x, numpy.eye(3), numpy.zeros(3))
    check.own_memory(linear, x, numpy.eye(3), numpy.zeros(3))
    check.own_memory(linear, x, numpy.eye(3))


def test_an_empty_batch_has_gradients_of_0():
    check.gradients(linear, numpy.zeros((0, 3)), weight, bias)
    check.gradients(linear, numpy.zeros((2, 0, 3)), weight, bias)


def test_g_may_be_huge():
    def run(linear):
        _, backward = linear(x, weight, bias)
        g_x, g_weight, g_bias = backward(1e6 * numpy.cos(numpy.arange(8.0)).reshape(4, 2))
        return {"the gradient of x": g_x, "of weight": g_weight, "of bias": g_bias}

    check.experiment(run, linear, "x (4, 3), weight (3, 2), and a g of about 1,000,000")


def test_nan_is_not_hidden():
    spoilt = x.copy()
    spoilt[1, 2] = numpy.nan
    check.gradients(linear, spoilt, weight, bias)
