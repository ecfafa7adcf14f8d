"""Solutions of 04a."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def total(values, axis):
    return xp.sum(values, axis=axis, keepdims=True)


def stable(x, axis):
    top = xp.max(x, axis=axis, keepdims=True)
    return x - top - xp.log(total(xp.exp(x - top), axis))


@right
def by_the_jacobian(x, *, axis=-1):
    y = stable(x, axis)
    p = xp.moveaxis(xp.exp(y), axis, -1)

    def backward(g):
        slopes = xp.eye(p.shape[-1]) - p[..., None, :]  # dy[i] / dx[j]
        g_x = xp.einsum("...i,...ij->...j", xp.moveaxis(g, axis, -1), slopes)
        return (xp.moveaxis(g_x, -1, axis).astype(x.dtype),)

    return y, backward


@right
def line_by_line(x, *, axis=-1):
    lines = xp.moveaxis(x, axis, -1)
    y, p = xp.empty_like(lines), xp.empty_like(lines)
    for index in xp.ndindex(lines.shape[:-1]):
        line = lines[index].astype("float64")
        powers = xp.exp(line - line.max())
        p[index] = powers / powers.sum()
        y[index] = line - line.max() - xp.log(powers.sum())

    def backward(g):
        return (g - xp.moveaxis(p, -1, axis) * total(g, axis),)

    return xp.ascontiguousarray(xp.moveaxis(y, -1, axis)), backward


@right
def by_logaddexp(x, *, axis=-1):
    y = x - xp.logaddexp.reduce(x, axis=axis, keepdims=True)
    return y, lambda g: (g - total(g, axis) * xp.exp(y),)


@wrong("test_a_thousand_does_not_overflow", mistake="nothing_taken_off")
def naive(x, *, axis=-1):
    p = xp.exp(x)
    y = x - xp.log(total(p, axis))

    def backward(g):
        return (g - p / total(p, axis) * total(g, axis),)

    return y, backward


@wrong("test_elements_of_a_row_may_be_a_thousand_apart", mistake="log_of_softmax")
def two_steps(x, *, axis=-1):
    p = xp.exp(stable(x, axis))
    return xp.log(p), lambda g: (g - p * total(g, axis),)


@wrong("test_rows_may_be_a_thousand_apart", mistake="largest_of_all")
def one_top(x, *, axis=-1):
    top = xp.max(x)
    y = (x - top) - xp.log(total(xp.exp(x - top), axis))
    return y, lambda g: (g - xp.exp(y) * total(g, axis),)


@wrong("test_one_row_is_right", mistake="softmax_given")
def no_logarithm(x, *, axis=-1):
    powers = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    p = powers / total(powers, axis)
    return p, lambda g: (g - p * total(g, axis),)


@wrong("test_axis_may_be_any", mistake="axis_left_out")
def last_axis(x, *, axis=-1):
    y = stable(x, x.ndim - 1)
    return y, lambda g: (g - xp.exp(y) * g.sum(axis=x.ndim - 1, keepdims=True),)


@wrong("test_each_row_has_its_own_sum", mistake="over_everything")
def flat(x, *, axis=-1):
    y = stable(x.reshape(-1), 0).reshape(x.shape)
    return y, lambda g: (g - xp.exp(y) * g.sum(),)


@wrong("test_one_row_is_right", mistake="sum_of_g_left_out")
def g_without_its_sum(x, *, axis=-1):
    y = stable(x, axis)
    return y, lambda g: (-xp.exp(y) + g,)


@wrong("test_one_row_is_right", mistake="own_y_only")
def diagonal(x, *, axis=-1):
    y = stable(x, axis)
    return y, lambda g: (g - g * xp.exp(y),)


@wrong("test_one_row_is_right", mistake="of_softmax")
def through_softmax(x, *, axis=-1):
    y = stable(x, axis)

    def backward(g):
        g = g * xp.exp(y)
        return (g - xp.exp(y) * total(g, axis),)

    return y, backward


@wrong("test_each_row_has_its_own_sum", mistake="g_summed_over_everything")
def one_sum_of_g(x, *, axis=-1):
    y = stable(x, axis)
    return y, lambda g: (g - xp.sum(g) * xp.exp(y),)


@wrong("test_one_row_is_right", mistake="g_as_it_is")
def a_constant_norm(x, *, axis=-1):
    return stable(x, axis), lambda g: (xp.array(g),)


@wrong("test_one_row_is_right")
def writes_to_x(x, *, axis=-1):
    x -= x.max(axis=axis, keepdims=True)
    y = x - xp.log(total(xp.exp(x), axis))
    return y, lambda g: (g - xp.exp(y) * total(g, axis),)


@wrong("test_one_row_is_right")
def writes_to_g(x, *, axis=-1):
    y = stable(x, axis)

    def backward(g):
        g -= xp.exp(y) * total(g, axis)
        return (g,)

    return y, backward


@wrong("test_one_row_is_right")
def upstream_ignored(x, *, axis=-1):
    y = stable(x, axis)
    return y, lambda g: (1 - y.shape[axis] * xp.exp(y) + 0 * g,)


@wrong("test_one_row_is_right")
def mean_of_g(x, *, axis=-1):
    y = stable(x, axis)
    return y, lambda g: (g - xp.exp(y) * g.mean(axis=axis, keepdims=True),)


@wrong("test_one_row_is_right")
def to_the_base_2(x, *, axis=-1):
    y = stable(x, axis)
    return y / 0.6931471805599453, lambda g: (g - xp.exp(y) * total(g, axis),)


@wrong("test_one_row_is_right")
def float64_given(x, *, axis=-1):
    y = stable(x.astype("float64"), axis)
    return y, lambda g: (g - xp.exp(y) * total(g, axis),)


@wrong("test_elements_of_a_row_may_be_a_thousand_apart")
def a_small_number_against_log_of_0(x, *, axis=-1):
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    y = xp.log(powers / total(powers, axis) + 1e-30)
    return y, lambda g: (g - xp.exp(y) * total(g, axis),)


@wrong("test_each_row_has_its_own_sum")
def largest_of_each_column(x, *, axis=-1):
    top = x.max(axis=0, keepdims=True)
    y = x - top - xp.log(total(xp.exp(x - top), axis))
    return y, lambda g: (g - xp.exp(y) * total(g, axis),)
