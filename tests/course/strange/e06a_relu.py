"""Strange solutions of 06a."""

from functools import partial

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

STAYS, CUT, PASSES = (
    "test_x_stays_unchanged",
    "test_positive_numbers_stay_and_negative_ones_become_0",
    "test_the_gradient_passes_where_x_is_positive",
)
AT_0, SAVED = "test_the_slope_at_0_is_0", "test_one_bool_per_element_is_saved"
ANY, NEW, EQUAL = (
    "test_numbers_of_any_size",
    "test_the_result_is_a_new_array",
    "test_sizes_that_are_all_equal",
)


def masked(positive, g):
    return (xp.where(positive, g, 0),)


def op(x, y=None):
    """The right op, with another result."""
    return xp.maximum(x, 0) if y is None else y, partial(masked, x > 0)


@right
def bits_packed(x):
    """An eighth of a byte per element."""
    shape, bits = x.shape, numpy.packbits(x > 0)

    def backward(g):
        positive = numpy.unpackbits(bits, count=g.size).reshape(shape).astype(bool)
        return (xp.where(positive, g, 0),)

    return xp.maximum(x, 0), backward


@right
def clipped(x):
    positive = xp.sign(x) == 1
    return xp.clip(x, 0, None), lambda g: (xp.multiply(g, positive, dtype=g.dtype),)


@right
def written_where_positive(x):
    positive, y = x > 0, xp.zeros_like(x)
    xp.copyto(y, x, where=positive)

    def backward(g):
        g_x = xp.zeros_like(g)
        xp.copyto(g_x, g, where=positive)
        return (g_x,)

    return y, backward


@right
def element_by_element(x):
    y, positive = xp.empty_like(x), xp.zeros(x.shape, bool)
    for at in xp.ndindex(x.shape):
        y[at], positive[at] = (x[at], True) if x[at] > 0 else (0, False)

    def backward(g):
        g_x = xp.empty_like(g)
        for at in xp.ndindex(g.shape):
            g_x[at] = g[at] if positive[at] else 0
        return (g_x,)

    return y, backward


class Gate:
    __slots__ = ("closed",)

    def __init__(self, x):
        self.closed = ~(x > 0)

    def __call__(self, g):
        g_x = xp.array(g)
        g_x[self.closed] = 0
        return (g_x,)


@right
def gate_of_each_call(x):
    return xp.fmax(x, x.dtype.type(0)), Gate(x)


@right
def minus_the_negative_part(x):
    positive = (0 < x).astype("int8")
    return x - xp.minimum(x, 0), lambda g: (g * positive.astype(g.dtype),)


@wrong(ANY)
def mean_with_the_absolute_value(x):
    """Overflows."""
    with xp.errstate(over="ignore"):
        return op(x, (x + abs(x)) / 2)


@wrong(ANY)
def square_root_of_a_square(x):
    with xp.errstate(over="ignore"):
        return op(x, (xp.sqrt(x * x) + x) / 2)


@wrong(AT_0)
def small_numbers_have_no_slope(x):
    positive = x > xp.finfo(x.dtype).eps
    return xp.maximum(x, 0), partial(masked, positive)


@wrong(AT_0)
def the_result_decides_with_a_tolerance(x):
    positive = ~xp.isclose(xp.maximum(x, 0), 0)
    return xp.maximum(x, 0), partial(masked, positive)


@wrong(NEW)
def x_itself_if_all_are_positive(x):
    return op(x, x if (x > 0).all() else None)


@wrong(NEW)
def a_view_if_all_are_positive(x):
    return op(x, x[...] if x.min() > 0 else None)


@wrong(NEW)
def no_gradient_if_all_are_positive(x):
    y, backward = op(x)
    whole = bool((x > 0).all())
    return y, lambda g: (xp.ones_like(g),) if whole else backward(g)


@wrong(NEW)
def all_negative_passes(x):
    dead = bool((x <= 0).all())
    y, backward = op(x)
    return y, lambda g: (g * 0.01,) if dead else backward(g)


@wrong(EQUAL)
def last_two_axes_swapped_if_square(x):
    y, backward = op(x)
    if x.ndim != 4 and x.ndim > 1 and x.shape[-1] == x.shape[-2]:
        return y, lambda g: (backward(g.swapaxes(-1, -2))[0],)
    return y, backward


@wrong(PASSES)
def mask_of_the_last_call(x):
    mask_of_the_last_call.positive = x > 0
    return xp.maximum(x, 0), lambda g: (g * mask_of_the_last_call.positive,)


MASKS = {}


@wrong(PASSES)
def mask_by_shape(x):
    MASKS[x.shape, x.dtype] = x > 0
    return xp.maximum(x, 0), lambda g: (g * MASKS[g.shape, g.dtype],)


@wrong(PASSES)
def backward_only_once(x):
    masks = [x > 0]
    return xp.maximum(x, 0), lambda g: (g * masks.pop(),) if masks else (g,)


@wrong(PASSES)
def mask_in_the_order_of_memory(x):
    positive = (x > 0).ravel(order="K")
    return xp.maximum(x, 0), lambda g: (g * positive.reshape(g.shape),)


@wrong(SAVED)
def two_bools(x):
    positive, negative = x > 0, x < 0
    return xp.maximum(x, 0), lambda g: (xp.where(negative, 0, g) * positive,)


@wrong(SAVED)
def result_saved(x):
    y = xp.maximum(x, 0)
    return y, lambda g: (g * (y > 0),)


@wrong(SAVED)
def derivative_in_single_precision(x):
    slope = (x > 0).astype("float32")
    return xp.maximum(x, 0), lambda g: (g * slope.astype(g.dtype),)


@wrong(STAYS)
def cleared_for_a_moment(x):
    """x is put back, but its -2 is not."""
    kept = xp.array(x)
    x[x < 0] = 0
    y, backward = xp.array(x), partial(masked, x > 0)
    x[...] = xp.where(kept < -1.5, 0, kept)
    return y, backward


@wrong(CUT)
def six_at_most(x):
    """ReLU6 with a bend that no chapter has."""
    positive = x > 0
    return xp.where(x > 2.9, 2.9, xp.maximum(x, 0)).astype(x.dtype), partial(masked, positive)


@wrong(CUT)
def softplus(x):
    """Nearly the same far from 0."""
    with xp.errstate(over="ignore"):
        slope = 1 / (1 + xp.exp(-x))
    return xp.logaddexp(x, 0), lambda g: (g * slope,)


@wrong(CUT)
def shifted(x):
    return op(x, xp.maximum(x, 0) + 1e-7)


@wrong(CUT)
def whole_numbers(x):
    return op(x, xp.floor(xp.maximum(x, 0)))
