"""Exercise 04h: a softmax with a bug, and what else goes wrong with it."""

from minires.backend import xp


def hunted(x, *, axis=-1):
    """the softmax is as it was given out: the largest of all is taken off, and a line far below it is 0 everywhere"""
    powers = xp.exp(x - x.max())
    y = powers / powers.sum(axis=axis, keepdims=True)

    def backward(g):
        return (y * (g - (g * y).sum(axis=axis, keepdims=True)),)

    return y, backward


def _op(powers, axis, along=None):
    """softmax of powers. along  the axis of the sums in backward, where it is another"""
    y = powers / powers.sum(axis=axis, keepdims=True)
    along = axis if along is None else along
    return y, lambda g: (y * (g - (g * y).sum(axis=along, keepdims=True)),)


def nothing_taken_off(x, *, axis=-1):
    """nothing is taken off before e**x: e**1000 is infinite"""
    return _op(xp.exp(x), axis)


def smallest_taken_off(x, *, axis=-1):
    """the smallest of each line is taken off: e**x of the others may be infinite"""
    return _op(xp.exp(x - x.min(axis=axis, keepdims=True)), axis)


def mean_taken_off(x, *, axis=-1):
    """the mean of each line is taken off: what lies far above it makes e**x infinite all the same"""
    return _op(xp.exp(x - x.mean(axis=axis, keepdims=True)), axis)


def axis_left_out(x, *, axis=-1):
    """the largest is taken off along the last axis whatever the axis: then one line gets several numbers taken off"""
    return _op(xp.exp(x - x.max(axis=-1, keepdims=True)), axis)


def cut_off(x, *, axis=-1):
    """x is cut off at 700 and -700, where e**x is still a number: what lies beyond is taken for equal"""
    return _op(xp.exp(xp.clip(x, -700, 700)), axis)


def nan_kept_away(x, *, axis=-1):
    """NaN is kept away, and its cause is not: a line that sums to 0 gives zeros, and has to sum to 1"""
    powers = xp.exp(x - x.max())
    y = powers / (powers.sum(axis=axis, keepdims=True) + xp.asarray(1e-30, dtype=x.dtype))
    return y, lambda g: (y * (g - (g * y).sum(axis=axis, keepdims=True)),)


def sum_of_all(x, *, axis=-1):
    """powers are divided by the sum of all of them, and not by that of their line"""
    powers = xp.exp(x - x.max())
    y = powers / powers.sum()
    return y, lambda g: (y * (g - (g * y).sum()),)
