"""Exercise 04h, chapter 04, 15 minutes: a bug hunt in softmax. Check: pytest exercises/test_e04h_softmax.py"""

from minires.backend import xp


def softmax(x, *, axis=-1):
    """e**x / sum(e**x) along `axis`. The largest x is taken off first: no overflow, the same result.

    Saves  the result.

    It does not overflow, its lines sum to 1, its gradient passes a check by small steps, all on numbers like those of a new
    net. A net was trained for a while, and NaN came out. Find the line and mend it. Chapter 04.
    """
    powers = xp.exp(x - x.max())
    y = powers / powers.sum(axis=axis, keepdims=True)

    def backward(g):
        return (y * (g - (g * y).sum(axis=axis, keepdims=True)),)

    return y, backward
