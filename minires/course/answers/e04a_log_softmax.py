"""Exercise 04a: what goes wrong with log_softmax."""

from minires.backend import xp


def _y(x, axis):
    x = x - x.max(axis=axis, keepdims=True)
    return x - xp.log(xp.exp(x).sum(axis=axis, keepdims=True))


def _back(y, axis):
    return lambda g: (g - xp.exp(y) * g.sum(axis=axis, keepdims=True),)


def nothing_taken_off(x, *, axis=-1):
    """the maximum of x is not subtracted first: e**1000 is infinite"""
    y = x - xp.log(xp.exp(x).sum(axis=axis, keepdims=True))
    return y, _back(y, axis)


def log_of_softmax(x, *, axis=-1):
    """softmax comes first and its logarithm second: far below the maximum, softmax is 0, and log(0) is -inf"""
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    y = xp.log(powers / powers.sum(axis=axis, keepdims=True))
    return y, _back(y, axis)


def largest_of_all(x, *, axis=-1):
    """the maximum of all x is subtracted instead of each row's own: in a row far below it, every e**x is 0"""
    x = x - x.max()
    y = x - xp.log(xp.exp(x).sum(axis=axis, keepdims=True))
    return y, _back(y, axis)


def softmax_given(x, *, axis=-1):
    """softmax is returned instead of its logarithm"""
    y = _y(x, axis)
    return xp.exp(y), _back(y, axis)


def axis_left_out(x, *, axis=-1):
    """`axis` is ignored: it is always the last one"""
    y = _y(x, -1)
    return y, _back(y, -1)


def over_everything(x, *, axis=-1):
    """the sum of e**x runs over all elements instead of along the axis"""
    x = x - x.max()
    y = x - xp.log(xp.exp(x).sum())
    return y, _back(y, tuple(range(x.ndim)))


def sum_of_g_left_out(x, *, axis=-1):
    """softmax itself is subtracted from g: it should first be multiplied by the sum of g along the axis"""
    y = _y(x, axis)
    return y, lambda g: (g - xp.exp(y),)


def own_y_only(x, *, axis=-1):
    """each x gets the gradient of its own y only: it also changes all the other y of its row"""
    y = _y(x, axis)
    return y, lambda g: (g * (1 - xp.exp(y)),)


def of_softmax(x, *, axis=-1):
    """backward is that of softmax"""
    y = _y(x, axis)
    p = xp.exp(y)
    return y, lambda g: (p * (g - (g * p).sum(axis=axis, keepdims=True)),)


def g_summed_over_everything(x, *, axis=-1):
    """backward sums g over all elements instead of along the axis"""
    y = _y(x, axis)
    return y, lambda g: (g - xp.exp(y) * g.sum(),)


def g_as_it_is(x, *, axis=-1):
    """g is returned unchanged, as if the sum of e**x were a constant"""
    return _y(x, axis), lambda g: (g,)
