"""Claims about numeric_gradient: the derivative with respect to each element, which tells a wrong backward from a right one."""

import numpy
from e02g_numeric_gradient import numeric_gradient

from minires.course import Check

check = Check("02g", float32=False)
rng = numpy.random.default_rng(4)
x, square = rng.standard_normal((2, 3)), rng.standard_normal((3, 3))


def cube(x):
    return x**3


def row_sums(x):
    return (x * x).sum(axis=1)


def row_products(x):
    return x.prod(axis=1)


def total(x):
    return (x * x * x).sum()


def transposed(x):
    return x.T


def reversed_rows(x):
    return x[::-1]


def product_with_a_matrix(x):
    return x @ numpy.array([[1.0, 2.0], [-3.0, 0.5], [4.0, 1.0]])


def test_each_element_has_its_own_derivative():
    check.same(
        numeric_gradient, cube, numpy.array([1.0, 2.0, -3.0]), numpy.array([1.0, 10.0, 100.0])
    )


def test_the_upstream_gradient_counts():
    check.same(numeric_gradient, cube, x, rng.standard_normal((2, 3)))


def test_the_result_of_f_may_have_a_different_shape():
    check.same(numeric_gradient, row_sums, x, numpy.array([2.0, -1.0]))
    check.same(numeric_gradient, product_with_a_matrix, x, rng.standard_normal((2, 2)))
    check.same(numeric_gradient, product_with_a_matrix, square, rng.standard_normal((3, 2)))
    check.same(numeric_gradient, total, x, numpy.array(2.0))


def test_the_result_of_f_may_be_a_view_of_what_it_gets():
    check.same(numeric_gradient, transposed, x, rng.standard_normal((3, 2)))
    check.same(numeric_gradient, transposed, square, rng.standard_normal((3, 3)))
    check.same(numeric_gradient, reversed_rows, x, rng.standard_normal((2, 3)), step=0.5)
    check.same(numeric_gradient, transposed, square, numpy.arange(9.0).reshape(3, 3) % 3)


def test_x_may_have_any_shape():
    check.same(
        numeric_gradient, cube, rng.standard_normal((2, 1, 2, 2)), rng.standard_normal((2, 1, 2, 2))
    )
    check.same(numeric_gradient, cube, numpy.array([[-1.5]]), numpy.array([[3.0]]))
    check.same(numeric_gradient, cube, numpy.array(1.5), numpy.array(-2.0))


def test_the_other_elements_stay_unchanged():
    check.same(numeric_gradient, row_products, x + 2, numpy.array([2.0, -1.0]), step=0.25)


def test_the_step_is_the_one_that_the_caller_gives():
    check.same(numeric_gradient, cube, x, rng.standard_normal((2, 3)), step=0.5)
    check.same(numeric_gradient, cube, numpy.array([0.0, -20.0, 3.0]), numpy.ones(3), step=0.25)


def test_it_tells_a_wrong_gradient_from_a_right_one():
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


def test_x_stays_the_same_while_f_runs():
    def run(gradient):
        mine = x.copy()
        return {"the gradient": gradient(lambda z: z * mine, mine, numpy.ones((2, 3)))}

    check.experiment(run, numeric_gradient, "f(z) = z * x, where x is the very array")


def test_what_is_not_a_number_is_not_hidden():
    check.same(numeric_gradient, cube, numpy.array([1.0, numpy.nan, 2.0]), numpy.ones(3))


def test_small_gradients_are_not_rounded_off():
    check.same(numeric_gradient, cube, x, 1e-6 * numpy.ones((2, 3)))
