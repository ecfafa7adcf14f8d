"""Exercise 00a: the sum of squares."""

from minires.backend import xp


def sum_of_squares(x):
    """The sum of the squares of all elements of x: one number, whatever the shape of x."""
    return (x * x).sum()


def sum_first(x):
    """x is added up first, and the sum is squared"""
    return x.sum() ** 2


def not_squared(x):
    """nothing is squared"""
    return x.sum()


def rooted(x):
    """the square root is taken: that is the length of x, not its square"""
    return xp.sqrt((x * x).sum())


def along_an_axis(x):
    """only the last axis is added up, and not all of them"""
    return (x * x).sum(axis=-1)
