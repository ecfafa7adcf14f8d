"""Reductions: sum, mean, max, var. `axis` is None (all axes), an int or a tuple; `keepdims` keeps the reduced axes, with size 1."""

import math
import operator

from minires.backend import xp
from minires.ops.forms import op


def _keep(shape, axis):
    """Return `shape` with ones for the reduced axes.

    Raises  TypeError: an axis that is not an int. ValueError: an axis that does not exist.
    """
    try:
        axes = (
            range(len(shape))
            if axis is None
            else [*map(operator.index, axis if isinstance(axis, tuple) else (axis,))]
        )
    except TypeError:
        raise TypeError(f"axis: expected None, an int or a tuple of ints, got {axis!r}") from None
    for i in axes:
        if not -len(shape) <= i < len(shape):
            raise ValueError(f"axis {i} is out of bounds for shape {shape}")
    kept = {i % len(shape) for i in axes}
    return tuple(1 if i in kept else size for i, size in enumerate(shape))


def _count(shape, axis):
    """Return the number of elements that are reduced to one."""
    return math.prod(size for size, kept in zip(shape, _keep(shape, axis)) if kept == 1)


def total(x, axis=None, keepdims=False, divisor=1):
    """The sum of floats over `axis`, divided; added in float64, as a float32 sum of a million numbers keeps about four digits."""
    return (x.sum(axis=axis, dtype="float64", keepdims=keepdims) / divisor).astype(x.dtype)


def _total(x, axis, keepdims, divisor):
    """total for floats; for ints and bools NumPy's own sum, which is exact, and a float64 after division."""
    if x.dtype.kind not in "biu":
        return total(x, axis, keepdims, 1 if divisor is None else divisor)
    whole = x.sum(axis=axis, keepdims=keepdims)
    return whole if divisor is None else whole / divisor


@op
def sum(x, *, axis=None, keepdims=False):
    """The sum over `axis`. Each element gets the gradient of its sum.

    Saves  a shape.
    """
    shape, kept = x.shape, _keep(x.shape, axis)

    def backward(g):
        return (xp.broadcast_to(g.reshape(kept), shape),)

    return _total(x, axis, keepdims, None), backward


@op
def mean(x, *, axis=None, keepdims=False):
    """The mean over `axis`.

    Saves  a shape.
    """
    shape, kept, n = x.shape, _keep(x.shape, axis), _count(x.shape, axis)

    def backward(g):
        return (xp.broadcast_to(g.reshape(kept) / n, shape),)

    return _total(x, axis, keepdims, n), backward


@op
def max(x, *, axis=None, keepdims=False):
    """The largest element along `axis`. Elements that tie for it share the gradient equally.

    Saves  one bool per element.
    """
    kept = _keep(x.shape, axis)
    y = x.max(axis=axis, keepdims=keepdims)
    chosen = x == y.reshape(kept)

    def backward(g):
        ties = chosen.sum(axis=axis, keepdims=True).astype(g.dtype)
        return (chosen * (g.reshape(kept) / ties),)

    return y, backward


@op
def var(x, *, axis=None, ddof=0, keepdims=False):
    """The mean squared deviation from the mean; divided by n - ddof instead of n, as in NumPy.

    Saves  x minus its mean.
    Raises  ValueError: ddof is as large as n, or larger.
    """
    kept, n = _keep(x.shape, axis), _count(x.shape, axis)
    divisor = n - ddof
    if divisor <= 0:
        raise ValueError(f"var: expected a ddof below the number of elements, {n}, got {ddof}")
    distance = x - _total(x, axis, True, n)

    def backward(g):
        return (g.reshape(kept) * distance * 2 / divisor,)

    return _total(distance * distance, axis, keepdims, divisor), backward
