"""Solutions of 02e."""

import math

from minires.backend import xp
from tests.course.kinds import right, wrong

MUTATED = ("minires.ops.reduce._keep", "minires.ops.reduce._count")


def reduced(x, axis):
    """The axes, from 0 on."""
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(i + x.ndim if i < 0 else i for i in (axis if isinstance(axis, tuple) else (axis,)))


def count(x, axis):
    return math.prod(x.shape[i] for i in reduced(x, axis))


def wide(g, x, axis):
    """g with ones where axes were reduced."""
    return g.reshape([1 if i in reduced(x, axis) else size for i, size in enumerate(x.shape)])


def op(x, axis, keepdims, spread):
    """spread(g, with ones where axes were reduced) is to give what is to be repeated."""

    def backward(g):
        return (xp.zeros(x.shape, g.dtype) + spread(wide(g, x, axis)),)

    return x.mean(axis=axis, keepdims=keepdims), backward


@right
def counted(x, *, axis=None, keepdims=False):
    n = count(x, axis)
    return op(x, axis, keepdims, lambda g: g / n)


@right
def expanded(x, *, axis=None, keepdims=False):
    n = count(x, axis)

    def backward(g):
        if not keepdims:
            g = xp.expand_dims(g, reduced(x, axis))
        for i in reduced(x, axis):
            g = xp.repeat(g, x.shape[i], axis=i)
        return (g / n,)

    return x.sum(axis=axis, keepdims=keepdims) / n, backward


@right
def in_double(x, *, axis=None, keepdims=False):
    y = x.astype("float64").mean(axis=axis, keepdims=keepdims)

    def backward(g):
        share = g.astype("float64").reshape(x.mean(axis=axis, keepdims=True).shape) * (
            y.size / x.size
        )
        return ((share * xp.ones(x.shape)).astype(g.dtype),)

    return xp.asarray(y).astype(x.dtype), backward


@right
def by_einsum(x, *, axis=None, keepdims=False):
    axes = reduced(x, axis)
    letters = "abcdefgh"[: x.ndim]
    left = "".join(letter for i, letter in enumerate(letters) if i not in axes)
    ones, n = xp.ones(x.shape, x.dtype), count(x, axis)

    def backward(g):
        narrow = g.reshape([size for i, size in enumerate(x.shape) if i not in axes])
        return (xp.einsum(f"{left},{letters}->{letters}", narrow, ones) / n,)

    y = xp.einsum(f"{letters}->{left}", x) / n
    return (wide(y, x, axis) if keepdims else xp.asarray(y)), backward


@wrong("test_three_numbers", mistake="not_divided")
def of_the_sum(x, *, axis=None, keepdims=False):
    return op(x, axis, keepdims, lambda g: g * 1)


@wrong("test_over_one_axis", mistake="divided_by_all")
def by_the_size(x, *, axis=None, keepdims=False):
    return op(x, axis, keepdims, lambda g: g * (1 / x.size))


@wrong("test_over_one_axis", mistake="divided_by_the_first_axis")
def by_len(x, *, axis=None, keepdims=False):
    return op(x, axis, keepdims, lambda g: g / len(x))


@wrong("test_over_several_axes", mistake="divided_by_one_axis")
def first_of_the_tuple(x, *, axis=None, keepdims=False):
    return op(
        x,
        axis,
        keepdims,
        lambda g: g / (x.shape[axis[0]] if isinstance(axis, tuple) else count(x, axis)),
    )


@wrong("test_over_one_axis", mistake="divided_by_what_is_left")
def by_the_results(x, *, axis=None, keepdims=False):
    return op(x, axis, keepdims, lambda g: g * count(x, axis) / x.size)


@wrong("test_over_one_axis", mistake="upstream_ignored")
def an_nth(x, *, axis=None, keepdims=False):
    return op(x, axis, keepdims, lambda g: 1 / count(x, axis))


@wrong("test_the_axis_that_is_gone_comes_back_in_its_place", mistake="axis_not_put_back")
def by_luck(x, *, axis=None, keepdims=False):
    def backward(g):
        return (xp.broadcast_to((g * (1 / count(x, axis))).astype(x.dtype), x.shape).copy(),)

    return x.mean(axis=axis, keepdims=keepdims), backward


@wrong("test_three_numbers", mistake="not_repeated")
def as_small_as_the_mean(x, *, axis=None, keepdims=False):
    return x.mean(axis=axis, keepdims=keepdims), lambda g: (
        xp.divide(g, count(x, axis)).astype(g.dtype),
    )


@wrong("test_three_numbers", mistake="a_sum")
def never_divided(x, *, axis=None, keepdims=False):
    return x.mean(axis=axis, keepdims=keepdims) * count(x, axis), lambda g: (
        wide(g, x, axis) + xp.zeros_like(x),
    )


@wrong("test_over_all_axes", mistake="keepdims_forgotten")
def never_kept(x, *, axis=None, keepdims=False):
    n = count(x, axis)
    return x.sum(axis=axis) / n, lambda g: (xp.zeros_like(x) + wide(g, x, axis) / n,)


@wrong("test_over_all_axes", mistake="in_float64")
def plain_zeros(x, *, axis=None, keepdims=False):
    y = x.mean(axis=axis, keepdims=keepdims)
    return y, lambda g: (xp.zeros(x.shape) + wide(g, x, axis) / count(x, axis),)


@wrong("test_a_negative_axis_counts_from_the_end")
def negative_not_counted(x, *, axis=None, keepdims=False):
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    n = math.prod(size for i, size in enumerate(x.shape) if i in axes)
    return op(x, axis, keepdims, lambda g: g / n)


@wrong("test_over_several_axes", crashes=True)
def no_tuples(x, *, axis=None, keepdims=False):
    n = x.size if axis is None else x.shape[axis]
    return op(x, axis, keepdims, lambda g: g / n)


@wrong("test_over_several_axes")
def sizes_added(x, *, axis=None, keepdims=False):
    n = x.size if axis is None else sum(x.shape[i] for i in reduced(x, axis))
    return op(x, axis, keepdims, lambda g: g / n)


@wrong("test_over_all_axes")
def always_kept(x, *, axis=None, keepdims=False):
    return op(x, axis, True, lambda g: g / count(x, axis))


@wrong("test_over_one_axis")
def to_the_first_element(x, *, axis=None, keepdims=False):
    def backward(g):
        g_x = xp.zeros(x.shape, g.dtype)
        first = tuple(slice(0, 1) if i in reduced(x, axis) else slice(None) for i in range(x.ndim))
        g_x[first] = wide(g, x, axis)
        return (g_x,)

    return x.mean(axis=axis, keepdims=keepdims), backward


@wrong("test_over_one_axis")
def one_axis_too_far(x, *, axis=None, keepdims=False):
    axis = (axis + 1) % x.ndim if isinstance(axis, int) else axis
    return op(x, axis, keepdims, lambda g: g / count(x, axis))


@wrong("test_three_numbers")
def n_minus_1(x, *, axis=None, keepdims=False):
    return op(x, axis, keepdims, lambda g: g / max(count(x, axis) - 1, 1))


@wrong("test_over_no_axis_it_is_x_itself")
def an_empty_tuple_is_all_axes(x, *, axis=None, keepdims=False):
    axis = None if axis == () else axis
    return op(x, axis, keepdims, lambda g: g / count(x, axis))


@wrong("test_an_axis_of_size_1_may_be_kept")
def several_axes_are_squeezed(x, *, axis=None, keepdims=False):
    y, backward = op(x, axis, True, lambda g: g / count(x, axis))
    if isinstance(axis, tuple) and len(axis) > 1 and not keepdims:
        return y.squeeze(), backward
    return op(x, axis, keepdims, lambda g: g / count(x, axis))
