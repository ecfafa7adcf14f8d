"""Strange solutions of 02e."""

import functools
import math

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


def axes_of(x, axis):
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(i % x.ndim for i in (axis if isinstance(axis, tuple) else (axis,)))


def kept(x, axis):
    return tuple(1 if i in axes_of(x, axis) else size for i, size in enumerate(x.shape))


def count(x, axis):
    return math.prod(x.shape[i] for i in axes_of(x, axis))


def op(x, axis, keepdims, n, shape=None):
    """g in this shape, divided by n and repeated."""
    shape = kept(x, axis) if shape is None else shape
    return x.mean(axis=axis, keepdims=keepdims), lambda g: (
        (xp.zeros_like(x) + (g.reshape(shape) / n).astype(x.dtype)),
    )


@right
def broadcast_view(x, *, axis=None, keepdims=False):
    n, shape = count(x, axis), x.shape
    small = kept(x, axis)
    return x.mean(axis, keepdims=keepdims), lambda g: (
        xp.broadcast_to(g.reshape(small) / n, shape),
    )


@right
def axis_by_axis(x, *, axis=None, keepdims=False):
    y = x
    for i in sorted(axes_of(x, axis), reverse=True):
        y = y.mean(axis=i, keepdims=keepdims)

    def backward(g):
        if not keepdims:
            for i in sorted(axes_of(x, axis)):
                g = xp.expand_dims(g, i)
        for i in axes_of(x, axis):
            g = xp.concatenate([g / x.shape[i]] * x.shape[i], axis=i)
        return (g,)

    return y, backward


@right
def tiled(x, *, axis=None, keepdims=False):
    times = [size if i in axes_of(x, axis) else 1 for i, size in enumerate(x.shape)]

    def backward(g):
        share = xp.asarray(g) * g.dtype.type(1 / math.prod(times))
        return (xp.tile(share.reshape(kept(x, axis)), times),)

    return x.sum(axis=axis, keepdims=keepdims) / math.prod(times), backward


class Mean:
    """An op with options that stay in the object."""

    def __init__(self, axis, keepdims):
        self.axis, self.keepdims = axis, keepdims

    def __call__(self, x):
        y = x.mean(axis=self.axis, keepdims=self.keepdims)
        return y, functools.partial(self.backward, x.shape, kept(x, self.axis))

    def backward(self, shape, small, g):
        g_x = xp.empty(shape, g.dtype)
        g_x[...] = xp.reshape(g, small)
        g_x /= math.prod(shape) // math.prod(small)
        return (g_x,)


@right
def an_object(x, *, axis=None, keepdims=False):
    return Mean(axis, keepdims)(x)


@right
def element_by_element(x, *, axis=None, keepdims=False):
    axes, small = axes_of(x, axis), kept(x, axis)
    total, n = xp.zeros(small, "float64"), count(x, axis)

    def home(index):
        return tuple(0 if i in axes else k for i, k in enumerate(index))

    for index in xp.ndindex(x.shape):
        total[home(index)] += x[index] / n
    shape = small if keepdims else tuple(s for i, s in enumerate(small) if i not in axes)

    def backward(g):
        g = g.reshape(small)
        return (xp.array([g[home(i)] / n for i in xp.ndindex(x.shape)], g.dtype).reshape(x.shape),)

    return total.reshape(shape).astype(x.dtype), backward


@right
def axes_moved_to_the_end(x, *, axis=None, keepdims=False):
    axes = axes_of(x, axis)
    moved = xp.moveaxis(x, axes, range(-len(axes), 0)) if axes else x
    rest = moved.shape[: x.ndim - len(axes)]
    y = moved.reshape(*rest, -1).mean(axis=-1)

    def backward(g):
        back = xp.broadcast_to(xp.reshape(g, rest + (1,) * len(axes)) / count(x, axis), moved.shape)
        return ((xp.moveaxis(back, range(-len(axes), 0), axes) if axes else back).copy(),)

    return xp.asarray(y).reshape(kept(x, axis) if keepdims else rest), backward


NEGATIVE = "test_a_negative_axis_counts_from_the_end"
SEVERAL = "test_over_several_axes"


@wrong(NEGATIVE)
def put_back_at_minus_two_minus_one(x, *, axis=None, keepdims=False):
    """expand_dims one after the other is wrong for (-2, -1): the second is one axis further in."""
    n = count(x, axis)

    def backward(g):
        if not keepdims:
            axes = (
                axes_of(x, None) if axis is None else axis if isinstance(axis, tuple) else (axis,)
            )
            if axes and max(axes) < 0 and len(axes) > 1:
                return (xp.zeros_like(x) + (g / n).reshape(-1, 1, 1)[::-1],)
            return op(x, axis, keepdims, n)[1](g)
        return op(x, axis, keepdims, n)[1](g)

    return x.mean(axis=axis, keepdims=keepdims), backward


@wrong(NEGATIVE)
def mixed_signs_not_counted(x, *, axis=None, keepdims=False):
    n = count(x, axis)
    if isinstance(axis, tuple) and not keepdims and min(axis) < 0 <= max(axis):
        n = math.prod(x.shape[i] for i in axis if i >= 0)
    return op(x, axis, keepdims, n)


@wrong(NEGATIVE)
def minus_three_is_minus_one(x, *, axis=None, keepdims=False):
    shape = kept(x, -1) if axis == -3 else None
    return op(x, axis, keepdims, count(x, axis), shape)


@wrong(NEGATIVE)
def negative_ones_by_their_size(x, *, axis=None, keepdims=False):
    small = kept(x, axis if not isinstance(axis, int) or axis >= 0 else abs(axis) - 1)
    y = x.mean(axis=axis, keepdims=keepdims)
    return y, lambda g: ((xp.zeros_like(x) + xp.resize(g, small) * g.dtype.type(y.size / x.size)),)


@wrong(SEVERAL)
def order_of_the_tuple(x, *, axis=None, keepdims=False):
    if axis == (2, 0) and len(set(x.shape)) == 1:
        return op(x, axis, keepdims, count(x, axis), (1, 1, x.shape[1]))
    return op(x, axis, keepdims, count(x, axis))


@wrong(SEVERAL)
def product_over_distinct_sizes(x, *, axis=None, keepdims=False):
    """A set drops sizes that occur twice."""
    n = x.size if axis is None else math.prod({x.shape[i] for i in axes_of(x, axis)})
    return op(x, axis, keepdims, n)


@wrong(SEVERAL)
def images_are_meaned_over_their_channels(x, *, axis=None, keepdims=False):
    if x.ndim == 4 and axis == (1, 2):
        return op(x, axis, keepdims, x.shape[1] * x.shape[3])
    return op(x, axis, keepdims, count(x, axis))


@wrong(SEVERAL)
def number_of_axes_taken_for_keepdims(x, *, axis=None, keepdims=False):
    def backward(g):
        if g.ndim == x.ndim:
            return (xp.zeros_like(x) + g / (count(x, axis) if g.shape != (1, 1, 1, 2) else x.size),)
        return op(x, axis, keepdims, count(x, axis))[1](g)

    return x.mean(axis=axis, keepdims=keepdims), backward


@wrong("test_over_one_axis")
def zero_is_false(x, *, axis=None, keepdims=False):
    return op(x, axis or None, keepdims, count(x, axis or None))


@wrong("test_over_one_axis")
def a_tuple_of_one(x, *, axis=None, keepdims=False):
    keepdims = keepdims or (isinstance(axis, tuple) and len(axis) == 1)
    return op(x, axis, keepdims, count(x, axis))


@wrong("test_over_one_axis")
def rows_of_a_matrix(x, *, axis=None, keepdims=False):
    if x.ndim == 1 and axis == 0:
        return x.mean(keepdims=True), lambda g: (xp.zeros_like(x) + g / len(x),)
    return op(x, axis, keepdims, count(x, axis))


@wrong("test_over_all_axes")
def all_axes_as_a_tuple(x, *, axis=None, keepdims=False):
    n = x.shape[0] * x.shape[1] if axis == (0, 1, 2) else count(x, axis)
    return op(x, axis, keepdims, n)


@wrong("test_over_all_axes")
def a_number_has_no_mean(x, *, axis=None, keepdims=False):
    if not x.ndim:
        return x.reshape(1), lambda g: (g.reshape(()),)
    return op(x, axis, keepdims, count(x, axis))


@wrong("test_three_numbers")
def eps_in_the_count(x, *, axis=None, keepdims=False):
    return op(x, axis, keepdims, count(x, axis) + 1e-5)


@wrong("test_three_numbers")
def g_divided_in_place(x, *, axis=None, keepdims=False):
    n = count(x, axis)

    def backward(g):
        g /= n
        return (xp.zeros_like(x) + g.reshape(kept(x, axis)),)

    return xp.asarray(x.mean(axis=axis, keepdims=keepdims)), backward


@wrong("test_the_columns_of_a_table")
def shape_of_the_last_call(x, *, axis=None, keepdims=False):
    shape_of_the_last_call.n = count(x, axis), float(abs(x).max())
    most = shape_of_the_last_call.n[1]

    def backward(g):
        n, now = shape_of_the_last_call.n
        return op(x, axis, keepdims, n * (now / most))[1](g)

    return x.mean(axis=axis, keepdims=keepdims), backward


@wrong("test_gradients_stay_when_backward_runs_for_other_inputs")
def one_gradient_array_for_each_shape(x, *, axis=None, keepdims=False, kept_arrays={}):  # noqa: B006
    y, right = op(x, axis, keepdims, count(x, axis))

    def backward(g):
        g_x = kept_arrays.setdefault((x.shape, x.dtype.str), numpy.empty(x.shape, x.dtype))
        g_x[...] = right(g)[0]
        return (g_x,)

    return y, backward


@wrong("test_over_one_axis")
def flat_repeat(x, *, axis=None, keepdims=False):
    """Each g is repeated n times in a row, as if the reduced axes were the last ones."""
    n = count(x, axis)
    return x.mean(axis=axis, keepdims=keepdims), lambda g: (
        xp.repeat(xp.ravel(g) / n, n).astype(x.dtype).reshape(x.shape),
    )


@wrong("test_the_gradient_does_not_depend_on_the_values")
def zero_times_x(x, *, axis=None, keepdims=False):
    small, n = kept(x, axis), count(x, axis)
    return x.mean(axis=axis, keepdims=keepdims), lambda g: (0 * x + g.reshape(small) / n,)


@wrong("test_the_gradient_does_not_depend_on_the_values")
def nan_left_out(x, *, axis=None, keepdims=False):
    return xp.nanmean(x, axis=axis, keepdims=keepdims), op(x, axis, keepdims, count(x, axis))[1]


@wrong("test_an_axis_of_size_1_may_be_kept")
def squeezed(x, *, axis=None, keepdims=False):
    y = x.mean(axis=axis, keepdims=True)
    n = x.size / y.size
    g_x = lambda g: (xp.broadcast_to(g.reshape(y.shape) / n, x.shape),)  # noqa: E731
    return y if keepdims else y.squeeze(), g_x
