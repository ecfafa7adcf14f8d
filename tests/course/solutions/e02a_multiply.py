"""Solutions of 02a."""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from tests.course.kinds import right, wrong


def shaped(array, other):
    return unbroadcast(array, xp.shape(other))


@right
def helper_for_both(a, b):
    def backward(g):
        return tuple(shaped(g * other, one) for one, other in ((a, b), (b, a)))

    return xp.multiply(a, b), backward


@right
def in_float64(a, b):
    result = a * b

    def backward(g):
        wide = g.astype("float64")
        return shaped((wide * b), a).astype(g.dtype), shaped((wide * a), b).astype(g.dtype)

    return result, backward


@right
def einsum(a, b):
    def backward(g):
        left, right = xp.broadcast_to(b, g.shape), xp.broadcast_to(a, g.shape)
        parts = xp.einsum("...,...->...", g, left), xp.einsum("...,...->...", g, right)
        return shaped(parts[0].astype(g.dtype), a), shaped(parts[1].astype(g.dtype), b)

    return a * b, backward


@wrong("test_each_side_gets_the_gradient_times_the_other", mistake="swapped")
def own_factors(a, b):
    def backward(g):
        g_b, g_a = shaped(xp.multiply(b, g), b), shaped(xp.multiply(g, a), a)
        return g_a, g_b

    return a * b, backward


@wrong("test_each_side_gets_the_gradient_times_the_other", mistake="upstream_ignored")
def bare_slopes(a, b):
    def backward(g):
        return shaped(xp.broadcast_to(b, g.shape).astype(g.dtype), a), shaped(
            xp.broadcast_to(a, g.shape).astype(g.dtype), b
        )

    return a * b, backward


@wrong("test_two_numbers_each", mistake="as_a_sum")
def passed_on(a, b):
    return a * b, lambda g: (shaped(g.copy(), a), shaped(g.copy(), b))


@wrong("test_two_numbers_each", mistake="whole_product")
def by_the_result(a, b):
    result = a * b
    return result, lambda g: (shaped(g * result, a), shaped(result * g, b))


@wrong("test_what_was_broadcast_gets_a_gradient_of_its_own_shape", mistake="stretched")
def no_sum(a, b):
    def backward(g):
        g_a = xp.multiply(b, g)
        g_b = xp.multiply(a, g)
        return g_a, g_b

    return xp.multiply(a, b), backward


@wrong("test_two_numbers_each", mistake="one_side")
def zeros_for_b(a, b):
    return a * b, lambda g: (shaped(b * g, a), shaped(xp.zeros_like(g), b))


@wrong("test_each_side_gets_the_gradient_times_the_other")
def writes_to_g(a, b):
    def backward(g):
        g_b = shaped(g * a, b)
        g *= b
        return shaped(g, a), g_b

    return a * b, backward


@wrong("test_what_was_broadcast_gets_a_gradient_of_its_own_shape")
def summed_over_everything(a, b):
    def backward(g):
        g_b = g * a
        return shaped(g * b, a), g_b if g_b.shape == xp.shape(b) else xp.broadcast_to(
            g_b.sum(), xp.shape(b)
        )

    return a * b, backward


@wrong("test_two_numbers_each")
def list_of_gradients(a, b):
    return a * b, lambda g: [shaped(g * b, a), shaped(g * a, b)]


@wrong("test_two_numbers_each")
def sums(a, b):
    return a + b, lambda g: (shaped(g, a), shaped(g, b))


@wrong("test_two_numbers_each")
def no_backward(a, b):
    return a * b


@wrong("test_each_side_gets_the_gradient_times_the_other")
def in_place(a, b):
    a *= b
    return a, lambda g: (shaped(g * b, a), shaped(g * a / b, b))


@wrong("test_either_may_be_a_plain_number", crashes=True)
def arrays_only(a, b):
    return a * b, lambda g: (unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape))


@wrong("test_each_side_gets_the_gradient_times_the_other")
def float64_gradients(a, b):
    return a * b, lambda g: (shaped(g.astype("float64") * b, a), shaped(g.astype("float64") * a, b))


@wrong("test_what_was_broadcast_gets_a_gradient_of_its_own_shape")
def a_is_read_in_rows(a, b):
    def backward(g):
        shape = xp.shape(a)
        if len(shape) < g.ndim:  # right for new axes alone
            return (g * b).reshape(-1, *shape).sum(axis=0), unbroadcast(g * a, xp.shape(b))
        return unbroadcast(g * b, shape), unbroadcast(g * a, xp.shape(b))

    return a * b, backward
