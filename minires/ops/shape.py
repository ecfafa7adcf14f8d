"""Ops that move elements and compute nothing: reshape, transpose, indexing, padding, option A's shortcut, broadcasting."""

import copy
from itertools import pairwise

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from minires.ops.forms import op


@op
def reshape(x, *, shape):
    """Return the elements, in row order, in a new shape; one size may be -1.

    Saves  a shape.
    """
    old = x.shape

    def backward(g):
        return (g.reshape(old),)

    return x.reshape(shape), backward


@op
def transpose(x, *, axes=None):
    """Put the axes in the order `axes`; without it, reverse them.

    Saves  the order.
    """
    if axes is not None and len(axes) != x.ndim:
        raise ValueError(
            f"transpose: expected each of the {x.ndim} axes of shape {x.shape} once, got {tuple(axes)}"
        )
    back = None if axes is None else sorted(range(x.ndim), key=lambda i: axes[i] % x.ndim)

    def backward(g):
        return (g.transpose(back),)

    return x.transpose(axes), backward


@op
def getitem(x, *, index):
    """x[index]: ints, slices, None, ..., arrays of ints or bools. An element may be taken more than once.

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
    """Join arrays along an existing axis.

    Saves  where each array ends.
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
    """Put zeros around x: `widths` has a pair (before, after) per axis.

    Saves  where x is in the result.
    Raises  ValueError: not one pair per axis, or a negative width.
    """
    shapes = [xp.shape(pair) for pair in widths] if isinstance(widths, (tuple, list)) else None
    if shapes != [(2,)] * x.ndim or any(min(pair) < 0 for pair in widths):
        raise ValueError(
            f"pad: expected a pair of widths >= 0 for each of the {x.ndim} axes of shape {x.shape}, got {widths}"
        )
    inside = tuple(slice(before, before + size) for (before, _), size in zip(widths, x.shape))

    def backward(g):
        return (g[inside],)

    return xp.pad(x, widths), backward


@op
def pad_shortcut(x, *, channels, stride=1):
    """Option A: every `stride`-th pixel of x (N, H, W, C), and zero channels around its own: (channels - C) // 2 before.

    Saves  a shape, and where x is in the result.
    Raises  ValueError: fewer channels than x has, or a stride below 1.
    Source  He et al. 2015, "Deep Residual Learning", section 3.3.
    """
    shape, c = x.shape, x.shape[-1]
    if channels < c or stride < 1:
        raise ValueError(
            f"pad_shortcut: expected at least {c} channels and a stride of at least 1, got {channels} and {stride}"
        )
    before = (channels - c) // 2
    inside = slice(before, before + c)
    pixels = x[:, ::stride, ::stride]
    y = xp.zeros((*pixels.shape[:-1], channels), dtype=x.dtype)
    y[..., inside] = pixels

    def backward(g):
        g_x = xp.zeros(shape, dtype=g.dtype)
        g_x[:, ::stride, ::stride] = g[..., inside]
        return (g_x,)

    return y, backward


@op
def broadcast_to(x, *, shape):
    """Repeat x along new axes and along those of size 1.

    Saves  a shape.
    """
    old = x.shape

    def backward(g):
        return (unbroadcast(g, old),)

    return xp.broadcast_to(x, shape), backward
