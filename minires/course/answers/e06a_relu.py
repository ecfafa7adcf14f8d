"""Exercise 06a: what goes wrong with ReLU."""

from minires.backend import xp


def x_kept(x):
    """backward names x, and so keeps all of it, or something as large: one bool for each element is enough"""
    return xp.maximum(x, 0), lambda g: (g * (x > 0),)


def in_place(x):
    """the negative numbers are set to 0 in x itself, which others still need: a new array has to be made"""
    x[x < 0] = 0
    positive = x > 0
    return x, lambda g: (g * positive,)


def unmasked(x):
    """the gradient passes everywhere: where x is negative the result does not move with it"""
    return xp.maximum(x, 0), lambda g: (g * 1,)


def slope_of_one_at_0(x):
    """the slope at 0 is 1, as from >=: here it is 0, as in PyTorch"""
    passing = x >= 0
    return xp.maximum(x, 0), lambda g: (g * passing,)


def half_at_0(x):
    """the slope at 0 is one half, as two equal sides of a maximum share the gradient: here it is 0"""
    slopes = (xp.sign(x) + 1).astype("uint8")  # twice the slope, in a byte
    return xp.maximum(x, 0), lambda g: (g * slopes / 2,)


def upstream_ignored(x):
    """g is left out: backward gives the slope only"""
    positive = x > 0
    return xp.maximum(x, 0), lambda g: (positive.astype(g.dtype),)


def rectified_gradient(x):
    """the gradient is rectified too: where g is negative nothing comes back. It is x that decides, not g"""
    positive = x > 0
    return xp.maximum(x, 0), lambda g: (xp.maximum(g, 0) * positive,)


def times_the_result(x):
    """g is multiplied by the result: the slope of max(x, 0) is 1 where x is positive, and not x"""
    y = xp.maximum(x, 0)
    return y, lambda g: (g * y,)


def absolute(x):
    """the negative numbers are turned into positive ones: they become 0"""
    sign = xp.sign(x).astype("int8")
    return abs(x), lambda g: (g * sign,)
