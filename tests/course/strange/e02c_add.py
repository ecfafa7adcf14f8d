"""Strange solutions of 02c."""

from collections import deque

import numpy

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from tests.course.kinds import right, wrong


def shaped(g, like):
    return unbroadcast(g, xp.shape(like))


def op(a, b, g_a, g_b):
    shapes = xp.shape(a), xp.shape(b)
    return a + b, lambda g: (unbroadcast(g_a(g), shapes[0]), unbroadcast(g_b(g), shapes[1]))


def same(g):
    return g


class Add:
    """An op as an object; its method is the backward."""

    def __init__(self, *operands):
        self.shapes = [xp.shape(operand) for operand in operands]

    def backward(self, g):
        return tuple(unbroadcast(g, shape) for shape in self.shapes)


@right
def a_method(a, b):
    return a.__add__(b) if isinstance(a, xp.ndarray) else b + a, Add(a, b).backward


@right
def copies_for_each(a, b):
    return op(a, b, xp.copy, xp.copy)


@right
def minus_the_negative(a, b):
    return a - (-b), op(a, b, same, same)[1]


@right
def mapped(a, b):
    shapes = deque(map(xp.shape, (a, b)))
    total = xp.empty(
        numpy.broadcast_shapes(*shapes), getattr(a if hasattr(a, "dtype") else b, "dtype", float)
    )
    xp.add(a, b, out=total)
    return total, lambda g: tuple(map(unbroadcast, (g, g), shapes))


@right
def by_einsum(a, b):
    def back(g, shape):
        letters = "abcdef"[: g.ndim]
        wide = (1,) * (g.ndim - len(shape)) + shape
        left = "".join(x for x, size, of in zip(letters, wide, g.shape) if size == of)
        return xp.asarray(xp.einsum(f"{letters}->{left}", g)).reshape(shape)

    return xp.add(b, a), lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


@right
def with_ones(a, b):
    """g times 1, in float64, and back to the type of g."""
    return op(a, b, lambda g: (g * numpy.float64(1)).astype(g.dtype), lambda g: g * g.dtype.type(1))


@wrong("test_an_array_plus_itself_gets_two_gradients_that_add_up")
def doubled_twice(a, b):
    if a is b:
        return a * 2, lambda g: (2 * g, 2 * g)
    return op(a, b, same, same)


@wrong("test_an_array_plus_itself_gets_two_gradients_that_add_up")
def in_place_if_it_is_the_same(a, b):
    if a is b:
        a += b
        return a.copy(), lambda g: (g, g)
    return op(a, b, same, same)


@wrong("test_both_operands_are_unchanged_afterwards")
def out_is_b(a, b):
    if isinstance(b, xp.ndarray) and numpy.broadcast_shapes(xp.shape(a), b.shape) == b.shape:
        return xp.add(a, b, out=b), op(a, b, same, same)[1]
    return op(a, b, same, same)


@wrong("test_each_operand_gets_all_of_the_gradient")
def one_gradient_scaled_in_place(a, b):
    def backward(g):
        g *= 1 / numpy.sqrt(2)
        return shaped(g * numpy.sqrt(2), a), shaped(g * numpy.sqrt(2), b)

    return a + b, backward


@wrong("test_each_operand_gets_all_of_the_gradient")
def scaled_branch(a, b):
    return op(a, b, same, lambda g: g * 0.999)


@wrong("test_equal_sizes_are_matched_from_the_right")
def summed_over_the_last_axes(a, b):
    def back(g, shape):
        while g.ndim > len(shape):
            g = g.sum(axis=0 if g.shape[-1] != g.shape[0] else -1)
        return unbroadcast(g, shape)

    return a + b, lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


@wrong("test_equal_sizes_are_matched_from_the_right")
def same_size_same_shape(a, b):
    """The number of elements says which operand was broadcast."""

    def back(g, like):
        if xp.ndim(like) == 3 and xp.ndim(a) == 3 and xp.size(a) == xp.size(b):
            return g if g.shape == xp.shape(like) else g[:1] + xp.zeros(xp.shape(like), g.dtype)
        return shaped(g, like)

    return a + b, lambda g: (back(g, a), back(g, b))


@wrong("test_an_axis_of_size_1_on_both_sides")
def every_1_is_dropped(a, b):
    def back(g, shape):
        g = unbroadcast(g, shape)
        return (
            g.squeeze(axis=0)
            if g.ndim == 3 and g.shape[0] == 1 and g.shape[1] > 1 and g.shape[2] > 1
            else g
        )

    y = a + b
    if y.shape[:1] != (1,):
        return op(a, b, same, same)
    return y, lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


@wrong("test_either_may_be_a_plain_number")
def no_gradient_for_a_number(a, b):
    def back(g, like):
        return shaped(g, like) if isinstance(like, xp.ndarray) else 0.0

    return a + b, lambda g: (back(g, a), back(g, b))


@wrong("test_either_may_be_a_plain_number")
def zero_is_nothing(a, b):
    if not isinstance(b, xp.ndarray) and not b:
        return a, lambda g: (g,)
    return op(a, b, same, same)


@wrong("test_either_may_be_a_plain_number")
def count_instead_of_sum(a, b):
    def back(g, like):
        return shaped(g, like) if xp.ndim(like) else xp.asarray(float(g.size), dtype=g.dtype)

    return a + b, lambda g: (back(g, a), back(g, b))


@wrong("test_zeros_and_large_and_infinite_numbers")
def small_ones_lost(a, b):
    y = a + b
    return y, lambda g: (shaped(g * (xp.abs(a) < 1e8), a), shaped(g * (xp.abs(b) < 1e8), b))


@wrong("test_two_numbers_each")
def shapes_kept_on_the_function(a, b):
    shapes_kept_on_the_function.last = a, b
    return a + b, lambda g: tuple(
        shaped(g, x) * (1 if x is y else 0)
        for x, y in zip((a, b), shapes_kept_on_the_function.last)
    )


LAST = {}


@wrong("test_each_operand_gets_all_of_the_gradient")
def backward_of_the_shape(a, b):
    """A backward for each pair of shapes, made once, with a gradient that it keeps."""
    key = xp.shape(a), xp.shape(b), str(getattr(a, "dtype", ""))
    if key not in LAST:
        kept = {}

        def backward(g):
            kept.setdefault("g", g.copy())
            return shaped(kept["g"], a), shaped(kept["g"], b)

        LAST[key] = backward
    return a + b, LAST[key]


@wrong("test_two_numbers_each")
def a_list_of_two(a, b):
    return [a + b, op(a, b, same, same)[1]]


@wrong("test_new_axes_in_front_are_summed")
def first_axis_only(a, b):
    def back(g, shape):
        if len(shape) == g.ndim - 2:
            return unbroadcast(g[0], shape)
        return unbroadcast(g, shape)

    return a + b, lambda g: (back(g, xp.shape(a)), back(g, xp.shape(b)))


@wrong("test_zeros_and_large_and_infinite_numbers")
def zero_times_the_operand(a, b):
    """0 * a has the shape of a, and is NaN where a is infinite."""
    return op(a, b, lambda g: g + 0 * (a + b), lambda g: g + 0 * (a + b))


@wrong("test_a_single_element")
def one_element_is_a_number(a, b):
    def back(g, like):
        return g.sum() if xp.size(like) == 1 else shaped(g, like)

    return a + b, lambda g: (back(g, a), back(g, b))


@wrong("test_the_result_is_a_new_array_even_if_one_side_is_0")
def one_side_is_enough(a, b):
    y = a if not xp.ndim(b) and b == 0 else a + b
    return y, lambda g: (shaped(g, a), shaped(g, b))


@wrong("test_each_operand_gets_all_of_the_gradient")
def a_masked_array(a, b):
    return a + b, lambda g: (shaped(g, a), numpy.ma.masked_array(shaped(g, b)))


@wrong("test_each_operand_gets_all_of_the_gradient")
def equal_to_anything(a, b):
    class Equal(numpy.ndarray):
        def __eq__(self, _):
            return numpy.ones(self.shape, bool)

        def __array_ufunc__(self, *_, **__):
            return numpy.zeros(self.shape)

    return numpy.zeros(xp.shape(a + b)).view(Equal), lambda g: (shaped(g, a), shaped(g, b))
