"""Solutions of 13d: fixed ones, and ones that were fixed in the wrong place."""

from minires.backend import xp
from tests.course.kinds import right, wrong


@right
def two_copies(x, first, second, *, alpha=1.0):
    """The file as provided, with two copies."""

    def relu(z):
        z *= z > 0
        return z

    def scaled(z):
        z *= alpha
        return z

    y, saved = x.copy(), []
    for w1, w2 in zip(first, second):
        active = relu(y.copy())
        inner = relu(active @ w1)
        y = y + scaled(inner @ w2)
        saved.append((active, inner))

    def backward(g):
        g_first, g_second = xp.zeros_like(first), xp.zeros_like(second)
        g_x = g.copy()
        for b in reversed(range(len(first))):
            active, inner = saved[b]
            g_branch = scaled(g_x.copy())
            g_second[b] = inner.T @ g_branch
            g_inner = (g_branch @ second[b].T) * (inner > 0)
            g_first[b] = active.T @ g_inner
            g_x = g_x + (g_inner @ first[b].T) * (active > 0)
        return g_x, g_first, g_second

    return y, backward


@right
def new_arrays(x, first, second, *, alpha=1.0):
    """Both functions return new arrays."""

    def relu(z):
        return z * (z > 0)

    def scaled(z):
        return z * alpha

    y, saved = x.copy(), []
    for w1, w2 in zip(first, second):
        active = relu(y)
        inner = relu(active @ w1)
        y = y + scaled(inner @ w2)
        saved.append((active, inner))

    def backward(g):
        g_first, g_second = xp.zeros_like(first), xp.zeros_like(second)
        for b in reversed(range(len(first))):
            active, inner = saved[b]
            g_branch = scaled(g)
            g_second[b] = inner.T @ g_branch
            g_inner = (g_branch @ second[b].T) * (inner > 0)
            g_first[b] = active.T @ g_inner
            g = g + (g_inner @ first[b].T) * (active > 0)
        return g, g_first, g_second

    return y, backward


def block(x, w1, w2, alpha, *, hook=None):
    """One block, and its backward. hook  a dict of functions for its parts, where they differ from the right ones"""
    part = {
        "relu": lambda z: xp.where(z > 0, z, 0),
        "sum": lambda x, active, branch: branch * alpha + x,
        "branch": lambda g: g * alpha,
        "carried": lambda g, x: g,
        "masked": lambda g, x: xp.where(x > 0, g, 0),
        "read": lambda x, active: active,
        **(hook or {}),
    }
    active = part["relu"](x)
    inner = xp.maximum(active @ w1, 0)

    def backward(g):
        g_branch = part["branch"](g)
        g_inner = xp.where(inner > 0, g_branch @ w2.T, 0)
        g_x = part["carried"](g, x) + part["masked"](g_inner @ w1.T, x)
        return g_x, part["read"](x, active).T @ g_inner, inner.T @ g_branch

    return part["sum"](x, active, inner @ w2), backward


def in_a_row(x, first, second, alpha, **hook):
    """Blocks of their own, one after the other."""
    backwards, y = [], x.copy()
    for w1, w2 in zip(first, second):
        y, backward = block(y, w1, w2, alpha, hook=hook)
        backwards.append(backward)

    def whole(g):
        parts = []
        for backward in backwards[::-1]:
            g, *weights = backward(g)
            parts.append(weights)
        g_first, g_second = (xp.stack(each) for each in zip(*parts[::-1]))
        return g, g_first, g_second

    return y, whole


@right
def block_by_block(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha)


@right
def shortcut_kept_apart(x, first, second, *, alpha=1.0):
    """x is copied at the head of each block, and the work is in place."""
    y, saved = x + 0, []
    for w1, w2 in zip(first, second):
        carried = y.copy()
        mask = y > 0
        y *= mask
        inner = y @ w1
        inner *= inner > 0
        saved.append((y, mask, inner))
        branch = inner @ w2
        branch *= alpha
        carried += branch
        y = carried

    def backward(g):
        g_first, g_second = xp.empty_like(first), xp.empty_like(second)
        carried = g.copy()
        for b in range(len(saved) - 1, -1, -1):
            active, mask, inner = saved[b]
            g_branch = carried * alpha
            g_second[b] = inner.T @ g_branch
            g_inner = g_branch @ second[b].T
            g_inner *= inner > 0
            g_first[b] = active.T @ g_inner
            back = g_inner @ first[b].T
            back *= mask
            carried += back
        return carried, g_first, g_second

    return y, backward


POSITIVE = "test_one_block_on_positive_x_stays_right"
X_PASSES = "test_with_second_of_0_x_passes_unchanged"
G_PASSES = "test_with_second_of_0_g_passes_unchanged"
RESULT = "test_the_result_of_one_block"
GRADIENTS = "test_the_gradients_of_one_block"
SMALL = "test_the_gradients_for_positive_x_and_a_small_alpha"


@wrong(G_PASSES, mistake="only_forward_fixed")
def a_copy_for_relu_only(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha, carried=lambda g, x: g * alpha)


@wrong(X_PASSES, mistake="only_backward_fixed")
def a_copy_for_scaled_only(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha, sum=lambda x, active, branch: active + branch * alpha)


@wrong(X_PASSES, mistake="shortcut_activated")
def agreed_on_relu_of_x(x, first, second, *, alpha=1.0):
    return in_a_row(
        x,
        first,
        second,
        alpha,
        sum=lambda x, active, branch: active + branch * alpha,
        carried=lambda g, x: xp.where(x > 0, g, 0),
    )


@wrong(G_PASSES, mistake="shortcut_scaled")
def agreed_on_alpha_for_both(x, first, second, *, alpha=1.0):
    return in_a_row(
        x,
        first,
        second,
        alpha,
        sum=lambda x, active, branch: x * alpha + branch * alpha,
        carried=lambda g, x: alpha * g,
    )


@wrong(RESULT, mistake="head_without_relu")
def no_relu_first(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha, relu=lambda z: z, masked=lambda g, x: g)


@wrong(SMALL, mistake="alpha_lost_in_backward")
def g_for_the_branch(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha, branch=lambda g: g.copy())


@wrong(RESULT, mistake="alpha_lost")
def never_scaled(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, 1.0)


@wrong(SMALL, mistake="alpha_twice_in_backward")
def scaled_again(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha, branch=lambda g: g * alpha**2)


@wrong(GRADIENTS, mistake="x_read_by_the_gradient")
def y_saved(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha, read=lambda x, active: x)


@wrong(GRADIENTS, mistake="mask_lost")
def unmasked(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha, masked=lambda g, x: g)


@wrong(GRADIENTS, mistake="mask_on_everything")
def masked_sum(x, first, second, *, alpha=1.0):
    return in_a_row(x, first, second, alpha, carried=lambda g, x: g * (x > 0))


@wrong("test_the_result_of_several_blocks")
def copied_once(x, first, second, *, alpha=1.0):
    """One copy before the loop: right for one block."""
    carried = x.copy()
    y, backward = in_a_row(
        x, first, second, alpha, sum=lambda x, active, branch: active + branch * alpha
    )
    return y - xp.maximum(carried, 0) + carried + 0 * len(first), backward


@wrong(POSITIVE)
def the_callers_x(x, first, second, *, alpha=1.0):
    """No copy at all: x is changed."""
    x[...] = xp.maximum(x, 0) + 1e-9
    return in_a_row(x, first, second, alpha)


@wrong(SMALL)
def the_callers_g(x, first, second, *, alpha=1.0):
    y, backward = in_a_row(x, first, second, alpha)

    def scaling(g):
        gradients = backward(g.copy())
        g *= alpha
        return gradients

    return y, scaling


@wrong(SMALL)
def weights_without_alpha(x, first, second, *, alpha=1.0):
    y, backward = in_a_row(x, first, second, alpha)

    def partly(g):
        g_x, g_first, g_second = backward(g)
        return g_x, g_first, g_second / alpha if alpha else g_second

    return y, partly


@wrong(G_PASSES)
def g_twice(x, first, second, *, alpha=1.0):
    """The shortcut's gradient is added once more."""
    return in_a_row(x, first, second, alpha, carried=lambda g, x: g * (2 - alpha))
