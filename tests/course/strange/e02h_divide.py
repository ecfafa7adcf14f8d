"""Strange solutions of 02h."""

from functools import partial

import numpy

from minires.backend import xp
from minires.ops.elementwise import checked_shapes, unbroadcast
from tests.course.kinds import right, wrong


def op(a, b, g_a, g_b):
    a_shape, b_shape = checked_shapes("divide", a, b)
    return a / b, lambda g: (unbroadcast(g_a(g), a_shape), unbroadcast(g_b(g), b_shape))


def over_b(b, g):
    return g / b


@right
def divided_twice(a, b):
    return op(a, b, partial(over_b, b), lambda g: -((g * a) / b) / b)


@right
def negative_power(a, b):
    return op(a, b, lambda g: g * b**-1.0, lambda g: g * -a * b**-2.0)


@right
def from_the_gradient_of_a(a, b):
    a_shape, b_shape = checked_shapes("divide", a, b)
    y = xp.divide(a, b)

    def backward(g):
        g_a = g / b
        return unbroadcast(g_a, a_shape), unbroadcast(-y * g_a, b_shape)

    return y, backward


class Quotient:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def backward(self, g):
        wide = g.astype("float64")
        g_a, g_b = wide / self.b, -wide * self.a / xp.square(self.b.astype("float64"))
        return tuple(
            unbroadcast(x, like.shape).astype(g.dtype) for x, like in ((g_a, self.a), (g_b, self.b))
        )


@right
def an_object(a, b):
    return a / b, Quotient(a, b).backward


@right
def element_by_element(a, b):
    wide_a, wide_b = xp.broadcast_arrays(a, b)

    def backward(g):
        g_a, g_b = xp.zeros_like(a), xp.zeros_like(b)
        home = [xp.broadcast_to(xp.arange(x.size).reshape(x.shape), g.shape) for x in (a, b)]
        flat_a, flat_b = xp.zeros(a.size), xp.zeros(b.size)
        for i in xp.ndindex(g.shape):
            flat_a[home[0][i]] += g[i] / wide_b[i]
            flat_b[home[1][i]] -= g[i] * wide_a[i] / wide_b[i] ** 2
        g_a[...], g_b[...] = flat_a.reshape(a.shape), flat_b.reshape(b.shape)
        return g_a, g_b

    return wide_a / wide_b, backward


@right
def into_own_arrays(a, b):
    a_shape, b_shape = checked_shapes("divide", a, b)

    def backward(g):
        squares = xp.multiply(b, b)
        part = xp.negative(g)
        xp.multiply(part, a, out=part)
        xp.divide(part, squares, out=part)
        return unbroadcast(g / b, a_shape), unbroadcast(part, b_shape)

    return a / b, backward


BOTH = "test_both_gradients_are_right"
TWO = "test_two_numbers_each"
ZERO = "test_a_numerator_of_0_has_a_gradient"
EQUAL = "test_equal_sizes_are_matched_from_the_right"


def fixed(b, a):
    return lambda g: -g * a / (b * b)


@wrong(ZERO)
def by_the_quotient_squared(a, b):
    with xp.errstate(all="ignore"):
        y = a / b
        return op(a, b, lambda g: g * y / a, lambda g: -g * (y * y) / a)


@wrong(ZERO)
def by_logarithms(a, b):
    with xp.errstate(all="ignore"):
        y = xp.sign(a) * xp.sign(b) * xp.exp(xp.log(abs(a)) - xp.log(abs(b)))
        return y, lambda g: (unbroadcast(g * y / a, a.shape), unbroadcast(-g * y / b, b.shape))


@wrong(ZERO)
def zero_is_replaced(a, b):
    safe = xp.where(a == 0, a + 1e-3, a).astype(a.dtype)
    return op(a, b, lambda g: g / b, fixed(b, safe))


@wrong(TWO)
def a_little_added(a, b):
    return a / (b + 1e-6), lambda g: (
        unbroadcast(g / b, a.shape),
        unbroadcast(-g * a / b**2, b.shape),
    )


@wrong(BOTH)
def a_little_added_in_backward(a, b):
    return op(a, b, lambda g: g / b, lambda g: -g * a / (b * b + 1e-5))


@wrong(TWO)
def size_of_b(a, b):
    return op(a, b, lambda g: g / abs(b), fixed(b, a))


@wrong(TWO)
def size_of_a(a, b):
    return op(a, b, lambda g: g / b, lambda g: -g * a / (b * abs(b)))


@wrong(TWO)
def squared_in_place(a, b):
    def backward(g):
        g_a = unbroadcast(g / b, a.shape)
        squares = b
        squares *= b
        return g_a, unbroadcast(-g * a / squares, b.shape)

    return a / b, backward


@wrong(TWO)
def parenthesis_around_g(a, b):
    return op(a, b, lambda g: g / b, lambda g: (-g) * (a / b) * b)


@wrong(TWO)
def whole_numbers(a, b):
    return op(a, b, lambda g: g // b, fixed(b, a))


@wrong("test_what_was_broadcast_gets_a_gradient_of_its_own_shape")
def shape_of_a_for_both(a, b):
    def backward(g):
        g_b = -g * a / (b * b)
        return unbroadcast(g / b, a.shape), unbroadcast(
            g_b, b.shape if b.ndim == a.ndim else a.shape
        )

    return a / b, backward


@wrong("test_what_was_broadcast_gets_a_gradient_of_its_own_shape")
def mean_over_the_batch(a, b):
    def backward(g):
        g_b = -g * a / (b * b)
        total = unbroadcast(g_b, b.shape)
        return unbroadcast(g / b, a.shape), total / (g_b.size // total.size)

    return a / b, backward


@wrong(EQUAL)
def summed_along_the_rows(a, b):
    def backward(g):
        g_b = -g * a / (b * b)
        square = b.ndim == 1 and g.ndim == 2 and g.shape[0] == g.shape[1]
        return unbroadcast(g / b, a.shape), g_b.sum(axis=1) if square else unbroadcast(g_b, b.shape)

    return a / b, backward


@wrong(BOTH)
def squares_remembered_by_shape(a, b, squares={}):  # noqa: B006
    key = b.shape, b.dtype.str
    squares.setdefault(key, b * b)
    return op(a, b, lambda g: g / b, lambda g: -g * a / squares[key])


@wrong(TWO)
def saved_on_the_function(a, b):
    saved_on_the_function.saved = a, b

    def backward(g):
        a, b = saved_on_the_function.saved
        return unbroadcast(g / b, a.shape), unbroadcast(-g * a / (b * b), b.shape)

    return a / b, backward


@wrong(TWO)
def one_backward_each(a, b):
    g_b = numpy.zeros(b.shape, b.dtype)

    def backward(g):
        nonlocal g_b
        g_b = g_b + unbroadcast(-g * a / (b * b), b.shape)
        return unbroadcast(g / b, a.shape), g_b

    return a / b, backward


@wrong("test_small_denominators")
def never_below_a_small_number(a, b):
    return op(a, b, lambda g: g / b, lambda g: -g * a / xp.maximum(b * b, 1e-8))


@wrong("test_what_was_broadcast_gets_a_gradient_of_its_own_shape")
def one_element_is_a_number(a, b):
    def back(g, like):
        return g.sum() if like.size == 1 else unbroadcast(g, like.shape)

    return a / b, lambda g: (back(g / b, a), back(-g * a / (b * b), b))


@wrong("test_either_may_have_no_axes")
def not_squared_without_axes(a, b):
    return op(a, b, lambda g: g / b, lambda g: -g * a / b / (b if xp.ndim(b) else 1))


@wrong("test_a_denominator_of_0_is_not_hidden")
def nothing_by_nothing(a, b):
    y, backward = op(a, b, lambda g: g / b, lambda g: -g * a / b / b)
    return xp.where(b == 0, 0, y).astype(y.dtype), backward


@wrong("test_a_denominator_of_0_is_not_hidden")
def infinite_gradients_are_made_finite(a, b):
    return op(a, b, lambda g: g / b, lambda g: xp.nan_to_num(-g * a / (b * b)))
