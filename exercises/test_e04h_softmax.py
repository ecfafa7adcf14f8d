"""Claims about softmax: e**x / sum(e**x) along an axis, for numbers of any size, and its gradient."""

import numpy
from e04h_softmax import softmax

from minires.course import Check

check = Check("04h", tolerance=1e-12)
x = numpy.random.default_rng(48).standard_normal((3, 4, 2))


def test_one_row_is_right():
    check.gradients(softmax, numpy.log([1.0, 2.0, 5.0]))


def test_axis_may_be_any():
    check.backward(softmax, x[0])
    check.backward(softmax, x, axis=0)
    check.backward(softmax, x, axis=1)
    check.gradients(softmax, x, axis=-2)
    check.gradients(softmax, x, axis=-3)
    check.gradients(softmax, x[:1, :, 0], axis=0)
    check.gradients(softmax, x[:1], axis=1)


def test_a_thousand_does_not_overflow():
    check.gradients(softmax, numpy.array([[1000.0, 999.0, 1001.0], [1000.0, 1000.0, 998.0]]))


def test_rows_may_be_a_thousand_apart():
    check.gradients(softmax, numpy.array([[1000.0, 1001.0, 1003.0], [-1000.0, -1002.0, -1001.0]]))
    check.gradients(softmax, numpy.array([[0.0, 2000.0], [1.0, 1998.0], [-1.0, 1999.0]]), axis=0)
    far = numpy.array([1000.0, -1000.0])
    check.gradients(softmax, x[:2] + far[:, None, None], axis=1)
    check.gradients(softmax, x[:2] + far[:, None, None])
    check.gradients(softmax, x + far, axis=0)


def test_elements_of_a_row_may_be_a_thousand_apart():
    check.gradients(
        softmax, numpy.array([[0.0, 2000.0, 1000.0], [5.0, 1.0, -900.0], [-1000.0, -999.0, 1000.0]])
    )


def test_there_may_be_as_many_rows_as_columns():
    check.backward(softmax, x[:, :3, 0])
    check.backward(softmax, x[:, :3, 0], axis=0)
    check.gradients(softmax, x[:2, :2], axis=1)


def test_several_elements_may_be_the_largest():
    check.backward(softmax, numpy.array([[2.0, 2.0, 2.0], [1.0, 1.0, 0.0], [0.0, -0.0, -3.0]]))


def test_a_single_class_has_probability_1():
    def run(softmax):
        y, backward = softmax(numpy.array([[3.0], [-2.0], [1000.0]]))
        (g_x,) = backward(numpy.array([[1.0], [-2.0], [3.0]]))
        return {"y": y, "the gradient of x, to 6 digits": g_x.round(6) + 0.0}

    check.experiment(run, softmax, "x = [[3], [-2], [1000]]")


def test_a_single_row_may_have_any_size():
    for size in (90.0, 300.0, 720.0, -90.0, -300.0, -720.0, -1000.0):
        check.gradients(softmax, size + numpy.array([[0.0, 1.0, -2.0]]))


def test_memory_may_be_in_pieces():
    check.gradients(softmax, x.transpose(2, 0, 1))
    check.gradients(softmax, x[:, ::2, ::-1], axis=1)


def test_x_may_have_four_axes_and_g_may_be_huge():
    many = numpy.random.default_rng(49).standard_normal((2, 5, 4, 3))
    check.gradients(softmax, many, axis=1)
    check.gradients(softmax, many, axis=3)

    def run(softmax):
        _, backward = softmax(many)
        return {"the gradient of x": backward(1e6 * numpy.cos(many))[0]}

    check.experiment(run, softmax, "an x of shape (2, 5, 4, 3), and a g of about 1,000,000")


def test_nan_is_not_hidden():
    check.gradients(softmax, numpy.array([[1.0, numpy.nan, 0.0], [1.0, 2.0, 4.0]]))


def test_small_probabilities_are_as_exact_as_large_ones():
    def run(softmax):
        return {"log10 of y": numpy.log10(softmax(numpy.array([0.0, -60.0, -200.0]))[0])}

    check.experiment(run, softmax, "x = [0, -60, -200]")
