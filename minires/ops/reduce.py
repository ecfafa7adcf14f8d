"""Many elements to one: sum, mean, max, var. `axis` is None for all, an int or a tuple; `keepdims` leaves ones behind."""

from minires.backend import xp


def _keep(shape, axis):
    """`shape` with ones for the reduced axes."""
    if axis is None:
        return (1,) * len(shape)
    axes = {i % len(shape) for i in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if i in axes else size for i, size in enumerate(shape))


def _count(shape, axis):
    """How many elements go into one."""
    count = 1
    for size, kept in zip(shape, _keep(shape, axis)):
        count *= size if kept == 1 else 1
    return count


def sum(x, *, axis=None, keepdims=False):
    """The sum over `axis`: each element gets the gradient of its sum.

    Keeps  a shape.
    """
    shape, kept = x.shape, _keep(x.shape, axis)

    def backward(g):
        return (xp.broadcast_to(g.reshape(kept), shape),)

    return x.sum(axis=axis, keepdims=keepdims), backward


def mean(x, *, axis=None, keepdims=False):
    """The mean over `axis`: of n elements, each gets 1/n of the gradient.

    Keeps  a shape.
    """
    shape, kept, n = x.shape, _keep(x.shape, axis), _count(x.shape, axis)

    def backward(g):
        return (xp.broadcast_to(g.reshape(kept) / n, shape),)

    return x.mean(axis=axis, keepdims=keepdims), backward


def max(x, *, axis=None, keepdims=False):
    """The largest element along `axis`. Elements that tie for it share the gradient equally.

    Keeps  one bool for each element.
    """
    y = x.max(axis=axis, keepdims=keepdims)
    kept = _keep(x.shape, axis)
    chosen = x == y.reshape(kept)

    def backward(g):
        ties = chosen.sum(axis=axis, keepdims=True).astype(g.dtype)
        return (chosen * (g.reshape(kept) / ties),)

    return y, backward


def var(x, *, axis=None, ddof=0, keepdims=False):
    """The mean squared distance from the mean; divided by n - ddof instead of n, as NumPy does.

    Keeps  the distances.
    """
    divisor = _count(x.shape, axis) - ddof
    distance = x - x.mean(axis=axis, keepdims=True)
    kept = _keep(x.shape, axis)

    def backward(g):
        return (g.reshape(kept) * distance * 2 / divisor,)

    return (distance * distance).sum(axis=axis, keepdims=keepdims) / divisor, backward
