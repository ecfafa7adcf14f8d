"""Exercise 06a: what goes wrong with ReLU."""

from minires.backend import xp


def x_kept(x):
    """backward names x, or something as large, and so keeps it: one bool per element is enough"""
    return xp.maximum(x, 0), lambda g: (g * (x > 0),)


def in_place(x):
    """the negative elements are set to 0 in x itself, which other code still needs: make a new array"""
    x[x < 0] = 0
    positive = x > 0
    return x, lambda g: (g * positive,)


def unmasked(x):
    """the gradient passes everywhere: where x is negative, the result does not depend on it"""
    return xp.maximum(x, 0), lambda g: (g * 1,)


def slope_of_one_at_0(x):
    """the derivative at 0 is 1, as with >=: here it is 0, as in PyTorch"""
    passing = x >= 0
    return xp.maximum(x, 0), lambda g: (g * passing,)


def half_at_0(x):
    """the derivative at 0 is one half, as for a maximum of two equal numbers: here it is 0"""
    slopes = (xp.sign(x) + 1).astype("uint8")  # twice the derivative, in a byte
    return xp.maximum(x, 0), lambda g: (g * slopes / 2,)


def upstream_ignored(x):
    """g is left out: backward returns only the derivative"""
    positive = x > 0
    return xp.maximum(x, 0), lambda g: (positive.astype(g.dtype),)


def rectified_gradient(x):
    """the gradient is rectified too, so that a negative g is lost: x decides, not g"""
    positive = x > 0
    return xp.maximum(x, 0), lambda g: (xp.maximum(g, 0) * positive,)


def times_the_result(x):
    """g is multiplied by the result: the derivative of max(x, 0) is 1 where x is positive, and not x"""
    y = xp.maximum(x, 0)
    return y, lambda g: (g * y,)


def absolute(x):
    """the negative elements become positive: they should become 0"""
    sign = xp.sign(x).astype("int8")
    return abs(x), lambda g: (g * sign,)
