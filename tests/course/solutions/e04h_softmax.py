"""Solutions of 04h: mended ones, and ones that were mended in the wrong place."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def op(y, axis):
    def backward(g):
        g = g * y
        return (g - y * g.sum(axis=axis, keepdims=True),)

    return y, backward


def share(powers, axis):
    return powers / powers.sum(axis=axis, keepdims=True)


@right
def by_the_axis(x, *, axis=-1):
    top = xp.expand_dims(xp.max(x, axis=axis), axis)
    return op(share(xp.exp(x - top), axis), axis)


@right
def line_by_line(x, *, axis=-1):
    lines = xp.moveaxis(x, axis, -1).astype("float64")
    y = xp.empty_like(lines)
    for index in xp.ndindex(lines.shape[:-1]):
        powers = xp.exp(lines[index] - max(lines[index]))
        y[index] = powers / sum(powers)
    return op(xp.moveaxis(y, -1, axis).astype(x.dtype), axis)


@right
def by_differences(x, *, axis=-1):
    lines = xp.moveaxis(x, axis, -1)
    with xp.errstate(over="ignore"):
        y = 1 / xp.exp(lines[..., None, :] - lines[..., :, None]).sum(axis=-1)
    return op(xp.moveaxis(y, -1, axis), axis)


@wrong("test_rows_may_be_a_thousand_apart")
def as_found(x, *, axis=-1):
    return op(share(xp.exp(x - xp.max(x)), axis), axis)


@wrong("test_a_thousand_does_not_overflow", mistake="nothing_taken_off")
def naive(x, *, axis=-1):
    return op(share(xp.e**x, axis), axis)


@wrong("test_elements_of_a_row_may_be_a_thousand_apart", mistake="smallest_taken_off")
def from_below(x, *, axis=-1):
    return op(share(xp.exp(x + (-x).max(axis=axis, keepdims=True)), axis), axis)


@wrong("test_elements_of_a_row_may_be_a_thousand_apart", mistake="mean_taken_off")
def centred(x, *, axis=-1):
    centre = x.sum(axis=axis, keepdims=True) / x.shape[axis]
    return op(share(xp.exp(x - centre), axis), axis)


@wrong("test_axis_may_be_any", mistake="axis_left_out")
def last_axis(x, *, axis=-1):
    return op(share(xp.exp(x - xp.max(x, -1)[..., None]), axis), axis)


@wrong("test_a_thousand_does_not_overflow", mistake="cut_off")
def clipped(x, *, axis=-1):
    return op(share(xp.exp(xp.minimum(xp.maximum(x, -700), 700)), axis), axis)


@wrong("test_rows_may_be_a_thousand_apart", mistake="nan_kept_away")
def never_by_zero(x, *, axis=-1):
    powers = xp.exp(x - x.max())
    total = powers.sum(axis=axis, keepdims=True)
    return op(powers / xp.maximum(total, xp.asarray(1e-30, dtype=x.dtype)), axis)


@wrong("test_rows_may_be_a_thousand_apart", mistake="nan_kept_away")
def zero_for_nan(x, *, axis=-1):
    y = share(xp.exp(x - x.max()), axis)
    return op(xp.where(xp.isnan(y), xp.zeros_like(y), y), axis)


@wrong("test_axis_may_be_any", mistake="sum_of_all")
def all_sum_to_one(x, *, axis=-1):
    flat = xp.exp(x - x.max()).reshape(-1)
    y = (flat / flat.sum()).reshape(x.shape)
    return op(y, tuple(range(x.ndim)))


@wrong("test_one_row_is_right")
def writes_to_x(x, *, axis=-1):
    x -= x.max(axis=axis, keepdims=True)
    return op(share(xp.exp(x), axis), axis)


@wrong("test_one_row_is_right")
def backward_mended(x, *, axis=-1):
    y = share(xp.exp(x - x.max(axis=axis, keepdims=True)), axis)
    return y, lambda g: (y * (g - g.sum(axis=axis, keepdims=True)),)


@wrong("test_rows_may_be_a_thousand_apart")
def even_where_nan(x, *, axis=-1):
    y = share(xp.exp(x - x.max()), axis)
    return op(xp.where(xp.isnan(y), xp.full_like(y, 1 / x.shape[axis]), y), axis)


@wrong("test_axis_may_be_any")
def largest_of_the_first_axis(x, *, axis=-1):
    return op(share(xp.exp(x - x.max(axis=0, keepdims=True)), axis), axis)


@wrong("test_one_row_is_right")
def in_float64(x, *, axis=-1):
    x = x.astype("float64")
    return op(share(xp.exp(x - x.max(axis=axis, keepdims=True)), axis), axis)
