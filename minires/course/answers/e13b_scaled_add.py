"""Exercise 13b: what goes wrong with a sum whose branch has a factor."""

import numpy


def _op(x, branch, alpha, *, y=None, g_x=None, g_branch=None, g_alpha=None):
    """Return the right op, except for these parts."""
    y = x + alpha * branch if y is None else y

    def backward(g):
        return (
            g_x(g) if g_x else g,
            g_branch(g) if g_branch else alpha * g,
            g_alpha(g) if g_alpha else _sum(g * branch),
        )

    return y, backward


def _sum(values):
    """Return the sum as an array of shape ()."""
    return numpy.asarray(values.sum())


def not_summed(x, branch, alpha):
    """the gradient of alpha has the shape of the branch: alpha is one number, so its gradient is one sum"""
    return _op(x, branch, alpha, g_alpha=lambda g: g * branch)


def averaged(x, branch, alpha):
    """the gradient of alpha is a mean: every element uses alpha, so their contributions add up"""
    return _op(x, branch, alpha, g_alpha=lambda g: _sum(g * branch) / g.dtype.type(g.size))


def summed_over_the_first_axis(x, branch, alpha):
    """the gradient of alpha is summed over the first axis only"""
    return _op(x, branch, alpha, g_alpha=lambda g: (g * branch).sum(axis=0))


def alpha_on_x(x, branch, alpha):
    """alpha multiplies x instead of the branch, and the path of x isn't clean"""
    return _op(
        x,
        branch,
        alpha,
        y=alpha * x + branch,
        g_x=lambda g: alpha * g,
        g_branch=lambda g: g,
        g_alpha=lambda g: _sum(g * x),
    )


def alpha_on_both(x, branch, alpha):
    """alpha multiplies the whole sum: then x isn't passed on unchanged"""
    return _op(
        x,
        branch,
        alpha,
        y=alpha * (x + branch),
        g_x=lambda g: alpha * g,
        g_alpha=lambda g: _sum(g * (x + branch)),
    )


def mixed(x, branch, alpha):
    """x is multiplied by 1 - alpha, as in a highway network: here x passes unchanged"""
    return _op(
        x,
        branch,
        alpha,
        y=(1 - alpha) * x + alpha * branch,
        g_x=lambda g: (1 - alpha) * g,
        g_alpha=lambda g: _sum(g * (branch - x)),
    )


def alpha_left_out(x, branch, alpha):
    """alpha isn't used: this is the sum of x and the branch"""
    return _op(x, branch, alpha, y=x + branch, g_branch=lambda g: g, g_alpha=lambda g: _sum(0 * g))


def branch_gradient_unscaled(x, branch, alpha):
    """the branch gets g itself: its gradient is alpha * g"""
    return _op(x, branch, alpha, g_branch=lambda g: g)


def x_gradient_scaled(x, branch, alpha):
    """x gets alpha * g: it has no factor, so its gradient is g"""
    return _op(x, branch, alpha, g_x=lambda g: alpha * g)


def x_and_branch_swapped(x, branch, alpha):
    """the gradients of x and of the branch are in the wrong order"""
    return _op(x, branch, alpha, g_x=lambda g: alpha * g, g_branch=lambda g: g)


def x_in_the_gradient_of_alpha(x, branch, alpha):
    """the gradient of alpha is computed with x: alpha multiplies the branch"""
    return _op(x, branch, alpha, g_alpha=lambda g: _sum(g * x))


def result_in_the_gradient_of_alpha(x, branch, alpha):
    """the gradient of alpha is computed with the result: alpha multiplies the branch alone"""
    return _op(x, branch, alpha, g_alpha=lambda g: _sum(g * (x + alpha * branch)))


def alpha_twice(x, branch, alpha):
    """the gradient of alpha has a factor alpha: then an alpha of 0 would stay 0"""
    return _op(x, branch, alpha, g_alpha=lambda g: _sum(g * (alpha * branch)))


def upstream_left_out(x, branch, alpha):
    """g is left out of the gradient of alpha"""
    return _op(x, branch, alpha, g_alpha=lambda g: _sum(branch))


def alpha_constant(x, branch, alpha):
    """alpha gets a gradient of 0, as if it weren't learned"""
    return _op(x, branch, alpha, g_alpha=lambda g: _sum(0 * g))
