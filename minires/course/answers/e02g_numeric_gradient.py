"""Exercise 02g: a gradient by small steps, and what goes wrong with it."""

from minires.backend import xp


def numeric_gradient(f, x, g, *, step=1e-5):
    """The gradient of the loss (g * f(x)).sum() with respect to x, by moving one element of x at a time.

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
    """the step goes one way only: its error falls with the step, that of two sides with the square of it"""
    return _along(x, lambda unit: (g * (f(x + step * unit) - f(x))).sum() / step)


def not_halved(f, x, g, *, step=1e-5):
    """the difference is divided by step: from x - step to x + step it is two of them"""
    return _along(x, lambda unit: (g * (f(x + step * unit) - f(x - step * unit))).sum() / step)


def upstream_ignored(f, x, g, *, step=1e-5):
    """g is left out: that is the gradient of f(x).sum(), with which wrong backwards pass"""
    return _along(x, lambda unit: (f(x + step * unit) - f(x - step * unit)).sum() / (2 * step))


def all_at_once(f, x, g, *, step=1e-5):
    """all elements are moved at once: one slope for all, where each has its own"""
    return xp.zeros_like(x) + (g * (f(x + step) - f(x - step))).sum() / (2 * step)


def sign_lost(f, x, g, *, step=1e-5):
    """the two ends are subtracted the wrong way round"""
    return _along(
        x, lambda unit: (g * (f(x - step * unit) - f(x + step * unit))).sum() / (2 * step)
    )


def steps_left_behind(f, x, g, *, step=1e-5):
    """an element that was moved is not put back before the next one is"""
    moved, gradient = x.copy(), xp.zeros_like(x)
    for index in xp.ndindex(x.shape):
        moved[index] += step
        up = f(moved)
        moved[index] -= 2 * step
        gradient[index] = (g * (up - f(moved))).sum() / (2 * step)
    return gradient
