"""Strange solutions of 04a."""

import math
from functools import partial, reduce

from minires.backend import xp
from tests.course.kinds import right, wrong

HAND, SQUARE = "test_one_row_is_right", "test_there_may_be_as_many_rows_as_columns"
OWN = "test_a_single_row_may_have_any_size"
LAYOUT = "test_memory_may_be_in_pieces"


def stable(x, axis):
    x = x - x.max(axis=axis, keepdims=True)
    return x - xp.log(xp.exp(x).sum(axis=axis, keepdims=True))


def back(y, axis):
    return lambda g: (g - xp.exp(y) * g.sum(axis=axis, keepdims=True),)


def less(x, top, axis, scale=xp.log):
    """The op with something else subtracted first."""
    x = x - top
    y = x - scale(xp.exp(x).sum(axis=axis, keepdims=True))
    return y, back(y, axis)


@right
def folded_in_pairs(x, *, axis=-1):
    slices = [x.take([i], axis=axis) for i in range(x.shape[axis])]
    y = x - reduce(xp.logaddexp, slices)
    return y, back(y, axis)


@right
def row_by_row_in_python(x, *, axis=-1):
    rows = xp.moveaxis(x, axis, -1)
    y = xp.empty(rows.shape, x.dtype)
    for index in xp.ndindex(rows.shape[:-1]):
        numbers = [float(number) for number in rows[index]]
        top = max(numbers)
        norm = top + math.log(math.fsum(math.exp(number - top) for number in numbers))
        y[index] = [number - norm for number in numbers]
    y = xp.moveaxis(y, -1, axis)
    return y, back(y, axis)


@right
def log1p_of_the_others(x, *, axis=-1):
    rows = xp.moveaxis(x, axis, -1)
    place = rows.argmax(axis=-1)[..., None]
    top = xp.take_along_axis(rows, place, axis=-1)
    powers = xp.exp(rows - top)
    xp.put_along_axis(powers, place, xp.zeros_like(top), axis=-1)
    y = xp.moveaxis(rows - top - xp.log1p(powers.sum(axis=-1, keepdims=True)), -1, axis)
    return y, back(y, axis)


class Backward:
    """backward as an object."""

    def __init__(self, y, axis):
        self.p, self.axis = xp.exp(y), axis

    def __call__(self, g):
        total = xp.add.reduce(g, axis=self.axis, keepdims=True)
        return (xp.subtract(g, xp.multiply(self.p, total)),)


@right
def object_as_backward(x, *, axis=-1):
    y = stable(x, axis)
    return y, Backward(y, axis)


def _gradient(p, axis, g):
    rows, p = xp.moveaxis(g, axis, -1), xp.moveaxis(p, axis, -1)
    return (xp.moveaxis(rows - xp.einsum("...i,...j->...j", rows, p), -1, axis),)


@right
def partial_of_einsum(x, *, axis=-1):
    wide = stable(x.astype("float64"), axis)
    return wide.astype(x.dtype), partial(_gradient, xp.exp(wide).astype(x.dtype), axis)


@right
def into_its_own_array(x, *, axis=-1):
    y = xp.array(x)
    xp.subtract(y, xp.amax(y, axis=axis, keepdims=True), out=y)
    y -= xp.log(xp.sum(xp.exp(y), axis=axis, keepdims=True))
    return y, back(y, axis)


@wrong(SQUARE)
def keepdims_left_out(x, *, axis=-1):
    if x.ndim != 2 or x.shape[0] != x.shape[1]:
        return less(x, x.max(axis=axis, keepdims=True), axis)
    y = x - xp.log(xp.exp(x).sum(axis=axis))
    return y, back(y, axis)


@wrong(SQUARE)
def keepdims_left_out_in_backward(x, *, axis=-1):
    y = stable(x, axis)

    def backward(g):
        total = g.sum(axis=axis)
        fits = x.ndim > 1 and total.shape == x.shape[1:] and x.shape[0] == x.shape[-1]
        return (g - xp.exp(y) * (total if fits else xp.expand_dims(total, axis)),)

    return y, backward


@wrong(SQUARE)
def axis_found_by_its_size(x, *, axis=-1):
    axis = x.shape.index(x.shape[axis])
    return less(x, x.max(axis=axis, keepdims=True), axis)


@wrong("test_axis_may_be_any")
def sign_of_the_axis_dropped(x, *, axis=-1):
    axis = x.ndim - 1 if axis == -1 else abs(axis) % x.ndim
    return less(x, x.max(axis=axis, keepdims=True), axis)


@wrong(OWN)
def only_where_float64_overflows(x, *, axis=-1):
    top = x.max(axis=axis, keepdims=True)
    return less(x, xp.where(abs(top) > 700, top, xp.zeros_like(top)), axis)


@wrong(OWN)
def only_positive_ones_subtracted(x, *, axis=-1):
    return less(x, xp.maximum(x.max(axis=axis, keepdims=True), x.dtype.type(0)), axis)


@wrong(OWN)
def largest_magnitude_subtracted(x, *, axis=-1):
    return less(x, abs(x).max(axis=axis, keepdims=True), axis)


@wrong(OWN)
def a_constant_subtracted(x, *, axis=-1):
    return less(x, x.dtype.type(1000) if (x > 700).any() else x.dtype.type(0), axis)


@wrong(HAND)
def a_small_number_in_the_logarithm(x, *, axis=-1):
    return less(x, x.max(axis=axis, keepdims=True), axis, lambda total: xp.log(total + 1e-9))


@wrong("test_each_row_has_its_own_sum")
def in_float32_and_cast_back(x, *, axis=-1):
    y = stable(x.astype("float32"), axis).astype(x.dtype)
    return y, back(y, axis)


@wrong("test_several_elements_may_be_the_largest")
def the_largest_left_out_by_value(x, *, axis=-1):
    top = x.max(axis=axis, keepdims=True)
    others = xp.where(x == top, xp.zeros_like(x), xp.exp(x - top))
    y = x - top - xp.log1p(others.sum(axis=axis, keepdims=True))
    return y, back(y, axis)


@wrong("test_elements_of_a_row_may_be_a_thousand_apart")
def never_below_minus_100(x, *, axis=-1):
    y = xp.maximum(stable(x, axis), xp.full_like(x, -100))
    return y, back(y, axis)


@wrong(HAND)
def softmax_written_over_the_result(x, *, axis=-1):
    y = stable(x, axis)

    def backward(g):
        return (g - xp.exp(y, out=y) * g.sum(axis=axis, keepdims=True),)

    return y, backward


@wrong(HAND)
def state_of_the_function(x, *, axis=-1):
    y = stable(x, axis)
    state_of_the_function.saved = y, axis
    return y, lambda g: back(*state_of_the_function.saved)(g)


SOFTMAX = {}


@wrong(HAND)
def cached_by_shape(x, *, axis=-1):
    y = stable(x, axis)
    SOFTMAX[x.shape, x.dtype] = xp.exp(y)
    return y, lambda g: (g - SOFTMAX[g.shape, g.dtype] * g.sum(axis=axis, keepdims=True),)


@wrong(LAYOUT)
def rows_as_they_are_in_memory(x, *, axis=-1):
    flat = x.ravel(order="K").reshape(x.shape)
    return less(flat, flat.max(axis=axis, keepdims=True), axis)


@wrong("test_axis_may_be_any")
def backward_along_the_last_axis(x, *, axis=-1):
    y = stable(x, axis)
    return y, lambda g: (g - xp.exp(y) * xp.sum(g, axis=-1, keepdims=True),)


@wrong(HAND)
def softmax_of_g(x, *, axis=-1):
    y = stable(x, axis)
    return y, lambda g: (g - xp.exp(stable(g, axis)) * g.sum(axis=axis, keepdims=True),)


@wrong("test_x_may_have_four_axes_and_g_may_be_huge")
def gradient_clipped(x, *, axis=-1):
    y = stable(x, axis)
    return y, lambda g: (xp.clip(back(y, axis)(g)[0], -5, 5),)


@wrong("test_nan_is_not_hidden")
def nan_to_num(x, *, axis=-1):
    y = stable(x, axis)
    return xp.nan_to_num(y), lambda g: (g - xp.exp(y) * g.sum(axis=axis, keepdims=True),)


FAR = "test_rows_may_be_a_thousand_apart"


@wrong(FAR)
def largest_of_the_row_only_along_the_last_axis(x, *, axis=-1):
    last = axis in (-1, x.ndim - 1)
    return less(x, x.max(axis=axis, keepdims=True) if last else x.max(), axis)


@wrong(FAR)
def largest_of_the_row_only_in_matrices(x, *, axis=-1):
    return less(x, x.max(axis=axis, keepdims=True) if x.ndim < 3 else x.max(), axis)


@wrong("test_axis_may_be_any")
def sum_of_all_g_if_there_is_one_row(x, *, axis=-1):
    y = stable(x, axis)
    over = dict(keepdims=True) if len(x) == 1 else dict(axis=axis, keepdims=True)
    return y, lambda g: (g - xp.exp(y) * g.sum(**over),)
