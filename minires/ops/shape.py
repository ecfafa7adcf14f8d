"""The same elements in another order or frame: nothing is computed, and backward undoes the move."""

import copy
from itertools import pairwise

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from minires.ops.forms import op


@op
def reshape(x, *, shape):
    """The elements in row order under another shape; one size may be -1.

    Saves  a shape.
    """
    old = x.shape

    def backward(g):
        return (g.reshape(old),)

    return x.reshape(shape), backward


@op
def transpose(x, *, axes=None):
    """The axes in the order `axes`; without it, reversed.

    Saves  the order.
    """
    if axes is not None and len(axes) != x.ndim:
        raise ValueError(
            f"transpose: axes {tuple(axes)} for shape {x.shape}: wanted each of its {x.ndim} axes once"
        )
    back = None if axes is None else sorted(range(x.ndim), key=lambda i: axes[i] % x.ndim)

    def backward(g):
        return (g.transpose(back),)

    return x.transpose(axes), backward


@op
def getitem(x, *, index):
    """x[index]: ints, slices, None, ..., arrays of ints or bools. An element taken twice gets both gradients.

    Saves  the index and a shape.
    """
    shape, place = x.shape, copy.deepcopy(index)  # a list or an array may change before backward
    parts = place if isinstance(place, tuple) else (place,)
    repeats = any(isinstance(part, (list, xp.ndarray)) for part in parts)

    def backward(g):
        g_x = xp.zeros(shape, dtype=g.dtype)
        if repeats:
            xp.add.at(g_x, place, g)
        else:
            g_x[place] = g
        return (g_x,)

    return x[place], backward


@op
def concatenate(*arrays, axis=0):
    """The arrays one after the other along an axis that exists.

    Saves  where each one ends.
    """
    result = xp.concatenate(arrays, axis=axis)
    along, ends = axis % result.ndim, [0]
    for array in arrays:
        ends.append(ends[-1] + array.shape[along])

    def backward(g):
        before = (slice(None),) * along
        return tuple(g[(*before, slice(start, end))] for start, end in pairwise(ends))

    return result, backward


@op
def pad(x, *, widths):
    """x with zeros around it: `widths` has a pair (before, after) for each axis.

    Saves  where x lies.
    Raises  ValueError: another number of pairs than axes, or a negative width.
    """
    shapes = [xp.shape(pair) for pair in widths] if isinstance(widths, (tuple, list)) else None
    if shapes != [(2,)] * x.ndim or any(min(pair) < 0 for pair in widths):
        raise ValueError(
            f"pad: widths {widths} for shape {x.shape}: wanted a pair of widths >= 0 for each of {x.ndim} axes"
        )
    inside = tuple(slice(before, before + size) for (before, _), size in zip(widths, x.shape))

    def backward(g):
        return (g[inside],)

    return xp.pad(x, widths), backward


@op
def broadcast_to(x, *, shape):
    """x repeated along new axes and along those of size 1.

    Saves  a shape.
    """
    old = x.shape

    def backward(g):
        return (unbroadcast(g, old),)

    return xp.broadcast_to(x, shape), backward
