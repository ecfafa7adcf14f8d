"""Exercise 02b: what goes wrong with unbroadcast."""

import numpy


def _stretched(g, shape):
    new = g.ndim - len(shape)
    return [axis for axis in range(g.ndim) if axis < new or shape[axis - new] != g.shape[axis]]


def leading_axes_only(g, shape):
    """only the new leading axes are summed, but not the axes of size 1 that were broadcast"""
    return g.sum(axis=tuple(range(g.ndim - len(shape))))


def axes_dropped(g, shape):
    """the broadcast axes are summed away: they must stay, with size 1"""
    return g.sum(axis=tuple(_stretched(g, shape)))


def averaged(g, shape):
    """the mean is taken: an element that was used k times gets the sum of k gradients"""
    return g.mean(axis=tuple(_stretched(g, shape))).reshape(shape)


def first_taken(g, shape):
    """one of the gradients is taken instead of their sum"""
    for axis in _stretched(g, shape):
        g = g.take(range(min(1, g.shape[axis])), axis=axis)
    return g.reshape(shape)


def over_everything(g, shape):
    """g is summed over all axes, including those that were not broadcast"""
    return g.sum() + numpy.zeros(shape, g.dtype)


def as_it_is(g, shape):
    """g is returned unchanged"""
    return g


def matched_by_size(g, shape):
    """axes are matched by their sizes, from the left: broadcasting matches them from the right, whatever their sizes"""
    left, kept = list(shape), []
    for axis, size in enumerate(g.shape):
        if left and left[0] == size:
            left.pop(0)
            kept.append(axis)
    if left:  # some sizes are 1, which decides it
        return g.sum(axis=tuple(_stretched(g, shape))).reshape(shape)
    return g.sum(axis=tuple(axis for axis in range(g.ndim) if axis not in kept))
