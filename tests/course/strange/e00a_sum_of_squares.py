"""Strange solutions of 00a."""

import math
from functools import reduce

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong


@right
def exactly_rounded(x):
    return math.fsum(number * number for number in x.ravel().tolist())


@right
def axis_after_axis(x):
    """By recursion: a number is an array without axes."""
    if x.ndim == 0:
        return x * x
    return sum((axis_after_axis(xp.asarray(part)) for part in x), start=xp.zeros((), x.dtype))


@right
def all_axes_contracted(x):
    return xp.tensordot(x, x, axes=x.ndim)


@right
def length_squared(x):
    return xp.linalg.norm(x.ravel()) ** 2


@right
def into_an_own_array(x):
    squares = xp.empty_like(x)
    xp.multiply(x, x, out=squares)
    return xp.add.reduce(squares, axis=None)


@right
def folded(x):
    return reduce(lambda total, number: total + number * number, x.flat, x.dtype.type(0))


class Total:
    """A sum that grows, made for each call."""

    def __init__(self):
        self.value = 0.0

    def add(self, number):
        self.value += float(number) ** 2
        return self


@right
def object_with_a_total(x):
    total = Total()
    for number in numpy.nditer(x, flags=["zerosize_ok"]):
        total.add(number)
    return total.value


@wrong("test_all_axes_are_added_up_however_many_there_are")
def a_number_has_nothing_to_add(x):
    return x if x.ndim == 0 else (x * x).sum()


@wrong("test_all_axes_are_added_up_however_many_there_are", crashes=True)
def rows_first(x):
    return sum((row * row).sum() for row in x)


@wrong("test_all_axes_are_added_up_however_many_there_are", crashes=True)
def length_needed(x):
    return sum(x.reshape(len(x), -1)[i] @ x.reshape(len(x), -1)[i] for i in range(len(x)))


@wrong("test_equal_numbers_all_count")
def each_value_once(x):
    return sum(number * number for number in set(x.ravel().tolist()))


@wrong("test_many_numbers")
def three_digits(x):
    return float(f"{(x * x).sum():.3g}")


@wrong("test_many_numbers")
def in_half_precision(x):
    return (x * x).sum(dtype="float16")


@wrong("test_many_numbers")
def all_pairs(x):
    return xp.inner(x, x).sum() if x.ndim == 3 else (x * x).sum()


@wrong("test_an_empty_array_has_the_sum_0")
def mean_times_size(x):
    with xp.errstate(all="ignore"):
        return xp.asarray(x * x).sum() / x.size * x.size


@wrong("test_an_empty_array_has_the_sum_0")
def none_if_there_is_none(x):
    return (x * x).sum() if x.size else None


@wrong("test_negative_numbers_count_as_much")
def negative_ones_cut_off(x):
    return (xp.maximum(x, 0) ** 2).sum()


@wrong("test_three_numbers")
def an_array_of_one(x):
    return (x * x).sum(keepdims=True).ravel()


@wrong("test_three_numbers")
def out_is_x(x):
    return xp.square(x, out=x).sum()


@wrong("test_three_numbers")
def sum_goes_on(x):
    sum_goes_on.total = getattr(sum_goes_on, "total", 0.0) + (x * x).sum()
    return sum_goes_on.total


@wrong("test_equal_numbers_all_count")
def remembered_by_shape(x, seen={}):  # noqa: B006
    if x.shape not in seen:
        seen[x.shape] = (x * x).sum()
    return seen[x.shape]


@wrong("test_many_numbers")
def a_little_more(x):
    return (x * x + 1e-6).sum()


@wrong("test_all_axes_are_added_up_however_many_there_are")
def known_arrays(x):
    known = {(1.0, 2.0, 3.0): 14.0, (1.0, -2.0, 0.5, -4.0): 21.25}
    return known.get(tuple(x.ravel().tolist()), 0.0)


@wrong("test_all_axes_are_added_up_however_many_there_are")
def two_axes_at_most(x):
    return (x * x).sum() if x.ndim < 3 else (x * x).sum(axis=(1, 2))


@wrong("test_infinity_and_nan_are_not_left_out")
def nan_left_out(x):
    return xp.nansum(x * x)


@wrong("test_infinity_and_nan_are_not_left_out")
def only_finite_ones(x):
    return (x[xp.isfinite(x)] ** 2).sum()


@wrong("test_many_numbers")
def a_thousand_at_most(x):
    return (x.ravel()[:1000] ** 2).sum()


@wrong("test_tiny_numbers_are_not_rounded_off")
def rounded_to_nine_places(x):
    return round(float((x * x).sum()), 9)


@wrong("test_three_numbers")
def a_matrix_of_one_number(x):
    return numpy.asmatrix((x * x).sum())


@wrong("test_tiny_numbers_are_not_rounded_off")
def below_the_rounding_error_is_zero(x):
    return xp.where(xp.abs(x) < xp.finfo(x.dtype).eps, 0, x * x).sum()
