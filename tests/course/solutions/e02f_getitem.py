"""Solutions of 02f."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def places(x, index):
    """The number of the element that each element of x[index] is."""
    return xp.arange(x.size).reshape(x.shape)[index]


def op(x, index, g_x):
    return x[index], lambda g: (g_x(g),)


@right
def added_at(x, *, index):
    def backward(g):
        g_x = xp.zeros_like(x)
        xp.add.at(g_x, index, g)
        return (g_x,)

    return x[index], backward


@right
def counted(x, *, index):
    chosen = places(x, index).ravel()

    def backward(g):
        return (
            xp.bincount(chosen, weights=g.ravel(), minlength=x.size)
            .reshape(x.shape)
            .astype(g.dtype),
        )

    return x[index], backward


@right
def one_by_one(x, *, index):
    chosen = places(x, index).ravel()

    def backward(g):
        flat = xp.zeros(x.size, "float64")
        for place, part in zip(chosen, g.ravel()):
            flat[place] += part
        return (flat.reshape(x.shape).astype(g.dtype),)

    return x.ravel()[chosen].reshape(places(x, index).shape), backward


@right
def as_a_product(x, *, index):
    """x[index] is a matrix of zeros and ones times x, and backward is its transpose."""
    chosen = places(x, index)
    matrix = (chosen.reshape(-1, 1) == xp.arange(x.size)).astype(x.dtype)
    return (matrix @ x.ravel()).reshape(chosen.shape), lambda g: (
        (g.ravel() @ matrix).reshape(x.shape),
    )


TWICE = "test_a_number_that_is_taken_twice_gets_both_gradients"


@wrong(TWICE, mistake="last_one_wins")
def assigned(x, *, index):
    def backward(g):
        g_x = xp.zeros_like(x)
        g_x[index] = g
        return (g_x,)

    return x[index], backward


@wrong(TWICE, mistake="averaged")
def by_the_count(x, *, index):
    chosen = places(x, index).ravel()

    def g_x(g):
        counts = xp.bincount(chosen, minlength=x.size).clip(1)
        return (xp.bincount(chosen, g.ravel(), x.size) / counts).reshape(x.shape).astype(g.dtype)

    return op(x, index, g_x)


@wrong("test_one_of_three_numbers", mistake="upstream_ignored")
def counts(x, *, index):
    chosen = places(x, index).ravel()
    return op(
        x, index, lambda g: xp.bincount(chosen, minlength=x.size).reshape(x.shape).astype(g.dtype)
    )


@wrong("test_one_of_three_numbers", mistake="as_small_as_the_result")
def handed_on(x, *, index):
    return x[index].copy(), lambda g: (g.copy(),)


@wrong("test_one_of_three_numbers", mistake="on_top_of_x")
def into_a_copy(x, *, index):
    y, right = counted(x, index=index)
    return y, lambda g: (x + right(g)[0],)


@wrong(TWICE, mistake="taken_from_g")
def sums(x, *, index):
    taken = xp.isin(xp.arange(x.size).reshape(x.shape), places(x, index))
    return op(x, index, lambda g: xp.where(taken, g.sum(), 0).astype(g.dtype))


@wrong("test_one_of_three_numbers", mistake="in_float64")
def not_cast_back(x, *, index):
    chosen = places(x, index).ravel()
    return op(x, index, lambda g: xp.bincount(chosen, g.ravel(), x.size).reshape(x.shape) * 1.0)


@wrong("test_one_of_three_numbers", mistake="other_elements")
def the_rest(x, *, index):
    return op(
        x,
        index,
        lambda g: (~xp.isin(xp.arange(x.size), places(x, index))).reshape(x.shape).astype(g.dtype),
    )


@wrong(TWICE)
def first_one_wins(x, *, index):
    def g_x(g):
        result = xp.zeros(x.size, g.dtype)
        chosen, first = xp.unique(places(x, index), return_index=True)
        result[chosen] = g.ravel()[first]
        return result.reshape(x.shape)

    return op(x, index, g_x)


@wrong("test_rows_that_are_taken_again")
def repeats_of_numbers_only(x, *, index):
    right = added_at if x.ndim == 1 else assigned
    return right(x, index=index)


@wrong("test_pairs_of_indices")
def pairs_forgotten(x, *, index):
    right = assigned if isinstance(index, tuple) else added_at
    return right(x, index=index)


@wrong("test_rows_that_are_taken_again")
def lists_forgotten(x, *, index):
    right = assigned if isinstance(index, list) else added_at
    return right(x, index=index)


@wrong("test_slices")
def from_the_front(x, *, index):
    def g_x(g):
        result = xp.zeros(x.size, g.dtype)
        xp.add.at(result, xp.sort(places(x, index).ravel()), g.ravel())
        return result.reshape(x.shape)

    return op(x, index, g_x)


@wrong("test_bools")
def first_axis_only(x, *, index):
    def g_x(g):
        result = xp.zeros(x.shape, g.dtype)
        if getattr(index, "dtype", None) == bool:
            xp.add.at(result, index.nonzero()[0], g if index.ndim == 1 else g[:, None, None])
        else:
            xp.add.at(result, index, g)
        return result

    return op(x, index, g_x)


@wrong("test_one_of_three_numbers")
def kept_from_call_to_call(x, *, index):
    result = xp.zeros_like(x)

    def g_x(g):
        xp.add.at(result, index, g)
        return result.copy()

    return op(x, index, g_x)


@wrong(TWICE)
def times_the_count(x, *, index):
    def g_x(g):
        result, count = xp.zeros_like(x), xp.zeros_like(x)
        result[index] = g
        xp.add.at(count, index, 1)
        return result * count

    return op(x, index, g_x)


@wrong("test_bools")
def rows_of_a_mask(x, *, index):
    """A mask of fewer axes than x is taken for one of its rows."""

    def backward(g):
        g_x = xp.zeros_like(x)
        if getattr(index, "dtype", None) == bool and index.ndim < x.ndim:
            xp.add.at(
                g_x, index.nonzero()[0], g.sum(axis=1, keepdims=True) if g.ndim < 2 else g[:, None]
            )
        else:
            xp.add.at(g_x, index, g)
        return (g_x,)

    return x[index], backward


@wrong("test_a_number_without_axes")
def no_axes_no_index(x, *, index):
    def backward(g):
        g_x = xp.zeros_like(x)
        xp.add.at(g_x, index, g)
        return (g_x,)

    return (x[index], backward) if x.ndim else (x, lambda g: (g,))


@wrong("test_the_index_is_unchanged_afterwards")
def negative_ones_counted_in_the_callers_index(x, *, index):
    if getattr(index, "dtype", None) == int:
        index[index < 0] += len(x)

    def backward(g):
        g_x = xp.zeros_like(x)
        xp.add.at(g_x, index, g)
        return (g_x,)

    return x[index], backward


@wrong("test_pairs_of_indices")
def one_array_in_front_is_assigned(x, *, index):
    def backward(g):
        g_x = xp.zeros_like(x)
        if isinstance(index, tuple) and [type(part) for part in index].count(type(g_x)) == 1:
            g_x[index] += g
        else:
            xp.add.at(g_x, index, g)
        return (g_x,)

    return x[index], backward
