"""Solutions of 02h: mended ones, and ones that were mended in the wrong place."""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from tests.course.kinds import right, wrong


def op(a, b, g_a, g_b):
    return a / b, lambda g: (unbroadcast(g_a(g), a.shape), unbroadcast(g_b(g), b.shape))


@right
def by_a_power(a, b):
    return op(a, b, lambda g: g / b, lambda g: -g * a / b**2)


@right
def by_the_quotient(a, b):
    quotient = a / b
    return op(a, b, lambda g: g / b, lambda g: -g / b * quotient)


@right
def by_the_inverse(a, b):
    inverse = 1 / b
    return a * inverse, lambda g: (
        unbroadcast(g * inverse, a.shape),
        -unbroadcast(g * a * inverse * inverse, b.shape),
    )


@wrong("test_two_numbers_each", mistake="sign_lost")
def no_minus(a, b):
    return op(a, b, lambda g: g / b, lambda g: g * a / b**2)


@wrong("test_both_gradients_are_right", mistake="numerator_lost")
def of_one_over_b(a, b):
    return op(a, b, lambda g: g / b, lambda g: -g * b**-2.0)


@wrong("test_both_gradients_are_right", mistake="not_squared")
def one_division(a, b):
    return op(a, b, lambda g: g / b, lambda g: g * -(a / b))


@wrong("test_what_was_broadcast_gets_a_gradient_of_its_own_shape", mistake="stretched")
def not_summed(a, b):
    def backward(g):
        g_a = unbroadcast(g / b, a.shape)
        return g_a, -(g * a) / b / b

    return xp.divide(a, b), backward


@wrong("test_both_gradients_are_right")
def as_found(a, b):
    return op(a, b, lambda g: g / b, lambda g: -g * a)


@wrong("test_both_gradients_are_right")
def the_other_line_mended(a, b):
    return op(a, b, lambda g: g * b, lambda g: -g * a / b * b)


@wrong("test_both_gradients_are_right")
def swapped(a, b):
    return a / b, lambda g: (unbroadcast(-g * a / b**2, a.shape), unbroadcast(g / b, b.shape))


@wrong("test_both_gradients_are_right")
def upstream_ignored(a, b):
    return op(a, b, lambda g: 0 * g + 1 / b, lambda g: 0 * g - a / b**2)


@wrong("test_two_numbers_each")
def the_result_mended(a, b):
    return a / b * b, lambda g: (unbroadcast(g / b, a.shape), unbroadcast(-g * a / b**2, b.shape))


@wrong("test_both_gradients_are_right")
def cubed(a, b):
    return op(a, b, lambda g: g / b, lambda g: -g * a / b**3)
