"""Solutions of 00a."""

import math

from minires.backend import xp
from tests.course.kinds import right, wrong


@right
def loop(x):
    total = x.dtype.type(0)
    for number in x.ravel():
        total += number * number
    return total


@right
def dot(x):
    return xp.dot(x.ravel(), x.ravel())


@right
def power(x):
    return xp.sum(x**2)


@wrong("test_three_numbers", mistake="sum_first")
def sum_first(x):
    total = xp.sum(x)
    return total * total


@wrong("test_three_numbers", mistake="not_squared")
def doubled_and_halved(x):
    return (2 * x / 2).sum()


@wrong("test_three_numbers", mistake="rooted")
def norm(x):
    return xp.linalg.norm(x)


@wrong("test_all_axes_are_added_up_however_many_there_are", mistake="along_an_axis")
def last_axis(x):
    return xp.einsum("...i,...i->...", x, x)


@wrong("test_three_numbers")
def mean(x):
    return (x * x).mean()


@wrong("test_three_numbers")
def doubled(x):
    return (x * 2).sum()


@wrong("test_negative_numbers_count_as_much")
def signs_kept(x):
    return (x * abs(x)).sum()


@wrong("test_three_numbers")
def first_left_out(x):
    return (x.ravel()[1:] ** 2).sum()


@wrong("test_all_axes_are_added_up_however_many_there_are")
def first_axis(x):
    return (x * x).sum(axis=0)


@wrong("test_three_numbers")
def nothing_given(x):
    (x * x).sum()


@wrong("test_negative_numbers_count_as_much")
def in_place(x):
    x *= x
    return x.sum()


@wrong("test_three_numbers")
def whole_numbers(x):
    return math.floor((x * x).sum()) + 0.25
