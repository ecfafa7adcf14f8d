"""Strange solutions of 02g."""

import itertools
from functools import partial

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


def loss(f, g, x):
    return float((g * f(x)).sum())


def each(x, derivative):
    """Return an array of derivative(index)."""
    gradient = xp.zeros(x.shape)
    for index in xp.ndindex(x.shape):
        gradient[index] = derivative(index)
    return gradient


def shifted(x, index, by):
    moved = x.copy()
    moved[index] += by
    return moved


def central(f, x, g, step):
    def derivative(index):
        ends = [loss(f, g, shifted(x, index, by)) for by in (step, -step)]
        return (ends[0] - ends[1]) / (2 * step)

    return each(x, derivative)


@right
def a_generator(f, x, g, *, step=1e-5):
    L = partial(loss, f, g)

    def derivatives():
        for index in itertools.product(*map(range, x.shape)):
            yield (L(shifted(x, index, step)) - L(shifted(x, index, -step))) / (2.0 * step)

    return xp.fromiter(derivatives(), dtype=float, count=x.size).reshape(x.shape)


@right
def all_shifted_arrays_at_once(f, x, g, *, step=1e-5):
    units = step * xp.eye(x.size).reshape(x.size, *x.shape)
    differences = xp.stack([f(up) - f(down) for up, down in zip(x + units, x - units)])
    return (xp.tensordot(differences, g, axes=g.ndim) / (2 * step)).reshape(x.shape)


@right
def with_nditer(f, x, g, *, step=1e-5):
    gradient = xp.empty_like(x)
    walker = numpy.nditer(x, flags=["multi_index"])
    for value in walker:
        up, down = x.copy(), x.copy()
        up[walker.multi_index], down[walker.multi_index] = value + step, value - step
        gradient[walker.multi_index] = xp.vdot(g, f(up)) - xp.vdot(g, f(down))
    gradient /= 2 * step
    return gradient


class Nudged:
    """A copy of x in which one element is changed for the length of a block."""

    def __init__(self, x):
        self.x = xp.array(x)

    def at(self, index, by):
        self.index, self.was = index, float(self.x[index])
        self.x[index] = self.was + by
        return self

    def __enter__(self):
        return self.x

    def __exit__(self, *_):
        self.x[self.index] = self.was


@right
def a_context_manager(f, x, g, *, step=1e-5):
    nudged = Nudged(x)

    def derivative(index):
        total = 0.0
        for sign in (+1, -1):
            with nudged.at(index, sign * step) as moved:
                total += sign * loss(f, g, moved)
        return total / step / 2

    return each(x, derivative)


@right
def column_by_column_of_the_jacobian(f, x, g, *, step=1e-5):
    """Build the whole Jacobian, then multiply it by g."""
    columns = []
    for k in range(x.size):
        flat = x.flatten()
        flat[k] += step
        up = xp.array(f(flat.reshape(x.shape)))
        flat = x.flatten()
        flat[k] -= step
        columns.append((up - f(flat.reshape(x.shape))).ravel() / (2 * step))
    return (xp.array(columns) @ xp.ravel(g)).reshape(x.shape)


OWN = "test_each_element_has_its_own_derivative"
UPSTREAM = "test_the_upstream_gradient_counts"
STEP = "test_the_step_is_the_one_that_the_caller_gives"
VIEW = "test_the_result_of_f_may_be_a_view_of_what_it_gets"
SHAPE = "test_x_may_have_any_shape"
RESULT = "test_the_result_of_f_may_have_a_different_shape"


@wrong(VIEW)
def one_copy_for_both_ends(f, x, g, *, step=1e-5):
    moved = x.astype("float64")

    def derivative(index):
        was = moved[index]
        moved[index] = was + step
        up = f(moved)
        moved[index] = was - step
        down = f(moved)
        moved[index] = was
        return (g * (up - down)).sum() / (2 * step)

    return each(x, derivative)


@wrong(UPSTREAM)
def through_a_flat_view(f, x, g, *, step=1e-5):
    """x.reshape(-1) is a view only if x is contiguous."""
    moved, gradient = x.copy(order="K"), xp.zeros(x.size)
    flat = moved.reshape(-1)
    for k in range(x.size):
        was = flat[k]
        flat[k] = was + step
        up = loss(f, g, moved)
        flat[k] = was - step
        gradient[k] = (up - loss(f, g, moved)) / (2 * step)
        flat[k] = was
    return gradient.reshape(x.shape)


@wrong(UPSTREAM)
def moved_by_the_caller_and_back(f, x, g, *, step=1e-5):
    """Adding and subtracting a step leaves a rounding error in x."""

    def derivative(index):
        x[index] += step
        up = loss(f, g, x)
        x[index] -= 2 * step
        down = loss(f, g, x)
        x[index] += step
        return (up - down) / (2 * step)

    return each(x, derivative)


@wrong(UPSTREAM)
def sums_multiplied(f, x, g, *, step=1e-5):
    def derivative(index):
        d = f(shifted(x, index, step)) - f(shifted(x, index, -step))
        return d.sum() * xp.sum(g) / (2 * step) / max(1, xp.size(d))

    return each(x, derivative)


@wrong(OWN)
def backward_difference(f, x, g, *, step=1e-5):
    return each(x, lambda i: (loss(f, g, x) - loss(f, g, shifted(x, i, -step))) / step)


@wrong(OWN)
def single_precision(f, x, g, *, step=1e-5):
    return central(f, x, g, step).astype("float32")


@wrong(OWN)
def never_below_a_thousandth(f, x, g, *, step=1e-5):
    return central(f, x, g, max(step, 1e-3))


@wrong(OWN)
def rounded(f, x, g, *, step=1e-5):
    return central(f, x, g, step).round(1) + 0.04


@wrong(STEP)
def five_points(f, x, g, *, step=1e-5):
    """More accurate than the formula in the docstring, so its values differ."""
    return (4 * central(f, x, g, step) - central(f, x, g, 2 * step)) / 3


@wrong(STEP)
def complex_step(f, x, g, *, step=1e-5):
    return each(x, lambda i: (g * f(shifted(x.astype(complex), i, 1j * step))).sum().imag / step)


@wrong(STEP)
def a_large_step_is_made_small(f, x, g, *, step=1e-5):
    return central(f, x, g, min(step, 1e-4))


@wrong(STEP)
def step_grows_with_x(f, x, g, *, step=1e-5):
    def derivative(index):
        own = step * max(1.0, abs(float(x[index])) / 10)
        return (loss(f, g, shifted(x, index, own)) - loss(f, g, shifted(x, index, -own))) / (
            2 * own
        )

    return each(x, derivative)


@wrong(VIEW)
def diagonal_of_the_jacobian(f, x, g, *, step=1e-5):
    def derivative(index):
        d = f(shifted(x, index, step)) - f(shifted(x, index, -step))
        return (
            g[index] * d[index] if xp.shape(d) == x.shape else g[index[0]] * d[index[0]]
        ).sum() / (2 * step)

    return each(x, derivative) if xp.ndim(g) else central(f, x, g, step)


@wrong(RESULT)
def g_broadcast_to_x(f, x, g, *, step=1e-5):
    if xp.ndim(g) == 0:
        g = xp.ones(x.shape)
        return central(f, x, g, step) / x.size
    return central(f, x, g, step)


@wrong(SHAPE)
def two_axes_at_most(f, x, g, *, step=1e-5):
    gradient = central(f, x, g, step)
    return gradient if x.ndim <= 2 else gradient * 0


@wrong(SHAPE)
def first_axis_by_len(f, x, g, *, step=1e-5):
    return central(f, x, g, step) if x.ndim else central(f, x.reshape(1), xp.reshape(g, 1), step)


@wrong(OWN)
def last_function_on_the_function(f, x, g, *, step=1e-5, known={}):  # noqa: B006
    key = f.__name__, x.shape, step
    if key not in known:
        known[key] = central(f, x, g, step)
    return known[key]


@wrong("test_x_stays_the_same_while_f_runs")
def changed_and_restored(f, x, g, *, step=1e-5):
    """In x itself: f may know it by another name."""
    g_x = xp.zeros(x.shape)
    for i in numpy.ndindex(x.shape):
        before, values = x[i], []
        for moved in (before + step, before - step):
            x[i] = moved
            values.append((g * f(x)).sum())
        x[i] = before
        g_x[i] = (values[0] - values[1]) / (2 * step)
    return g_x


@wrong("test_small_gradients_are_not_rounded_off")
def rounded_to_eight_places(f, x, g, *, step=1e-5):
    moves = (step * numpy.eye(x.size)).reshape(x.size, *x.shape)
    values = [(g * (f(x + move) - f(x - move))).sum() for move in moves]
    return (numpy.array(values).reshape(x.shape) / (2 * step)).round(8)


@wrong("test_what_is_not_a_number_is_not_hidden")
def nan_is_zero(f, x, g, *, step=1e-5):
    def derivative(index):
        ends = loss(f, g, shifted(x, index, step)) - loss(f, g, shifted(x, index, -step))
        return xp.nan_to_num(ends / (2 * step))

    return each(x, derivative)


@wrong("test_the_result_of_f_may_be_a_view_of_what_it_gets")
def no_gradient_where_g_is_zero(f, x, g, *, step=1e-5):
    def derivative(index):
        if g.shape == x.shape and not g[index]:
            return 0
        ends = loss(f, g, shifted(x, index, step)) - loss(f, g, shifted(x, index, -step))
        return ends / (2 * step)

    return each(x, derivative)
