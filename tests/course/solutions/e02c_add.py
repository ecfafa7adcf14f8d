"""Solutions of 02c."""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from tests.course.kinds import right, wrong


def shaped(g, other):
    return unbroadcast(g, xp.shape(other))


def stretched_axes(g, shape):
    """The axes along which an array of this shape was stretched to g's."""
    wide = (1,) * (g.ndim - len(shape)) + tuple(shape)
    return tuple(
        axis
        for axis, size in enumerate(wide)
        if size != g.shape[axis] or axis < g.ndim - len(shape)
    )


@right
def loop_over_both(a, b):
    return xp.add(a, b), lambda g: tuple(shaped(g, one) for one in (a, b))


@right
def by_hand(a, b):
    shapes = xp.shape(a), xp.shape(b)

    def backward(g):
        return tuple(g.sum(axis=stretched_axes(g, shape)).reshape(shape) for shape in shapes)

    return b + a, backward


@right
def in_float64(a, b):
    result = a + b

    def backward(g):
        wide = g.astype("float64")
        return shaped(wide, a).astype(g.dtype), shaped(wide, b).astype(g.dtype)

    return result, backward


@wrong("test_each_operand_gets_all_of_the_gradient", mistake="skip_dropped")
def branch_only(a, b):
    return a + b, lambda g: (shaped(g, a), xp.zeros(xp.shape(b), g.dtype))


@wrong("test_each_operand_gets_all_of_the_gradient", mistake="branch_dropped")
def skip_only(a, b):
    return a + b, lambda g: (xp.zeros(xp.shape(a), g.dtype), shaped(g, b))


@wrong("test_each_operand_gets_all_of_the_gradient", mistake="halved")
def half_each(a, b):
    return a + b, lambda g: (shaped(g, a) * 0.5, shaped(g, b) * 0.5)


@wrong("test_each_operand_gets_all_of_the_gradient", mistake="upstream_ignored")
def slopes(a, b):
    ones = xp.ones((a + b).shape, (a + b).dtype)
    return a + b, lambda g: (shaped(ones, a), shaped(ones, b))


@wrong("test_two_numbers_each", mistake="as_a_product")
def from_02a(a, b):
    def backward(g):
        return shaped(xp.multiply(b, g), a), shaped(xp.multiply(a, g), b)

    return xp.add(a, b), backward


@wrong("test_new_axes_in_front_are_summed", mistake="stretched")
def copies(a, b):
    return a + b, lambda g: (g.copy(), g + 0)


@wrong("test_new_axes_in_front_are_summed", mistake="summed_over_everything")
def one_number(a, b):
    def back(g, shape):
        return g if shape == g.shape else xp.zeros(shape, g.dtype) + g.sum()

    return a + b, lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


@wrong("test_broadcast_axes_are_summed", mistake="leading_axes_only")
def while_too_many(a, b):
    def back(g, other):
        while g.ndim > xp.ndim(other):
            g = g.sum(axis=0)
        return g

    return a + b, lambda g: (back(g, a), back(g, b))


@wrong("test_both_operands_are_unchanged_afterwards", mistake="in_place")
def out_is_a(a, b):
    fits = isinstance(a, xp.ndarray) and xp.broadcast_shapes(xp.shape(a), xp.shape(b)) == a.shape
    return (xp.add(a, b, out=a) if fits else a + b), lambda g: (shaped(g, a), shaped(g, b))


@wrong("test_two_numbers_each")
def minus(a, b):
    return a + b, lambda g: (shaped(g, a), -shaped(g, b))


@wrong("test_broadcast_axes_are_summed")
def axes_lost(a, b):
    def back(g, shape):
        return g.sum(axis=stretched_axes(g, shape))

    return a + b, lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


@wrong("test_new_axes_in_front_are_summed")
def averaged(a, b):
    def back(g, shape):
        return g.mean(axis=stretched_axes(g, shape)).reshape(shape)

    return a + b, lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


@wrong("test_new_axes_in_front_are_summed")
def only_b_is_broadcast(a, b):
    return a + b, lambda g: (g, shaped(g, b))


@wrong("test_either_may_be_a_plain_number", crashes=True)
def arrays_only(a, b):
    return a + b, lambda g: (unbroadcast(g, a.shape), unbroadcast(g, b.shape))


@wrong("test_each_operand_gets_all_of_the_gradient")
def g_is_eaten(a, b):
    def backward(g):
        g_a, g_b = shaped(g, a).copy(), shaped(g, b).copy()
        g *= 0
        return g_a, g_b

    return a + b, backward


@wrong("test_broadcast_axes_are_summed")
def a_is_read_in_rows(a, b):
    def backward(g):
        shape = xp.shape(a)
        if len(shape) < g.ndim:  # right for new axes alone
            return g.reshape(-1, *shape).sum(axis=0), unbroadcast(g, xp.shape(b))
        return unbroadcast(g, shape), unbroadcast(g, xp.shape(b))

    return a + b, backward
