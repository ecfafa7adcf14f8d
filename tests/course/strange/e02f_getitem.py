"""Strange solutions of 02f."""

import copy
from collections import Counter

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


def places(x, index):
    """The number of each element that is taken."""
    return xp.arange(x.size).reshape(x.shape)[index]


def added(x, index, g):
    g_x = xp.zeros(x.shape, g.dtype)
    xp.add.at(g_x, index, g)
    return g_x


def is_mask(part):
    return getattr(part, "dtype", None) == numpy.dtype(bool)


def op(x, index, g_x):
    return x[index], lambda g: (g_x(g),)


@right
def sorted_and_reduced(x, *, index):
    chosen = xp.ravel(places(x, index)).copy()

    def backward(g):
        g_x = xp.zeros(x.size, g.dtype)
        if chosen.size:
            order = xp.argsort(chosen, kind="stable")
            number, start = xp.unique(chosen[order], return_index=True)
            g_x[number] = xp.add.reduceat(xp.ravel(g)[order], start)
        return (g_x.reshape(x.shape),)

    return x[index], backward


@right
def by_a_counter(x, *, index):
    chosen = xp.ravel(places(x, index)).tolist()

    def backward(g):
        total = Counter()
        for place, part in zip(chosen, xp.ravel(g).tolist()):
            total[place] += part
        return (xp.array([total[i] for i in range(x.size)], dtype=g.dtype).reshape(x.shape),)

    return x[index].copy(), backward


@right
def a_view_where_it_is_one(x, *, index):
    """An index that takes no element twice gives a view, into which g can be written."""
    index = copy.deepcopy(index)

    def backward(g):
        g_x = xp.zeros_like(x)
        view = g_x[index]
        if isinstance(view, xp.ndarray) and view.size and numpy.shares_memory(view, g_x):
            view += g
        else:
            xp.add.at(g_x, index, g)
        return (g_x,)

    return x[index], backward


@right
def in_double(x, *, index):
    def backward(g):
        g_x = xp.zeros(x.shape, dtype="float64")
        xp.add.at(g_x, index, xp.asarray(g, dtype="float64"))
        return (g_x.astype(x.dtype),)

    return xp.asarray(x)[index], backward


@right
def one_element_at_a_time(x, *, index):
    taken, shape = places(x, index), x.shape

    def backward(g):
        flat = [x.dtype.type(0)] * x.size
        for at in xp.ndindex(xp.shape(taken)):
            flat[int(taken[at])] += g[at]
        return (xp.array(flat, x.dtype).reshape(shape),)

    return x[index], backward


class Taken:
    def __init__(self, x, index):
        self.shape, self.index = x.shape, index

    def back(self, g):
        return (added(self, self.index, g),)


@right
def a_bound_method(x, *, index):
    return x[index], Taken(x, index).back


TWICE = "test_a_number_that_is_taken_twice_gets_both_gradients"
ENDS = "test_an_element_that_is_taken_from_both_ends_gets_both_gradients"


@wrong(ENDS)
def last_and_minus_one_are_two(x, *, index):
    """Repeats are looked for in the index, where 2 and -1 differ."""

    def g_x(g):
        if (
            isinstance(index, (list, numpy.ndarray))
            and xp.asarray(index).dtype.kind == "i"
            and xp.ndim(index) == 1
        ):
            result = xp.zeros_like(x)
            for i in dict.fromkeys(xp.asarray(index).tolist()):
                result[i] = g[xp.asarray(index) == i].sum(axis=0)
            return result
        return added(x, index, g)

    return op(x, index, g_x)


@wrong(ENDS)
def negative_ones_left_out(x, *, index):
    def g_x(g):
        if isinstance(index, list) or (
            isinstance(index, numpy.ndarray) and index.dtype.kind == "i"
        ):
            numbers = xp.asarray(index)
            return added(x, numbers[numbers >= 0], g[numbers >= 0])
        return added(x, index, g)

    return op(x, index, g_x)


@wrong(ENDS)
def repeats_in_arrays_only(x, *, index):
    def g_x(g):
        if isinstance(index, numpy.ndarray):
            return added(x, index, g)
        result = xp.zeros_like(x)
        result[index] += g
        return result

    return op(x, index, g_x)


@wrong("test_pairs_of_indices")
def repeats_looked_for_in_the_first_index(x, *, index):
    def g_x(g):
        first = index[0] if isinstance(index, tuple) else index
        if isinstance(first, (list, numpy.ndarray)):
            return added(x, index, g)
        result = xp.zeros_like(x)
        result[index] = g
        return result

    return op(x, index, g_x)


@wrong("test_a_new_axis_and_an_ellipsis")
def lists_in_a_tuple_forgotten(x, *, index):
    def g_x(g):
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, numpy.ndarray) for part in parts) or isinstance(index, list):
            return added(x, index, g)
        result = xp.zeros_like(x)
        result[index] += g
        return result

    return op(x, index, g_x)


@wrong("test_bools")
def bools_as_numbers(x, *, index):
    """True and False as 1 and 0, if they are in a list."""
    if isinstance(index, list) and isinstance(index[0], bool):
        index = numpy.array(index).astype(int)
    return op(x, index, lambda g: added(x, index, g))


@wrong("test_bools")
def mask_and_numbers_as_a_grid(x, *, index):
    if isinstance(index, tuple) and len(index) == 2 and is_mask(index[0]):
        index = numpy.ix_(*index)
    return op(x, index, lambda g: added(x, index, g))


@wrong("test_bools")
def where_the_mask_is_in_the_first_place(x, *, index):
    def g_x(g):
        if isinstance(index, tuple) and is_mask(index[1]):
            result = xp.zeros_like(x)
            result[index] = g[:1]
            return result
        return added(x, index, g)

    return op(x, index, g_x)


@wrong("test_nothing_may_be_taken")
def the_mean_fills_what_is_empty(x, *, index):
    def g_x(g):
        return added(x, index, g) if g.size else xp.full(x.shape, 0.5, x.dtype)

    return op(x, index, g_x)


@wrong("test_nothing_may_be_taken")
def none_for_nothing(x, *, index):
    return x[index], lambda g: (added(x, index, g) if g.size else None,)


@wrong("test_nothing_may_be_taken")
def empty_gradient_for_nothing(x, *, index):
    return op(x, index, lambda g: added(x, index, g) if g.size else g)


@wrong("test_slices")
def step_backwards_forgotten(x, *, index):
    def g_x(g):
        parts = index if isinstance(index, tuple) else (index,)
        forward = tuple(
            slice(*sorted([part.indices(4)[0], 0]), 1)
            if isinstance(part, slice) and part.step == -1
            else part
            for part in parts
        )
        if forward != parts:
            result = xp.zeros_like(x)
            result[(slice(None), *parts[1:])] = g
            return result
        return added(x, index, g)

    return op(x, index, g_x)


@wrong("test_slices")
def three_ints_go_to_a_row(x, *, index):
    if isinstance(index, tuple) and all(isinstance(part, int) for part in index):
        return x[index], lambda g: (added(x, index[:-1], g / x.shape[-1]),)
    return op(x, index, lambda g: added(x, index, g))


@wrong(TWICE)
def at_most_twice(x, *, index):
    def g_x(g):
        chosen, result = xp.ravel(places(x, index)), xp.zeros(x.size, g.dtype)
        for place in set(chosen.tolist()):
            result[place] = xp.ravel(g)[chosen == place][:2].sum()
        return result.reshape(x.shape)

    return op(x, index, g_x)


@wrong(TWICE)
def index_on_the_function(x, *, index):
    index_on_the_function.index, index_on_the_function.x = index, x
    return x[index], lambda g: (added(x, index, g) * (1 if index_on_the_function.x is x else 2),)


@wrong(TWICE)
def one_array_for_every_gradient(x, *, index, memory={}):  # noqa: B006
    g_x = memory.setdefault((x.shape, x.dtype.str), numpy.zeros(x.shape, x.dtype))
    return x[index], lambda g: (xp.add.at(g_x, index, g), g_x.copy())[1:]


@wrong(TWICE)
def adds_into_x_and_takes_it_away(x, *, index):
    def backward(g):
        before = x.copy()
        xp.add.at(x, index, g)
        return (x - before,)

    return x[index], backward


@wrong("test_rows_that_are_taken_again")
def rows_in_two_axes_flattened(x, *, index):
    def g_x(g):
        if isinstance(index, numpy.ndarray) and index.ndim == 2 and index.dtype.kind == "i":
            return added(x, index[:, 0], g[:, 0])
        return added(x, index, g)

    return op(x, index, g_x)
