"""Exercise 02g: a gradient by finite differences, and what goes wrong with it."""

from minires.backend import xp


def numeric_gradient(f, x, g, *, step=1e-5):
    """The gradient of the loss (g * f(x)).sum() with respect to x, by changing one element of x at a time.

    f  from an array to an array    x  of any shape    g  of the shape of f(x)    result  of the shape of x
    """
    gradient = xp.zeros_like(x)
    for index in xp.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (g * (f(up) - f(down))).sum() / (2 * step)
    return gradient


def _along(x, slope):
    gradient = xp.zeros_like(x)
    for index in xp.ndindex(x.shape):
        unit = xp.zeros_like(x)
        unit[index] = 1
        gradient[index] = slope(unit)
    return gradient


def one_sided(f, x, g, *, step=1e-5):
    """the step goes one way only: its error shrinks with the step, and that of a two-sided difference with its square"""
    return _along(x, lambda unit: (g * (f(x + step * unit) - f(x))).sum() / step)


def not_halved(f, x, g, *, step=1e-5):
    """the difference is divided by step: from x - step to x + step there are two steps"""
    return _along(x, lambda unit: (g * (f(x + step * unit) - f(x - step * unit))).sum() / step)


def upstream_ignored(f, x, g, *, step=1e-5):
    """g is left out: that is the gradient of f(x).sum(), which lets wrong backward passes through"""
    return _along(x, lambda unit: (f(x + step * unit) - f(x - step * unit)).sum() / (2 * step))


def all_at_once(f, x, g, *, step=1e-5):
    """all elements are changed at once: this gives one derivative for all, but each has its own"""
    return xp.zeros_like(x) + (g * (f(x + step) - f(x - step))).sum() / (2 * step)


def sign_lost(f, x, g, *, step=1e-5):
    """the two losses are subtracted in the wrong order"""
    return _along(
        x, lambda unit: (g * (f(x - step * unit) - f(x + step * unit))).sum() / (2 * step)
    )


def steps_left_behind(f, x, g, *, step=1e-5):
    """an element that was changed is not restored before the next one changes"""
    moved, gradient = x.copy(), xp.zeros_like(x)
    for index in xp.ndindex(x.shape):
        moved[index] += step
        up = f(moved).copy()
        moved[index] -= 2 * step
        gradient[index] = (g * (up - f(moved))).sum() / (2 * step)
    return gradient
