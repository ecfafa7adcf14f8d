"""Exercise 02i: subtractions to tell apart, a check that does it, and checks that do not."""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def check(candidate):
    """Raise AssertionError unless candidate is a right subtract.

    candidate  an op: candidate(a, b) returns (a - b, backward), and backward(g) returns (g_a, g_b)
    """
    a, b = xp.array([[1.0, 5.0, 2.0], [4.0, -3.0, 0.5]]), xp.array([2.0, 1.0, -1.0])
    g = xp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
    result, backward = candidate(a, b)
    g_a, g_b = backward(g)
    assert xp.array_equal(result, [[-1.0, 4.0, 3.0], [2.0, -4.0, 1.5]]), "the result"
    assert xp.array_equal(g_a, g), "the gradient of a"
    assert xp.array_equal(g_b, [-5.0, -7.0, -10.0]), "the gradient of b"


def _right(a, b):
    return a - b, lambda g: (unbroadcast(g, xp.shape(a)), unbroadcast(-g, xp.shape(b)))


def _right_too(a, b):
    return xp.subtract(a, b), lambda g: (
        unbroadcast(g.copy(), xp.shape(a)),
        -unbroadcast(g, xp.shape(b)),
    )


def _sign_lost(a, b):
    return a - b, lambda g: (unbroadcast(g, xp.shape(a)), unbroadcast(g, xp.shape(b)))


def _upstream_ignored(a, b):
    return a - b, lambda g: (
        unbroadcast(xp.ones_like(g), xp.shape(a)),
        unbroadcast(-xp.ones_like(g), xp.shape(b)),
    )


def _stretched(a, b):
    return a - b, lambda g: (g, -g)


RIGHT = {"a right one": _right, "a right one, written differently": _right_too}
WRONG = {"the one that loses the sign of b's gradient": _sign_lost, "the one that leaves g out": _upstream_ignored,
         "the one whose gradients keep the shape of a - b": _stretched}  # fmt: skip
for _function in (*RIGHT.values(), *WRONG.values()):
    _function.__name__ = _function.__qualname__ = "subtract"


def _inputs(shape):
    return xp.arange(6.0).reshape(2, 3), xp.ones(shape) * 2


def forward_only(candidate):
    """the check lets every gradient through: it compares none of their values, or raises no AssertionError when they differ"""
    a, b = _inputs(3)
    assert xp.allclose(candidate(a, b)[0], a - b)


def shapes_only(candidate):
    """the check sees only the shapes of the gradients: wrong signs and values pass"""
    a, b = _inputs(3)
    g_a, g_b = candidate(a, b)[1](a)
    assert g_a.shape == a.shape and g_b.shape == b.shape


def through_a_sum(candidate):
    """the check accepts code that leaves g out: as when g is all ones, or when gradients are compared only roughly"""
    a, b = _inputs(3)
    g_a, g_b = candidate(a, b)[1](xp.ones_like(a))
    assert xp.array_equal(g_a, xp.ones_like(a)) and xp.array_equal(
        g_b, xp.array([-2.0, -2.0, -2.0])
    )


def one_shape(candidate):
    """the check accepts gradients in the shape of a - b: either nothing is broadcast, or their shapes are not compared"""
    a, b = _inputs((2, 3))
    g_a, g_b = candidate(a, b)[1](a)
    assert xp.array_equal(g_a, a) and xp.array_equal(g_b, -a)


def never_content(candidate):
    """the check rejects everything, including the right ones"""
    raise AssertionError
