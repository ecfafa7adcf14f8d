"""Exercise 02c: what goes wrong with a sum."""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def _op(a, b, g_a, g_b):
    return a + b, lambda g: (unbroadcast(g_a(g), xp.shape(a)), unbroadcast(g_b(g), xp.shape(b)))


def skip_dropped(a, b):
    """b gets no gradient: nothing before the skip connection learns"""
    return _op(a, b, lambda g: g, lambda g: 0 * g)


def branch_dropped(a, b):
    """a gets no gradient: the branch does not learn"""
    return _op(a, b, lambda g: 0 * g, lambda g: g)


def halved(a, b):
    """each operand gets half of g: the sum changes by as much as either operand does"""
    return _op(a, b, lambda g: g / 2, lambda g: g / 2)


def upstream_ignored(a, b):
    """g is left out: backward returns the derivatives of the sum, which are 1, instead of those of the loss"""
    return _op(a, b, xp.ones_like, xp.ones_like)


def as_a_product(a, b):
    """each operand gets g times the other: that is the gradient of a * b"""
    return _op(a, b, lambda g: g * b, lambda g: g * a)


def stretched(a, b):
    """the gradients keep the shape of the sum: where an operand was broadcast, they must be summed back to its shape"""
    return a + b, lambda g: (g, g)


def summed_over_everything(a, b):
    """the gradient of a broadcast operand is summed over all axes, and looks right because it broadcasts again: only the
    axes along which it was broadcast should be summed"""

    def back(g, shape):
        return g if g.shape == shape else xp.full(shape, g.sum(), dtype=g.dtype)

    return a + b, lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


def leading_axes_only(a, b):
    """the new leading axes are summed, but not the axes of size 1 that were broadcast"""

    def back(g, shape):
        return g.sum(axis=tuple(range(g.ndim - len(shape))))

    return a + b, lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


def in_place(a, b):
    """b is added into a, which belongs to the caller: in a residual block the branch may need it for its own gradient"""
    if not isinstance(a, xp.ndarray) or xp.broadcast(a, b).shape != a.shape:
        return _op(a, b, lambda g: g, lambda g: g)
    a += b
    return a, lambda g: (g, unbroadcast(g, xp.shape(b)))
