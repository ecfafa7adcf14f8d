"""Exercise 04h: a softmax with a bug, and what else goes wrong with it."""

from minires.backend import xp


def hunted(x, *, axis=-1):
    """the softmax is unchanged from the original: the maximum of all x is subtracted, and in a row far below it every e**x is 0"""
    powers = xp.exp(x - x.max())
    y = powers / powers.sum(axis=axis, keepdims=True)

    def backward(g):
        return (y * (g - (g * y).sum(axis=axis, keepdims=True)),)

    return y, backward


def _op(powers, axis, along=None):
    """Return softmax of powers, and backward. along  the axis of the sums in backward, if it is a different one"""
    y = powers / powers.sum(axis=axis, keepdims=True)
    along = axis if along is None else along
    return y, lambda g: (y * (g - (g * y).sum(axis=along, keepdims=True)),)


def nothing_taken_off(x, *, axis=-1):
    """nothing is subtracted before e**x: e**1000 is infinite"""
    return _op(xp.exp(x), axis)


def smallest_taken_off(x, *, axis=-1):
    """the minimum of each row is subtracted: e**x of the other elements may be infinite"""
    return _op(xp.exp(x - x.min(axis=axis, keepdims=True)), axis)


def mean_taken_off(x, *, axis=-1):
    """the mean of each row is subtracted: e**x is still infinite for elements far above it"""
    return _op(xp.exp(x - x.mean(axis=axis, keepdims=True)), axis)


def axis_left_out(x, *, axis=-1):
    """the maximum is taken along the last axis, whatever `axis` is: then different numbers are subtracted within one row"""
    return _op(xp.exp(x - x.max(axis=-1, keepdims=True)), axis)


def cut_off(x, *, axis=-1):
    """x is clipped to -700 ... 700, where e**x is still finite: all elements beyond become equal"""
    return _op(xp.exp(xp.clip(x, -700, 700)), axis)


def nan_kept_away(x, *, axis=-1):
    """NaN is replaced, but its cause remains: such a row becomes zeros, and it should sum to 1"""
    powers = xp.exp(x - x.max())
    y = powers / (powers.sum(axis=axis, keepdims=True) + xp.asarray(1e-30, dtype=x.dtype))
    return y, lambda g: (y * (g - (g * y).sum(axis=axis, keepdims=True)),)


def sum_of_all(x, *, axis=-1):
    """the powers are divided by the sum of all of them instead of the sum of their row"""
    powers = xp.exp(x - x.max())
    y = powers / powers.sum()
    return y, lambda g: (y * (g - (g * y).sum()),)
