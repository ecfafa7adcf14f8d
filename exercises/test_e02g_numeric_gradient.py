"""Claims about numeric_gradient: the derivative with respect to each element, which tells a wrong backward from a right one."""

import numpy
from e02g_numeric_gradient import numeric_gradient

from minires.course import Check

check = Check("02g", float32=False)
rng = numpy.random.default_rng(4)
x = rng.standard_normal((2, 3))


def cube(x):
    return x**3


def row_sums(x):
    return (x * x).sum(axis=1)


def row_products(x):
    return x.prod(axis=1)


def product_with_a_matrix(x):
    return x @ numpy.array([[1.0, 2.0], [-3.0, 0.5], [4.0, 1.0]])


def test_each_element_has_a_slope_of_its_own():
    check.same(numeric_gradient, cube, numpy.array([1.0, 2.0, -3.0]), numpy.array([1.0, 1.0, 1.0]))


def test_the_gradient_that_comes_in_counts():
    check.same(numeric_gradient, cube, x, rng.standard_normal((2, 3)))


def test_the_result_may_have_another_shape_than_x():
    check.same(numeric_gradient, row_sums, x, numpy.array([2.0, -1.0]))
    check.same(numeric_gradient, product_with_a_matrix, x, rng.standard_normal((2, 2)))


def test_the_other_elements_stay_where_they_are():
    check.same(numeric_gradient, row_products, x + 2, numpy.array([2.0, -1.0]), step=0.25)


def test_the_step_is_the_one_that_is_asked_for():
    check.same(numeric_gradient, cube, x, rng.standard_normal((2, 3)), step=0.5)


def test_a_wrong_backward_is_told_from_a_right_one():
    g = rng.standard_normal((2, 3))
    claimed = {
        "3 x^2 g": 3 * x**2 * g,
        "3 x^2, g left out": 3 * x**2,
        "2 x^2 g": 2 * x**2 * g,
        "-3 x^2 g": -3 * x**2 * g,
    }

    def believed(gradient):
        seen = gradient(cube, x.copy(), g)
        return {
            told: bool(numpy.allclose(seen, claim, rtol=1e-8, atol=1e-8))
            for told, claim in claimed.items()
        }

    check.experiment(believed, numeric_gradient, "alleged gradients of x^3, accepted or not")
