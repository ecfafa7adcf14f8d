"""Solutions of 13b."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


@right
def as_derived(x, branch, alpha):
    def backward(g):
        return g, alpha * g, (g * branch).sum()

    return x + alpha * branch, backward


@right
def dot_product(x, branch, alpha):
    def backward(g):
        flat = xp.dot(g.reshape(-1), branch.reshape(-1))
        return g.copy(), g * alpha, xp.asarray(flat, dtype=g.dtype).reshape(())

    return xp.add(x, xp.multiply(branch, alpha)), backward


@right
def axis_by_axis(x, branch, alpha):
    result = alpha * branch
    result += x

    def backward(g):
        g_alpha = branch * g
        while g_alpha.ndim:
            g_alpha = g_alpha.sum(axis=-1)
        return g * 1, alpha * g, g_alpha

    return result, backward


@right
def in_float64(x, branch, alpha):
    def backward(g):
        wide = g.astype("float64")
        return g, (wide * alpha).astype(g.dtype), (wide * branch).sum().astype(g.dtype)

    return (x.astype("float64") + alpha * branch).astype(x.dtype), backward


TWO = "test_two_numbers"
RESULT = "test_the_result_is_x_plus_a_multiple_of_the_branch"
X, BRANCH = "test_x_gets_the_gradient_unchanged", "test_the_branch_gets_its_part"
EACH = "test_alpha_gets_a_contribution_from_every_element"
ZERO = "test_alpha_of_0_has_a_gradient"


def op(x, branch, alpha, y, g_x, g_branch, g_alpha):
    return y, lambda g: (g_x * g, g_branch * g, (g * g_alpha).sum())


@wrong(EACH, mistake="not_summed")
def a_gradient_for_each_element(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, branch * g)


@wrong(EACH, mistake="averaged")
def mean_contribution(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, xp.mean(branch * g))


@wrong(EACH, mistake="summed_over_the_first_axis")
def over_the_images(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, sum(list(branch * g)))


@wrong(RESULT, mistake="alpha_on_x")
def factor_on_the_shortcut(x, branch, alpha):
    return op(x, branch, alpha, branch + x * alpha, alpha, 1, x)


@wrong(RESULT, mistake="alpha_on_both")
def factor_on_the_sum(x, branch, alpha):
    return op(x, branch, alpha, x * alpha + branch * alpha, alpha, alpha, x + branch)


@wrong(RESULT, mistake="mixed")
def interpolated(x, branch, alpha):
    return op(x, branch, alpha, x + alpha * (branch - x), 1 - alpha, alpha, branch - x)


@wrong(RESULT, mistake="alpha_left_out")
def plain_sum(x, branch, alpha):
    return op(x, branch, alpha, xp.add(x, branch), 1, 1, 0)


@wrong(BRANCH, mistake="branch_gradient_unscaled")
def g_for_both(x, branch, alpha):
    return op(x, branch, alpha, x + alpha * branch, 1, 1, branch)


@wrong(X, mistake="x_gradient_scaled")
def scaled_for_both(x, branch, alpha):
    return op(x, branch, alpha, x + alpha * branch, alpha, alpha, branch)


@wrong(X, mistake="x_and_branch_swapped")
def wrong_order(x, branch, alpha):
    return op(x, branch, alpha, x + alpha * branch, alpha, 1, branch)


@wrong(EACH, mistake="x_in_the_gradient_of_alpha")
def sum_with_x(x, branch, alpha):
    return op(x, branch, alpha, x + alpha * branch, 1, alpha, x)


@wrong(EACH, mistake="result_in_the_gradient_of_alpha")
def sum_with_the_result(x, branch, alpha):
    y = x + alpha * branch
    return op(x, branch, alpha, y, 1, alpha, y.copy())


@wrong(ZERO, mistake="alpha_twice")
def sum_of_the_scaled(x, branch, alpha):
    return op(x, branch, alpha, x + alpha * branch, 1, alpha, alpha * branch)


@wrong(EACH, mistake="upstream_left_out")
def sum_of_the_branch(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, xp.sum(branch))


@wrong(EACH, mistake="alpha_constant")
def nothing_for_alpha(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, g.dtype.type(0))


@wrong(TWO)
def none_for_alpha(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, None)


@wrong(TWO)
def two_gradients(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g)


@wrong(TWO)
def shape_of_one(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, (g * branch).sum().reshape(1))


@wrong(RESULT)
def writes_to_x(x, branch, alpha):
    x += alpha * branch
    return x, lambda g: (g, alpha * g, (g * branch).sum())


@wrong(EACH)
def g_changed(x, branch, alpha):
    def backward(g):
        kept = g.copy()
        g *= alpha
        return kept, g, (g * branch).sum()

    return x + alpha * branch, backward


@wrong("test_the_gradients_are_those_of_finite_differences")
def float64_sum(x, branch, alpha):
    return x + alpha * branch, lambda g: (
        g,
        alpha * g,
        (g.astype(numpy.float64) * branch).sum(),
    )


@wrong(EACH)
def absolute_contributions(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, abs(g * branch).sum())
