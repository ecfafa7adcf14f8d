"""Claims about log_softmax: x - log(sum(e**x)) along an axis, for numbers of any size, and its gradient."""

import numpy
from e04a_log_softmax import log_softmax

from minires.course import Check

check = Check("04a", tolerance=1e-12)
rng = numpy.random.default_rng(41)
x = 2 * rng.standard_normal((3, 4, 5)) + 1


def test_one_row_is_right():
    check.gradients(log_softmax, numpy.log([[1.0, 2.0, 5.0]]))  # log of 1/8, 2/8, 5/8


def test_each_row_has_its_own_sum():
    check.backward(log_softmax, x[0])


def test_axis_may_be_any():
    check.backward(log_softmax, x)
    check.backward(log_softmax, x, axis=0)
    check.backward(log_softmax, x, axis=1)
    check.backward(log_softmax, x[0], axis=-2)
    check.gradients(log_softmax, x, axis=-2)
    check.gradients(log_softmax, x, axis=-3)
    check.gradients(log_softmax, x, axis=2)
    check.backward(log_softmax, x[0, 0])
    check.gradients(log_softmax, x[:1, :, 0], axis=0)
    check.gradients(log_softmax, x[:1], axis=1)


def test_a_thousand_does_not_overflow():
    check.gradients(log_softmax, numpy.array([[1000.0, 999.0, 1001.0], [998.0, 1000.0, 1000.0]]))


def test_rows_may_be_a_thousand_apart():
    check.gradients(
        log_softmax, numpy.array([[1000.0, 1001.0, 1003.0], [-1000.0, -1002.0, -1001.0]])
    )
    check.gradients(
        log_softmax, numpy.array([[0.0, 2000.0], [1.0, 1998.0], [-1.0, 1999.0]]), axis=0
    )
    far = numpy.array([1000.0, -1000.0])
    check.gradients(log_softmax, x[:2] + far[:, None, None], axis=1)
    check.gradients(log_softmax, x[:2] + far[:, None, None])
    check.gradients(log_softmax, x[:, :, :2] + far, axis=0)


def test_elements_of_a_row_may_be_a_thousand_apart():
    check.gradients(log_softmax, numpy.array([[0.0, 1000.0, -1000.0], [5.0, 1.0, -900.0]]))


def test_there_may_be_as_many_rows_as_columns():
    check.backward(log_softmax, x[:, :3, 0])
    check.backward(log_softmax, x[:, :3, 0], axis=0)
    cube = rng.standard_normal((3, 3, 3))
    for axis in (0, 1, 2, -1, -2):
        check.gradients(log_softmax, cube, axis=axis)


def test_several_elements_may_be_the_largest():
    check.backward(log_softmax, numpy.array([[2.0, 2.0, 2.0], [1.0, 1.0, 0.0], [0.0, -0.0, -3.0]]))


def test_a_single_class_has_probability_1():
    def run(log_softmax):
        y, backward = log_softmax(x[:, :1, 0])
        (g_x,) = backward(numpy.array([[1.0], [-2.0], [3.0]]))
        return {
            "y, to 6 digits": y.round(6) + 0.0,
            "the gradient of x, to 6 digits": g_x.round(6) + 0.0,
        }

    check.experiment(run, log_softmax, "an x of shape (3, 1)")


def test_a_single_row_may_have_any_size():
    for size in (90.0, 300.0, 720.0, -90.0, -300.0, -720.0, -1000.0):
        check.gradients(log_softmax, size + numpy.array([[0.0, 1.0, -2.0]]))


def test_memory_may_be_in_pieces():
    check.gradients(log_softmax, x.transpose(2, 0, 1))
    check.gradients(log_softmax, x[:, ::2, ::-1], axis=1)


def test_x_may_have_four_axes_and_g_may_be_huge():
    many = numpy.random.default_rng(49).standard_normal((2, 5, 4, 3))
    check.gradients(log_softmax, many, axis=1)
    check.gradients(log_softmax, many, axis=3)
    check.gradients(log_softmax, many[:1])

    def run(log_softmax):
        _, backward = log_softmax(many)
        return {"the gradient of x": backward(1e6 * numpy.cos(many))[0]}

    check.experiment(run, log_softmax, "an x of shape (2, 5, 4, 3), and a g of about 1,000,000")


def test_nan_is_not_hidden():
    check.gradients(log_softmax, numpy.array([[1.0, numpy.nan, 0.0], [1.0, 2.0, 4.0]]))
