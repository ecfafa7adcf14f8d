"""Claims about linear: x @ weight + bias for any leading axes, and three gradients."""

import numpy
from e04c_linear import linear

from minires.course import Check

check = Check("04c")
rng = numpy.random.default_rng(43)
x, weight, bias = (
    rng.standard_normal((4, 3)),
    rng.standard_normal((3, 2)),
    rng.standard_normal(2) + 3,
)


def test_one_example_by_hand():
    check.gradients(linear, numpy.array([[1.0, 2.0, 3.0]]), numpy.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]),
                    numpy.array([0.5, -0.5]))  # fmt: skip


def test_a_batch_sums_up_in_the_gradients_of_weight_and_bias():
    check.backward(linear, x, weight, bias)
    check.backward(linear, x[:, :1], weight[:1], bias)


def test_as_many_features_out_as_in():
    check.backward(linear, x, rng.standard_normal((3, 3)), rng.standard_normal(3))
    check.backward(linear, x[:3], rng.standard_normal((3, 3)), rng.standard_normal(3))


def test_any_number_of_axes_in_front():
    check.backward(linear, rng.standard_normal((2, 5, 3)), weight, bias)
    check.backward(linear, rng.standard_normal((2, 1, 4, 3)), weight, bias)
    check.backward(linear, x[0], weight, bias)


def test_without_a_bias():
    def run(linear):
        y, backward = linear(x, weight)
        g_x, g_weight, *no_more = backward(numpy.cos(numpy.arange(8.0)).reshape(4, 2))
        return {"y": y, "the gradient of x": g_x, "the gradient of weight": g_weight,
                "a third gradient": any(gradient is not None for gradient in no_more)}  # fmt: skip

    check.experiment(run, linear, "linear(x, weight), x (4, 3), weight (3, 2)")


def test_memory_that_is_not_in_one_piece():
    turned = rng.standard_normal((3, 5, 2)).transpose(1, 2, 0)
    check.gradients(linear, turned, rng.standard_normal((4, 3)).T, rng.standard_normal(4))
