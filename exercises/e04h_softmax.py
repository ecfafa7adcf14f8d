"""Exercise 04h, chapter 04, 15 minutes: a bug hunt in softmax. Check: pytest exercises/test_e04h_softmax.py"""

from minires.backend import xp


def softmax(x, *, axis=-1):
    """e**x / sum(e**x) along `axis`. The largest x is subtracted first: no overflow, the same result.

    On numbers like those of a new network, this function doesn't overflow, its rows sum to 1, and its gradient
    passes a gradient check. After some training, it returned NaN. Find the line and fix it. Chapter 04.
    """
    powers = xp.exp(x - x.max())
    y = powers / powers.sum(axis=axis, keepdims=True)

    def backward(g):
        return (y * (g - (g * y).sum(axis=axis, keepdims=True)),)

    return y, backward
