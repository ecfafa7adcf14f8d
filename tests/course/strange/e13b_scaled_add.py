"""Strange solutions of 13b."""

import math

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

TWO = "test_two_numbers"
RESULT = "test_the_result_is_x_plus_a_multiple_of_the_branch"
PLAIN = "test_alpha_may_be_a_plain_number"
SIZES = "test_sizes_may_be_equal_or_1"
LARGE = "test_alpha_may_be_1_or_large_or_small"
NEW = "test_the_result_is_a_new_array"
SMALL = "test_many_small_contributions_add_up"


@right
def by_einsum(x, branch, alpha):
    axes = "abcdef"[: x.ndim]

    def backward(g):
        return (
            g,
            alpha * g,
            xp.einsum(f"{axes},{axes}->", g, branch, dtype="float64").astype(g.dtype),
        )

    return x + alpha * branch, backward


@right
def exact_sum(x, branch, alpha):
    """Python's own sum, without rounding in between."""

    def backward(g):
        products = (g.astype("float64") * branch).ravel().tolist()
        return g, alpha * g, numpy.array(math.fsum(products), g.dtype)

    return x + alpha * branch, backward


@right
def rows_and_columns(x, branch, alpha):
    """By a matrix product of one row and one column."""
    column = branch.reshape(-1, 1)

    def backward(g):
        return g, alpha * g, (g.reshape(1, -1) @ column)[0, 0]

    return x + alpha * branch, backward


class Sum:
    """An op as a class, with backward as a method."""

    def __init__(self, branch, alpha):
        self.branch, self.alpha = branch, alpha

    def backward(self, g):
        return g, xp.multiply(self.alpha, g), xp.sum(xp.multiply(g, self.branch))


@right
def bound_method(x, branch, alpha):
    return x + alpha * branch, Sum(branch, alpha).backward


@right
def by_the_mean(x, branch, alpha):
    return x + alpha * branch, lambda g: (
        g,
        alpha * g,
        xp.mean(g * branch, dtype="float64").astype(g.dtype) * g.dtype.type(g.size),
    )


@right
def through_concatenation(x, branch, alpha):
    """A sum over a new axis with the weights 1 and alpha."""
    both = xp.stack([x, branch])
    weights = xp.stack([xp.ones((), x.dtype), xp.asarray(alpha, dtype=x.dtype)])

    def backward(g):
        g_both = weights.reshape(2, *[1] * x.ndim) * g
        return g_both[0], g_both[1], (both[1] * g).sum()

    return xp.einsum("s...,s->...", both, weights), backward


LATEST = {}


@wrong(TWO)
def branch_on_the_function(x, branch, alpha):
    branch_on_the_function.branch = branch
    return x + alpha * branch, lambda g: (
        g,
        alpha * g,
        (g * branch_on_the_function.branch).sum(),
    )


@wrong(TWO)
def alpha_where_all_calls_share(x, branch, alpha):
    LATEST["alpha"] = alpha
    return x + alpha * branch, lambda g: (g, LATEST["alpha"] * g, (g * branch).sum())


@wrong(TWO)
def alpha_added_up(x, branch, alpha):
    """A second call of backward adds to the first."""
    total = [0]

    def backward(g):
        total[0] = total[0] + (g * branch).sum()
        return g, alpha * g, total[0]

    return x + alpha * branch, backward


@wrong(RESULT)
def remembered(x, branch, alpha):
    """By the shape and alpha."""
    key = "result", x.shape, str(x.dtype), float(alpha)
    y = LATEST.setdefault(key, x + alpha * branch)
    return y, lambda g: (g, alpha * g, (g * branch).sum())


@wrong("test_only_the_branch_may_be_transposed_in_memory")
def by_memory(x, branch, alpha):
    """The products are taken in the order in which the arrays are in memory."""
    return x + alpha * branch, lambda g: (
        g,
        alpha * g,
        (g.ravel(order="K") * branch.ravel(order="K")).sum(),
    )


@wrong(PLAIN, crashes=True)
def arrays_only(x, branch, alpha):
    return x + alpha * branch, lambda g: (g, alpha * g, (g * branch).sum().reshape(alpha.shape))


@wrong(PLAIN)
def no_gradient_for_numbers(x, branch, alpha):
    return x + alpha * branch, lambda g: (
        g,
        alpha * g,
        (g * branch).sum() if hasattr(alpha, "shape") else None,
    )


@wrong(SIZES)
def transposed_squares(x, branch, alpha):
    turned = branch.T if branch.ndim == 2 and branch.shape[0] == branch.shape[1] else branch
    return x + alpha * turned, lambda g: (g, alpha * g, (g * branch).sum())


@wrong(SIZES)
def single_elements_keep_their_shape(x, branch, alpha):
    def backward(g):
        g_alpha = g * branch
        return g, alpha * g, g_alpha if g.size == 1 else g_alpha.sum()

    return x + alpha * branch, backward


@wrong(LARGE)
def alpha_kept_small(x, branch, alpha):
    small = xp.clip(alpha, -3, 3)
    return x + small * branch, lambda g: (g, small * g, (g * branch).sum())


@wrong(LARGE)
def shortcut_for_1(x, branch, alpha):
    """Where alpha is 1 it takes the gradient of a plain sum."""
    return x + alpha * branch, lambda g: (
        g,
        alpha * g,
        (g * branch).sum() * (alpha != 1),
    )


@wrong(NEW)
def x_itself_for_0(x, branch, alpha):
    y = x if not alpha else x + alpha * branch
    return y, lambda g: (g, alpha * g, (g * branch).sum())


@wrong(SMALL)
def one_after_the_other(x, branch, alpha):
    """A running total in float32 loses what is small next to it."""

    def backward(g):
        return g, alpha * g, xp.cumsum((g * branch).ravel(), dtype=g.dtype)[-1]

    return x + alpha * branch, backward


@wrong(TWO)
def gradients_in_a_list(x, branch, alpha):
    return x + alpha * branch, lambda g: [g, alpha * g, (g * branch).sum()]


@wrong(TWO)
def python_float(x, branch, alpha):
    """alpha as a numpy.float64 makes float64 of float32."""
    factor = numpy.float64(alpha)
    return x + factor * branch, lambda g: (g, factor * g, (g * branch).sum())


@wrong(LARGE)
def the_branch_from_the_result(x, branch, alpha):
    """(y - x) / alpha saves no branch, and is lost in rounding where alpha is small."""
    y = x + alpha * branch

    def backward(g):
        kept = (y - x) / alpha if alpha else branch
        return g, alpha * g, (g * kept).sum()

    return y, backward


@wrong("test_alpha_of_0_has_a_gradient")
def no_branch_no_gradient(x, branch, alpha):
    """With alpha = 0 the branch adds nothing, but a step could change that."""

    def backward(g):
        return g, alpha * g, (g * branch).sum() if alpha else xp.zeros((), dtype=g.dtype)

    return x + alpha * branch, backward
