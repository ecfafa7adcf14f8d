"""Exercise 02a: what goes wrong with a product."""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def _op(a, b, g_a, g_b):
    return a * b, lambda g: (unbroadcast(g_a(g), xp.shape(a)), unbroadcast(g_b(g), xp.shape(b)))


def swapped(a, b):
    """each side gets its own factor: the derivative with respect to a is b, and with respect to b it is a"""
    return _op(a, b, lambda g: g * a, lambda g: g * b)


def upstream_ignored(a, b):
    """g is left out: backward returns the derivatives of the product instead of those of the loss"""
    return _op(a, b, lambda g: 0 * g + b, lambda g: 0 * g + a)


def as_a_sum(a, b):
    """both operands get g itself: that is the gradient of a + b"""
    return _op(a, b, lambda g: g, lambda g: g)


def whole_product(a, b):
    """g is multiplied by the whole product instead of the other factor"""
    return _op(a, b, lambda g: g * a * b, lambda g: g * a * b)


def stretched(a, b):
    """the gradients keep the shape of the product: where an operand was broadcast, they must be summed back to its shape"""
    return a * b, lambda g: (g * b, g * a)


def one_side(a, b):
    """b gets no gradient"""
    return _op(a, b, lambda g: g * b, lambda g: 0 * g)
