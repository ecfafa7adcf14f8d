"""One operand, element by element."""

from minires.backend import xp


def exp(x):
    """e ** x.

    Keeps  the result, which is its own slope.
    """
    y = xp.exp(x)

    def backward(g):
        return (g * y,)

    return y, backward


def log(x):
    """The natural logarithm.

    Keeps  x.
    """

    def backward(g):
        return (g / x,)

    return xp.log(x), backward


def sqrt(x):
    """The square root. The slope at 0 is infinite.

    Keeps  the result.
    """
    y = xp.sqrt(x)

    def backward(g):
        return (g / (2 * y),)

    return y, backward


def tanh(x):
    """(e**x - e**-x) / (e**x + e**-x).

    Keeps  the result.
    """
    y = xp.tanh(x)

    def backward(g):
        return (g * (1 - y * y),)

    return y, backward


def sigmoid(x):
    """1 / (1 + e**-x), with no overflow on either side.

    Keeps  the result.
    """
    small = xp.exp(-abs(x))  # at most 1
    y = xp.where(x >= 0, 1, small) / (1 + small)

    def backward(g):
        return (g * (y * (1 - y)),)

    return y, backward


def relu(x):
    """max(x, 0). The slope at 0 is 0.

    Keeps  one bool for each element.
    """
    positive = x > 0

    def backward(g):
        return (g * positive,)

    return xp.maximum(x, 0), backward
