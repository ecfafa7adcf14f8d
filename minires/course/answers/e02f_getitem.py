"""Exercise 02f: what goes wrong with taking elements."""

from minires.backend import xp


def last_one_wins(x, *, index):
    """an element that was taken twice keeps one of its gradients, as g_x[index] = g and g_x[index] += g both do"""

    def backward(g):
        g_x = xp.zeros(x.shape, dtype=g.dtype)
        g_x[index] += g
        return (g_x,)

    return x[index], backward


def averaged(x, *, index):
    """an element that was taken twice gets the mean of its gradients: it changes both results, so it needs the sum"""

    def backward(g):
        g_x, count = xp.zeros(x.shape, dtype=g.dtype), xp.zeros(x.shape, dtype=g.dtype)
        xp.add.at(g_x, index, g)
        xp.add.at(count, index, 1)
        return (g_x / xp.maximum(count, 1),)

    return x[index], backward


def upstream_ignored(x, *, index):
    """g is left out: each element gets the number of times that it was taken"""

    def backward(g):
        g_x = xp.zeros(x.shape, dtype=g.dtype)
        xp.add.at(g_x, index, 1)
        return (g_x,)

    return x[index], backward


def as_small_as_the_result(x, *, index):
    """the gradient has the shape of the result: it must have the shape of x, with zeros where nothing was taken"""
    return x[index], lambda g: (g,)


def on_top_of_x(x, *, index):
    """the gradient starts as a copy of x instead of zeros"""

    def backward(g):
        g_x = x.astype(g.dtype)
        xp.add.at(g_x, index, g)
        return (g_x,)

    return x[index], backward


def taken_from_g(x, *, index):
    """backward reads where it should write: every element that was taken gets the sum of g"""

    def backward(g):
        g_x = xp.zeros(x.shape, dtype=g.dtype)
        g_x[index] = g.sum()
        return (g_x,)

    return x[index], backward


def in_float64(x, *, index):
    """the gradient is float64 although x is float32: xp.zeros without a dtype does that"""

    def backward(g):
        g_x = xp.zeros(x.shape)
        xp.add.at(g_x, index, g)
        return (g_x,)

    return x[index], backward


def other_elements(x, *, index):
    """the gradient goes to the elements that were not taken"""

    def backward(g):
        taken = xp.zeros(x.shape, dtype=bool)
        taken[index] = True
        return (xp.where(taken, 0, 1).astype(g.dtype),)

    return x[index], backward
