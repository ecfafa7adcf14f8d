"""Solutions of 02b."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def aligned(g, shape):
    """`shape` with ones in front, as long as g's."""
    return (1,) * (g.ndim - len(shape)) + tuple(shape)


@right
def axis_by_axis(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


@right
def keepdims(g, shape):
    axes = tuple(axis for axis, size in enumerate(aligned(g, shape)) if size == 1)
    return g.sum(axis=axes, keepdims=True).reshape(shape)


@right
def indexed(g, shape):
    result = xp.zeros(shape, "float64")
    wide = aligned(g, shape)
    for index in xp.ndindex(g.shape):
        place = tuple(i if size > 1 else 0 for i, size in zip(index, wide))[g.ndim - len(shape) :]
        result[place] += g[index]
    return result.astype(g.dtype)


@wrong("test_axes_of_size_1_are_summed_and_kept", mistake="leading_axes_only")
def front_only(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    return g


@wrong("test_axes_of_size_1_are_summed_and_kept", mistake="axes_dropped")
def squeezed(g, shape):
    wide = aligned(g, shape)
    for axis in reversed(range(g.ndim)):
        if wide[axis] != g.shape[axis] or axis < g.ndim - len(shape):
            g = g.sum(axis=axis)
    return g


@wrong("test_new_axes_in_front_are_summed", mistake="averaged")
def divided_by_the_count(g, shape):
    total = keepdims(g, shape)
    return total / (g.size // max(total.size, 1))


@wrong("test_new_axes_in_front_are_summed", mistake="first_taken")
def zeroth(g, shape):
    wide = aligned(g, shape)
    index = tuple(slice(0, 1) if size == 1 else slice(None) for size in wide)
    return g[index].reshape(shape)


@wrong("test_the_same_shape_is_unchanged", mistake="over_everything")
def one_number(g, shape):
    return xp.full(shape, g.sum(), g.dtype)


@wrong("test_new_axes_in_front_are_summed", mistake="as_it_is")
def a_copy(g, shape):
    return g.copy()


@wrong("test_new_axes_in_front_are_summed")
def from_the_left(g, shape):
    for axis in range(g.ndim - 1, len(shape) - 1, -1):
        g = g.sum(axis=axis)
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return g.sum(axis=axes, keepdims=True)


@wrong("test_both_at_once")
def either_or(g, shape):
    if g.ndim > len(shape):
        return g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(axis for axis, size in enumerate(shape) if size == 1), keepdims=True)


@wrong("test_new_axes_in_front_are_summed")
def reshaped(g, shape):
    return xp.resize(g, shape)


@wrong("test_the_same_shape_is_unchanged")
def always_the_first_axis(g, shape):
    return g.sum(axis=0) if g.ndim > 1 else g


@wrong("test_a_number_gets_the_sum_of_all_gradients")
def numbers_forgotten(g, shape):
    return keepdims(g, shape) if shape else g.sum(axis=-1)


@wrong("test_new_axes_in_front_are_summed")
def maximum(g, shape):
    axes = tuple(axis for axis, size in enumerate(aligned(g, shape)) if size == 1)
    return g.max(axis=axes, keepdims=True).reshape(shape)


@wrong("test_both_at_once")
def in_float64(g, shape):
    return keepdims(g.astype("float64"), shape)
