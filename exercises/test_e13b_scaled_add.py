"""Claims about scaled_add: x passes unchanged, the branch has a factor, and every element contributes to the factor's gradient."""

import numpy
from e13b_scaled_add import scaled_add

from minires.course import Check

check = Check("13b")
rng = numpy.random.default_rng(132)
x, branch = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 4, 5))
alpha = numpy.array(0.75)


def test_two_numbers():
    check.gradients(scaled_add, numpy.array([1.0, 2.0]), numpy.array([3.0, 5.0]), numpy.array(0.5))


def test_the_result_is_x_plus_a_multiple_of_the_branch():
    check.same(scaled_add, x, branch, alpha)
    check.same(scaled_add, x[0, 0], branch[0, 0], numpy.array(-2.0))


def gradient(which, *inputs):
    """Experiment: one of the three gradients, for a random upstream gradient."""

    def run(function):
        _, backward = function(*(numpy.array(one) for one in inputs))
        found = backward(numpy.random.default_rng(4).standard_normal(numpy.shape(inputs[0])))
        return {"how many gradients": len(found), "its shape": numpy.shape(found[which]),
                "the gradient": numpy.asarray(found[which])}  # fmt: skip

    return run


def test_x_gets_the_gradient_unchanged():
    check.experiment(gradient(0, x, branch, alpha), scaled_add, "the gradient of x, alpha = 0.75")


def test_the_branch_gets_its_part():
    check.experiment(
        gradient(1, x, branch, alpha), scaled_add, "the gradient of the branch, alpha = 0.75"
    )


def test_alpha_gets_a_contribution_from_every_element():
    for these in ((x, branch), (x[0], branch[0]), (x[0, 0, 0], branch[0, 0, 0])):
        run = gradient(2, *these, alpha)
        check.experiment(run, scaled_add, f"the gradient of alpha, for x of shape {these[0].shape}")


def test_the_gradients_are_those_of_finite_differences():
    check.backward(scaled_add, x, branch, alpha)
    check.backward(scaled_add, x[:, 0, 0], branch[:, 0, 0], numpy.array(-1.5))


def test_alpha_of_0_has_a_gradient():
    check.backward(scaled_add, x, branch, numpy.array(0.0))


def test_alpha_may_be_1_or_large_or_small():
    for value in (1.0, 30.0, -4.0, 1e-12):
        check.gradients(scaled_add, x[0], branch[0], numpy.array(value))


def test_alpha_may_be_a_plain_number():
    check.gradients(scaled_add, x, branch, 0.25)
    check.gradients(scaled_add, x[0], branch[0], 0.0)
    check.gradients(scaled_add, x[0], branch[0], 2)


def test_sizes_may_be_equal_or_1():
    square = rng.standard_normal((2, 3, 3))
    check.gradients(scaled_add, square[0], square[1], alpha)
    check.gradients(scaled_add, x[:1, :1, :1, :1], branch[:1, :1, :1, :1], alpha)
    check.gradients(scaled_add, x[:1, 0, 0, 0], branch[:1, 0, 0, 0], alpha)


def test_zeros_in_x_and_branch():
    check.gradients(scaled_add, x * (x > 0), branch * (branch > 0.5), alpha)
    check.gradients(scaled_add, 0 * x, 0 * branch, alpha)


def test_one_array_may_be_both():
    def run(function):
        both = x.copy()
        y, backward = function(both, both, alpha.copy())
        g_x, g_branch, g_alpha = backward(branch.copy())
        return {
            "the result": y,
            "the sum of two gradients": g_x + g_branch,
            "that of alpha": numpy.asarray(g_alpha),
        }

    check.experiment(run, scaled_add, "scaled_add(x, x, alpha)")


def test_two_calls_may_have_different_alphas():
    def run(function):
        factors = [numpy.array(0.5), numpy.array(3.0)]
        calls = [function(x.copy(), branch.copy(), factor) for factor in factors]
        return [numpy.asarray(part) for _, backward in calls for part in backward(branch.copy())]

    check.experiment(run, scaled_add, "two calls with different alphas, and then both backwards")


def test_only_the_branch_may_be_transposed_in_memory():
    def run(function):
        y, backward = function(x.copy(), numpy.asfortranarray(branch), alpha.copy())
        return [y, *map(numpy.asarray, backward(x[::-1].copy()))]

    check.experiment(run, scaled_add, "a branch whose axes are in reverse order in memory")


def test_many_small_contributions_add_up():
    def run(function):
        ones = numpy.ones((300, 1000), "float32")
        _, backward = function(ones, 0.1 * ones, numpy.array(1.0, "float32"))
        return float(backward(ones)[2])

    Check("13b", tolerance=1e-4).experiment(
        run, scaled_add, "the gradient of alpha in float32, for a branch of 300,000 times 0.1"
    )


def test_the_result_is_a_new_array():
    check.own_memory(scaled_add, x, branch, numpy.array(0.0))
    check.own_memory(scaled_add, x, branch, 0.0)
    check.own_memory(scaled_add, x, 0 * branch, 1.0)
