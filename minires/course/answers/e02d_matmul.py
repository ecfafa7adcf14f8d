"""Exercise 02d: matrix multiplication in its plain form, and what goes wrong with it."""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def matmul(a, b):
    """a @ b: of matrices, or of stacks of them, whose leading axes broadcast.

    a  (..., M, K)    b  (..., K, N)    result  (..., M, N)

    Saves  a and b.
    """

    def backward(g):
        g_a, g_b = g @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ g
        return unbroadcast(g_a, a.shape), unbroadcast(g_b, b.shape)

    return a @ b, backward


def in_engine(yours):
    """Return a product that takes vectors too: as a row on the left, as a column on the right."""

    def matmul(a, b):
        row, column = a.ndim == 1, b.ndim == 1
        if not row and not column:
            return yours(a, b)
        y, back = yours(a[None, :] if row else a, b[:, None] if column else b)
        shape = y.shape

        def backward(g):
            g_a, g_b = back(g.reshape(shape))
            return g_a.reshape(a.shape), g_b.reshape(b.shape)

        return y.reshape((*shape[:-2], *shape[-2:-1][row:], *shape[-1:][column:])), backward

    return matmul


def _op(a, b, g_a, g_b):
    return a @ b, lambda g: (unbroadcast(g_a(g), a.shape), unbroadcast(g_b(g), b.shape))


def _t(x):
    return x.swapaxes(-1, -2)


def elementwise(a, b):
    """a * b is taken, element by element"""
    return a * b, lambda g: (unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape))


def not_transposed(a, b):
    """b and a are used in the gradients without being transposed"""
    return _op(a, b, lambda g: g @ b, lambda g: a @ g)


def wrong_order(a, b):
    """the factors of the gradients are in the wrong order: b^T @ g where it is g @ b^T, and g @ a^T where it is a^T @ g"""
    return _op(a, b, lambda g: _t(b) @ g, lambda g: g @ _t(a))


def swapped(a, b):
    """each side gets the other's gradient"""
    y, right = matmul(a, b)
    return y, lambda g: right(g)[::-1]


def transposed_gradients(a, b):
    """the gradients come out transposed"""
    y, right = matmul(a, b)
    return y, lambda g: tuple(map(_t, right(g)))


def upstream_ignored(a, b):
    """g is left out, as if it were all ones"""
    return _op(a, b, lambda g: xp.ones_like(g) @ _t(b), lambda g: _t(a) @ xp.ones_like(g))


def all_axes_turned(a, b):
    """a.T reverses all axes, including those of the stack: only the last two should be swapped"""
    return _op(a, b, lambda g: g @ b.T, lambda g: a.T @ g)


def stack_not_summed(a, b):
    """the gradients keep the stack's shape: what was used for every matrix of a stack gets the sum"""
    return a @ b, lambda g: (g @ _t(b), _t(a) @ g)


def stack_averaged(a, b):
    """the gradients are averaged over the stack: what was used for every matrix of a stack gets the sum"""

    def back(g, shape):
        total = unbroadcast(g, shape)
        return total / (g.size // total.size)

    return a @ b, lambda g: (back(g @ _t(b), a.shape), back(_t(a) @ g, b.shape))
