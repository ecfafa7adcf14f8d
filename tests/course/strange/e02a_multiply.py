"""Strange solutions of 02a."""

import operator
from functools import partial

import numpy

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from tests.course.kinds import right, wrong


def shaped(g, like):
    return unbroadcast(g, xp.shape(like))


class Product:
    """An object is a backward too, if it can be called."""

    def __init__(self, a, b):
        self.factors = (b, a)
        self.shapes = tuple(map(xp.shape, (a, b)))

    def __call__(self, g):
        return tuple(unbroadcast(g * f, shape) for f, shape in zip(self.factors, self.shapes))


@right
def an_object_as_backward(a, b):
    return operator.mul(a, b), Product(a, b)


def _times(other, like, g):
    return shaped(xp.multiply(other, g), like)


@right
def partials(a, b):
    parts = partial(_times, b, a), partial(_times, a, b)
    return a * b, lambda g: tuple(part(g) for part in parts)


@right
def summed_by_hand(a, b):
    def back(g, shape):
        while g.ndim > len(shape):
            g = g.sum(axis=0)
        for axis, size in enumerate(shape):
            if size == 1 != g.shape[axis]:
                g = g.sum(axis=axis, keepdims=True)
        return g

    return b * a, lambda g: (
        back(xp.asarray(g * b), xp.shape(a)),
        back(xp.asarray(a * g), xp.shape(b)),
    )


@right
def element_by_element(a, b):
    shape = numpy.broadcast_shapes(xp.shape(a), xp.shape(b))
    wide_a, wide_b = (xp.broadcast_to(xp.asarray(x), shape) for x in (a, b))

    def backward(g):
        g_a, g_b = xp.empty(shape, g.dtype), xp.empty(shape, g.dtype)
        for index in xp.ndindex(*shape):
            g_a[index] = g[index] * wide_b[index]
            g_b[index] = g[index] * wide_a[index]
        return shaped(g_a, a), shaped(g_b, b)

    return a * b, backward


@right
def checked_and_copied(a, b):
    try:
        numpy.broadcast_shapes(xp.shape(a), xp.shape(b))
    except ValueError:
        raise ValueError(f"multiply: {xp.shape(a)} and {xp.shape(b)} do not broadcast") from None
    a, b = (x.copy() if hasattr(x, "copy") else x for x in (a, b))

    def backward(g):
        if g.shape != result.shape:
            raise ValueError(f"g has shape {g.shape}, the result {result.shape}")
        return shaped(b * g, a), shaped(a * g, b)

    result = a * b
    return result, backward


@wrong("test_zeros_have_gradients_too")
def by_the_quotient(a, b):
    y = a * b
    with xp.errstate(all="ignore"):
        return y, lambda g: (shaped(g * (y / a), a), shaped(g * (y / b), b))


@wrong("test_zeros_have_gradients_too")
def no_gradient_at_zero(a, b):
    return a * b, lambda g: (shaped(g * b * (a != 0), a), shaped(g * a * (b != 0), b))


@wrong("test_each_side_gets_the_gradient_times_the_other")
def by_logarithms(a, b):
    with xp.errstate(all="ignore"):
        y = xp.exp(xp.log(a) + xp.log(b))
    return y, lambda g: (shaped(g * b, a), shaped(g * a, b))


@wrong("test_each_side_gets_the_gradient_times_the_other")
def size_of_the_factor(a, b):
    return a * b, lambda g: (shaped(g * abs(b), a), shaped(g * abs(a), b))


@wrong("test_an_array_times_itself_gets_two_gradients_that_add_up")
def a_square_twice(a, b):
    if a is b:
        return a * a, lambda g: (2 * a * g, 2 * a * g)
    return a * b, lambda g: (shaped(g * b, a), shaped(g * a, b))


@wrong("test_an_array_times_itself_gets_two_gradients_that_add_up")
def by_name(a, b):
    others = {id(b): a, id(a): b}
    return a * b, lambda g: (
        shaped(g * others[id(a)], a),
        shaped(g * others[id(b)], b) * (0 if a is b else 1),
    )


@wrong("test_either_may_be_a_plain_number")
def number_without_a_gradient(a, b):
    def back(g, like):
        return shaped(g, like) if hasattr(like, "shape") else None

    return a * b, lambda g: (back(g * b, a), back(g * a, b))


@wrong("test_either_may_be_a_plain_number")
def number_as_a_list_of_one(a, b):
    def back(g, like):
        return shaped(g, xp.atleast_1d(like))

    return a * b, lambda g: (back(g * b, a), back(g * a, b))


@wrong("test_either_may_be_a_plain_number")
def averaged_for_a_number(a, b):
    def back(g, like):
        return shaped(g, like) if xp.ndim(like) else g.mean()

    return a * b, lambda g: (back(g * b, a), back(g * a, b))


@wrong("test_equal_sizes_are_matched_from_the_right")
def matched_from_the_left(a, b):
    def back(g, like):
        if xp.ndim(like) == 1 and g.ndim == 2 and g.shape[0] == g.shape[1]:
            return g.sum(axis=1)
        return shaped(g, like)

    return a * b, lambda g: (back(g * b, a), back(g * a, b))


@wrong("test_two_numbers_each")
def always_float32(a, b):
    y = xp.asarray(a * b, dtype="float32")
    return y, lambda g: (shaped(g * b, a), shaped(g * a, b))


@wrong("test_two_numbers_each")
def gradient_into_g(a, b):
    def backward(g):
        g_b = shaped(g * a, b)
        return (xp.multiply(g, b, out=g) if g.shape == xp.shape(a) else shaped(g * b, a)), g_b

    return a * b, backward


@wrong("test_two_numbers_each")
def gradients_pile_up(a, b):
    g_a, g_b = xp.zeros(xp.shape(a), (a * b).dtype), xp.zeros(xp.shape(b), (a * b).dtype)

    def backward(g):
        nonlocal g_a, g_b
        g_a, g_b = g_a + shaped(g * b, a), g_b + shaped(g * a, b)
        return g_a, g_b

    return a * b, backward


@wrong("test_two_numbers_each")
def saved_on_the_function(a, b):
    saved_on_the_function.saved = a, b

    def backward(g):
        a, b = saved_on_the_function.saved
        return shaped(g * b, a), shaped(g * a, b)

    return a * b, backward


TAPE = []


@wrong("test_two_numbers_each")
def last_on_a_list(a, b):
    TAPE.append((a, b))
    return a * b, lambda g: (shaped(g * TAPE[-1][1], a), shaped(g * TAPE[-1][0], b))


@wrong("test_two_numbers_each")
def default_argument_as_memory(a, b, saved={}):  # noqa: B006
    saved.update(a=a, b=b)
    return a * b, lambda g: (shaped(g * saved["b"], a), shaped(g * saved["a"], b))


@wrong("test_each_side_gets_the_gradient_times_the_other")
def gradient_clipped(a, b):
    return a * b, lambda g: (shaped((g * b).clip(-1, 1), a), shaped((g * a).clip(-1, 1), b))


GRADIENTS = {}


@wrong("test_gradients_stay_when_backward_runs_for_other_inputs")
def gradients_in_one_buffer(a, b):
    def backward(g):
        parts = shaped(g * b, a), shaped(g * a, b)
        if min(map(xp.ndim, parts)) == 0:
            return parts
        for i, part in enumerate(parts):
            buffer = GRADIENTS.setdefault((i, part.shape, part.dtype.str), xp.empty_like(part))
            buffer[...] = part
        return tuple(GRADIENTS[i, part.shape, part.dtype.str] for i, part in enumerate(parts))

    return a * b, backward


@wrong("test_what_was_broadcast_gets_a_gradient_of_its_own_shape")
def one_element_is_a_number(a, b):
    def back(g, like):
        return g.sum() if xp.size(like) == 1 else shaped(g, like)

    return a * b, lambda g: (back(g * b, a), back(g * a, b))


@wrong("test_infinite_numbers")
def made_finite(a, b):
    return xp.nan_to_num(a * b), lambda g: (shaped(g * b, a), shaped(g * a, b))


@wrong("test_infinite_numbers")
def shape_by_a_sum_with_zeros(a, b):
    return a * b, lambda g: (shaped(g * b + 0 * a, a), shaped(g * a + 0 * b, b))


@wrong("test_infinite_numbers")
def zero_times_anything_is_zero(a, b):
    with numpy.errstate(invalid="ignore"):
        y = xp.where((a == 0) | (b == 0), 0, a * b).astype(xp.result_type(a * b))
    return y, lambda g: (shaped(g * b, a), shaped(g * a, b))


@wrong("test_the_result_is_a_new_array_even_if_one_side_is_1")
def one_side_is_enough(a, b):
    y = a if not xp.ndim(b) and b == 1 else a * b
    return y, lambda g: (shaped(g * b, a), shaped(g * a, b))


@wrong("test_each_side_gets_the_gradient_times_the_other")
def in_the_order_in_memory(a, b):
    """Right if both are laid out alike."""
    y = a * b
    if xp.shape(a) == xp.shape(b) and xp.ndim(a) == 2 and a.flags.forc and b.flags.forc:
        order = "C" if a.flags.c_contiguous else "F"
        y = (a.ravel(order="K") * b.ravel(order="K")).reshape(a.shape, order=order)
    return y, lambda g: (shaped(g * b, a), shaped(g * a, b))


@wrong("test_two_numbers_each")
def products_kept_by_their_operands(a, b, kept={}):  # noqa: B006
    """The same array for the same numbers: whoever writes to it changes what the next one gets."""
    key = tuple((xp.asarray(x).tobytes(), xp.asarray(x).dtype, xp.shape(x)) for x in (a, b))
    if key not in kept:
        kept[key] = a * b
    return kept[key], lambda g: (shaped(g * b, a), shaped(g * a, b))


@wrong("test_two_numbers_each")
def gradient_in_one_array_per_call(a, b):
    """A second backward writes over what the first one gave away."""
    mine = xp.zeros(xp.shape(a))

    def backward(g):
        mine[...] = shaped(g * b, a)
        return mine if mine.dtype == g.dtype and mine.ndim else shaped(g * b, a), shaped(g * a, b)

    return a * b, backward
