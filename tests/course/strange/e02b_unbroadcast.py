"""Strange solutions of 02b."""

import itertools
import string

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


def wide(g, shape):
    return (1,) * (g.ndim - len(shape)) + tuple(shape)


@right
def by_einsum(g, shape):
    letters = string.ascii_lowercase[: g.ndim]
    left = "".join(
        letter for letter, size, of in zip(letters, wide(g, shape), g.shape) if size == of != 1
    )
    return xp.asarray(xp.einsum(f"{letters}->{left}", g)).reshape(shape)


@right
def added_at(g, shape):
    """numpy.add.at into a view of the result that is broadcast to every position."""
    place = xp.arange(int(numpy.prod(shape))).reshape(shape)
    flat = xp.zeros(place.size, g.dtype)
    xp.add.at(flat, xp.broadcast_to(place, g.shape), g)
    return flat.reshape(shape)


@right
def bincounted(g, shape):
    place = xp.broadcast_to(xp.arange(int(numpy.prod(shape))).reshape(shape), g.shape)
    flat = xp.bincount(place.ravel(), weights=g.ravel(), minlength=int(numpy.prod(shape)))
    return flat.astype(g.dtype).reshape(shape)


@right
def recursive(g, shape):
    if g.ndim > len(shape):
        return recursive(g.sum(axis=0), shape)
    for axis, (size, old) in enumerate(zip(shape, g.shape)):
        if size != old:
            return recursive(g.sum(axis=axis, keepdims=True), shape)
    return g


@right
def from_the_right(g, shape):
    axes = [
        -i
        for i, (size, want) in enumerate(
            itertools.zip_longest(reversed(g.shape), reversed(shape), fillvalue=None), start=1
        )
        if want is None or want != size
    ]
    return xp.add.reduce(g, axis=tuple(axes), keepdims=True).reshape(shape)


@right
def ones_on_both_sides(g, shape):
    """A matrix of zeros and ones per axis."""
    for axis, size in enumerate(wide(g, shape)):
        if size == 1:
            g = xp.moveaxis(
                xp.tensordot(xp.ones((1, g.shape[axis]), g.dtype), g, (1, axis)), 0, axis
            )
    return g.reshape(shape)


EQUAL = "test_equal_sizes_are_matched_from_the_right"


@wrong(EQUAL, mistake="matched_by_size")
def sizes_looked_up(g, shape):
    if 1 in shape or len(set(g.shape)) == g.ndim:
        return recursive(g, shape)
    axes, want = [], list(shape)
    for axis in range(g.ndim):
        if want and want[0] == g.shape[axis]:
            del want[0]
        else:
            axes.append(axis)
    return g.sum(axis=tuple(axes))


@wrong(EQUAL)
def last_axes_if_all_are_equal(g, shape):
    if len(set(g.shape)) == 1 and len(shape) < g.ndim:
        return g.sum(axis=tuple(range(len(shape), g.ndim))).reshape(shape)
    return recursive(g, shape)


@wrong(EQUAL)
def square_is_symmetric(g, shape):
    return (
        g.sum(axis=0).reshape(shape)
        if g.shape == (3, 3) and shape in ((3, 1), (1, 3))
        else recursive(g, shape)
    )


@wrong(EQUAL)
def sizes_that_occur(g, shape):
    if 1 not in shape and shape != g.shape and len(shape) == 1:
        axis = g.shape.index(shape[0])
        return g.sum(axis=tuple(i for i in range(g.ndim) if i != axis))
    return recursive(g, shape)


@wrong("test_more_than_three_axes")
def three_axes_at_most(g, shape):
    g = g.reshape((-1, *g.shape[-3:])).sum(axis=0) if g.ndim > 3 else g
    return xp.resize(recursive(g, tuple(shape)[-3:]), shape)


@wrong("test_more_than_three_axes")
def one_new_axis(g, shape):
    if g.ndim > 4:
        return g.sum(axis=(1, 2, 3)).sum(axis=0) + xp.zeros(shape)
    return recursive(g, shape)


@wrong("test_new_axes_in_front_are_summed")
def mean_times_count(g, shape):
    with xp.errstate(all="ignore"):
        axes = tuple(
            i
            for i, (a, b) in enumerate(zip(wide(g, shape), g.shape))
            if a != b or i < g.ndim - len(shape)
        )
        count = int(numpy.prod([g.shape[i] for i in axes]))
        return (xp.asarray(g.mean(axis=axes)) * count).reshape(shape)


@wrong("test_new_axes_in_front_are_summed")
def nothing_for_nothing(g, shape):
    return recursive(g, shape) if g.size else g


@wrong("test_a_number_gets_the_sum_of_all_gradients")
def falsy_shape(g, shape):
    return recursive(g, shape or g.shape)


@wrong("test_a_number_gets_the_sum_of_all_gradients")
def shape_of_one_for_a_number(g, shape):
    return recursive(g, shape or (1,)) if g.ndim else g.reshape(1)


@wrong("test_new_axes_in_front_are_summed")
def written_into_g(g, shape):
    while g.ndim > len(shape):
        g[0] += g[1:].sum(axis=0)
        g = g[0]
    return recursive(g, shape)


@wrong("test_new_axes_in_front_are_summed")
def remembered_by_the_shapes(g, shape, seen={}):  # noqa: B006
    key = g.shape, shape
    seen.setdefault(key, recursive(g, shape))
    return seen[key].astype(g.dtype)


OUT = {}


@wrong("test_new_axes_in_front_are_summed")
def into_one_buffer(g, shape):
    out = OUT.setdefault((shape, g.dtype.str), xp.empty(shape, g.dtype))
    out[...] = recursive(g, shape)
    return out


@wrong("test_axes_of_size_1_are_summed_and_kept")
def one_axis_at_most(g, shape):
    for axis, size in enumerate(wide(g, shape)):
        if size == 1 != g.shape[axis]:
            return g.sum(axis=axis, keepdims=True).reshape(
                shape if g.size // g.shape[axis] == numpy.prod(shape) else -1
            )
    return g.reshape(shape)


@wrong("test_both_at_once")
def in_the_order_of_memory(g, shape):
    return xp.add.reduceat(
        g.ravel(), xp.arange(0, g.size, max(1, g.size // max(1, int(numpy.prod(shape)))))
    ).reshape(shape)


@wrong("test_axes_of_size_1_are_summed_and_kept")
def last_axis_never_summed(g, shape):
    for _ in range(g.ndim - len(shape)):
        g = g.sum(axis=0)
    axes = tuple(i for i, size in enumerate(shape[:-1]) if size == 1)
    return g.sum(axis=axes, keepdims=True)


@wrong("test_infinite_gradients_are_summed_too")
def made_finite(g, shape):
    return recursive(xp.nan_to_num(g, posinf=0, neginf=0), shape)


@wrong("test_an_axis_of_size_1_that_became_empty_gets_0")
def only_axes_that_became_larger(g, shape):
    new = g.ndim - len(shape)
    axes = [i for i in range(g.ndim) if i < new or (shape[i - new] == 1 and g.shape[i] > 1)]
    summed = g.sum(axis=tuple(axes), keepdims=True)
    return xp.zeros(shape, g.dtype) + summed.reshape(summed.shape[new:])


@wrong("test_new_axes_in_front_are_summed")
def sums_kept_by_their_parts(g, shape, kept={}):  # noqa: B006
    key = (g.tobytes(), g.dtype, g.shape, shape)
    if key not in kept:
        new = g.ndim - len(shape)
        axes = [i for i in range(g.ndim) if i < new or shape[i - new] != g.shape[i]]
        kept[key] = g.sum(axis=tuple(axes)).reshape(shape)
    return kept[key]


@wrong("test_more_than_three_axes")
def two_new_axes_at_most(g, shape):
    for _ in range(2):
        g = g.sum(axis=0) if g.ndim > len(shape) else g
    if g.ndim > len(shape):
        return g.sum()
    return g.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1), keepdims=True)


@wrong("test_equal_sizes_are_matched_from_the_right")
def new_axes_are_those_of_other_sizes(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=next((i for i, size in enumerate(g.shape) if size not in shape), 0))
    return g.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1), keepdims=True)


@right
def added_where_it_came_from(g, shape):
    total = xp.zeros(int(numpy.prod(shape)), g.dtype)
    places = xp.broadcast_to(xp.arange(total.size).reshape(shape), g.shape)
    xp.add.at(total, places.ravel(), g.ravel())
    return total.reshape(shape)
