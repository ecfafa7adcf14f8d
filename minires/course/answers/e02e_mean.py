"""Exercise 02e: what goes wrong with a mean over some axes."""

from minires.backend import xp


def _back(x, axis, keepdims, spread):
    """Return an op for the mean, with spread(g with its axes back, elements per result) instead of g / n."""
    kept = x.mean(axis=axis, keepdims=True).shape
    n = x.size // max(x.mean(axis=axis).size, 1)

    def backward(g):
        return (xp.array(xp.broadcast_to(spread(g.reshape(kept), n), x.shape)),)

    return x.mean(axis=axis, keepdims=keepdims), backward


def not_divided(x, *, axis=None, keepdims=False):
    """g is not divided by n: that is the gradient of the sum"""
    return _back(x, axis, keepdims, lambda g, n: g)


def divided_by_all(x, *, axis=None, keepdims=False):
    """g is divided by the number of all elements: it should be the number of elements per result"""
    return _back(x, axis, keepdims, lambda g, n: g / x.size)


def divided_by_the_first_axis(x, *, axis=None, keepdims=False):
    """g is divided by the size of axis 0, whichever axes are reduced"""
    return _back(x, axis, keepdims, lambda g, n: g / x.shape[0])


def divided_by_one_axis(x, *, axis=None, keepdims=False):
    """g is divided by the size of one reduced axis: with several, it should be the product of their sizes"""
    one = axis[0] if isinstance(axis, tuple) else axis
    return _back(x, axis, keepdims, lambda g, n: g / (x.size if axis is None else x.shape[one]))


def divided_by_what_is_left(x, *, axis=None, keepdims=False):
    """g is divided by the number of results instead of the number of elements per result"""
    return _back(x, axis, keepdims, lambda g, n: g / g.size)


def upstream_ignored(x, *, axis=None, keepdims=False):
    """g is left out: each element gets 1/n"""
    return _back(x, axis, keepdims, lambda g, n: xp.ones_like(g) / n)


def axis_not_put_back(x, *, axis=None, keepdims=False):
    """the reduced axis is not put back into g, so that g broadcasts along the wrong axes, if it fits at all"""
    y = x.mean(axis=axis, keepdims=keepdims)
    return y, lambda g: (xp.array(xp.broadcast_to(g / (x.size // y.size), x.shape)),)


def not_repeated(x, *, axis=None, keepdims=False):
    """g is divided but keeps the shape of the mean: each element of x needs its own gradient"""
    y = x.mean(axis=axis, keepdims=keepdims)
    return y, lambda g: (g / (x.size // y.size),)


def a_sum(x, *, axis=None, keepdims=False):
    """the result is the sum instead of the mean"""
    return x.sum(axis=axis, keepdims=keepdims), _back(x, axis, keepdims, lambda g, n: g)[1]


def keepdims_forgotten(x, *, axis=None, keepdims=False):
    """keepdims is ignored"""
    return _back(x, axis, False, lambda g, n: g / n)


def in_float64(x, *, axis=None, keepdims=False):
    """the gradient is float64 although x is float32: a NumPy array made without a dtype does that"""
    y, backward = _back(x, axis, keepdims, lambda g, n: g / n)
    return y, lambda g: (xp.ones(x.shape) * backward(g)[0],)
