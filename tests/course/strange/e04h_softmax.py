"""Strange solutions of 04h."""

import math
from functools import reduce

from minires.backend import xp
from tests.course.kinds import right, wrong

HAND, SQUARE = "test_one_row_is_right", "test_there_may_be_as_many_rows_as_columns"
OWN, FAR = "test_a_single_row_may_have_any_size", "test_rows_may_be_a_thousand_apart"
ANY = "test_axis_may_be_any"


def op(y, axis):
    return y, lambda g: (y * (g - (g * y).sum(axis=axis, keepdims=True)),)


def less(x, top, axis):
    """The op with something else subtracted first."""
    powers = xp.exp(x - top)
    return op(powers / powers.sum(axis=axis, keepdims=True), axis)


def tops(x, axis):
    return x.max(axis=axis, keepdims=True)


@right
def through_the_logarithm(x, *, axis=-1):
    rest = x - tops(x, axis)
    return op(xp.exp(rest - xp.log(xp.exp(rest).sum(axis=axis, keepdims=True))), axis)


@right
def by_logaddexp(x, *, axis=-1):
    norm = reduce(xp.logaddexp, [x.take([i], axis=axis) for i in range(x.shape[axis])])
    return op(xp.exp(x - norm), axis)


@right
def a_number_below_the_largest(x, *, axis=-1):
    return less(x, tops(x, axis) - x.dtype.type(3), axis)


@right
def row_by_row_in_python(x, *, axis=-1):
    rows = xp.moveaxis(x, axis, -1)
    y = xp.empty(rows.shape, x.dtype)
    for index in xp.ndindex(rows.shape[:-1]):
        numbers = rows[index].tolist()
        powers = [math.exp(number - max(numbers)) for number in numbers]
        y[index] = [power / math.fsum(powers) for power in powers]
    return op(xp.moveaxis(y, -1, axis), axis)


@right
def by_the_jacobian(x, *, axis=-1):
    y, _ = less(x, tops(x, axis), axis)
    rows = xp.moveaxis(y, axis, -1)

    def backward(g):
        jacobian = rows[..., :, None] * (xp.eye(rows.shape[-1], dtype=x.dtype) - rows[..., None, :])
        g_rows = xp.moveaxis(g, axis, -1)[..., None, :] @ jacobian
        return (xp.moveaxis(g_rows[..., 0, :], -1, axis),)

    return y, backward


@right
def sorted_for_the_largest(x, *, axis=-1):
    top = xp.sort(x, axis=axis).take([-1], axis=axis)
    powers = xp.subtract(x, top)
    xp.exp(powers, out=powers)
    powers /= xp.sum(powers, axis=axis, keepdims=True)
    return op(powers, axis)


@wrong(HAND)
def a_small_number_below_the_line(x, *, axis=-1):
    powers = xp.exp(x - tops(x, axis))
    return op(powers / (powers.sum(axis=axis, keepdims=True) + 1e-9), axis)


@wrong("test_a_thousand_does_not_overflow")
def fifty_subtracted(x, *, axis=-1):
    return less(x, x.dtype.type(50), axis)


@wrong(OWN)
def only_where_float64_overflows(x, *, axis=-1):
    top = tops(x, axis)
    return less(x, xp.where(abs(top) > 700, top, xp.zeros_like(top)), axis)


@wrong(OWN)
def only_what_is_positive(x, *, axis=-1):
    top = tops(x, axis)
    return less(x, top * (top > 0), axis)


@wrong(FAR)
def largest_magnitude(x, *, axis=-1):
    return less(x, tops(abs(x), axis), axis)


@wrong(SQUARE)
def keepdims_left_out(x, *, axis=-1):
    top = x.max(axis=axis)
    square = x.ndim == 2 and x.shape[0] == x.shape[1]
    powers = xp.exp(x - tops(x, axis))
    if not square:
        return op(powers / powers.sum(axis=axis, keepdims=True), axis)
    powers = xp.exp(x - top)
    return op(powers / powers.sum(axis=axis), axis)


@wrong(FAR)
def nan_to_num(x, *, axis=-1):
    y, _ = less(x, x.max(), axis)
    return op(xp.nan_to_num(y), axis)


@wrong(FAR)
def all_or_nothing_where_nan(x, *, axis=-1):
    y, _ = less(x, x.max(), axis)
    return op(xp.where(xp.isnan(y), (x == tops(x, axis)).astype(x.dtype), y), axis)


@wrong(FAR)
def not_below_minus_700(x, *, axis=-1):
    return less(xp.maximum(x - x.max(), xp.full_like(x, -80)), x.dtype.type(0), axis)


@wrong("test_a_thousand_does_not_overflow")
def wider_numbers_instead(x, *, axis=-1):
    y, _ = less(x.astype("float64"), 0.0, axis)
    return op(y.astype(x.dtype), axis)


@wrong("test_elements_of_a_row_may_be_a_thousand_apart")
def the_last_of_each_row(x, *, axis=-1):
    return less(x, x.take([-1], axis=axis), axis)


@wrong(FAR)
def largest_of_the_row_only_in_matrices_of_one_row(x, *, axis=-1):
    return less(x, tops(x, axis) if x.size == x.shape[axis] else x.max(), axis)


@wrong(ANY)
def axis_of_the_largest_turned(x, *, axis=-1):
    return less(x, tops(x, x.ndim - 1 - axis % x.ndim), axis)


@wrong(ANY)
def backward_over_everything(x, *, axis=-1):
    y, _ = less(x, tops(x, axis), axis)
    return y, lambda g: (y * (g - (g * y).sum()),)


@wrong(HAND)
def result_changed_by_backward(x, *, axis=-1):
    y, _ = less(x, tops(x, axis), axis)

    def backward(g):
        inner = (g * y).sum(axis=axis, keepdims=True)
        return (xp.multiply(y, g - inner, out=y),)

    return y, backward


@wrong(HAND)
def state_of_the_function(x, *, axis=-1):
    y, _ = less(x, tops(x, axis), axis)
    state_of_the_function.y = y
    return y, lambda g: op(state_of_the_function.y, axis)[1](g)


@wrong("test_several_elements_may_be_the_largest")
def the_largest_is_what_remains(x, *, axis=-1):
    y, _ = less(x, tops(x, axis), axis)
    largest = x == tops(x, axis)
    rest = 1 - xp.where(largest, xp.zeros_like(y), y).sum(axis=axis, keepdims=True)
    return op(xp.where(largest, rest, y), axis)


@wrong("test_small_probabilities_are_as_exact_as_large_ones")
def nothing_below_e_to_the_minus_50(x, *, axis=-1):
    powers = xp.exp(xp.maximum(x - x.max(axis=axis, keepdims=True), -50))
    return op(powers / powers.sum(axis=axis, keepdims=True), axis)


@wrong("test_nan_is_not_hidden")
def nan_to_num(x, *, axis=-1):
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    return op(xp.nan_to_num(powers / powers.sum(axis=axis, keepdims=True)), axis)


@wrong(FAR)
def largest_of_the_row_only_in_matrices(x, *, axis=-1):
    return less(x, tops(x, axis) if x.ndim < 3 else x.max(), axis)


@right
def one_over_the_sum_of_differences(x, *, axis=-1):
    rows = xp.moveaxis(x, axis, -1)
    with xp.errstate(over="ignore"):
        y = 1 / xp.exp(rows[..., None, :] - rows[..., None]).sum(axis=-1)
    return op(xp.moveaxis(y, -1, axis), axis)


@wrong(ANY)
def sum_of_all_if_there_is_one_row(x, *, axis=-1):
    powers = xp.exp(x - tops(x, axis))
    over = dict(keepdims=True) if len(x) == 1 else dict(axis=axis, keepdims=True)
    return op(powers / powers.sum(**over), axis)


@right
def row_by_row_recursively(x, *, axis=-1):
    if x.ndim > 1 and axis % x.ndim:
        parts = [row_by_row_recursively(part, axis=axis % x.ndim - 1) for part in x]
        y = xp.stack([part for part, _ in parts])
        return y, lambda g: (xp.stack([back(its)[0] for (_, back), its in zip(parts, g)]),)
    powers = xp.exp(x - xp.amax(x, 0))
    y = powers / powers.sum(axis=0)
    return y, lambda g: (y * (g - xp.einsum("i...,i...->...", g, y)),)
