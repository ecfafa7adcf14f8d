"""Strange solutions of 05a."""

import itertools
from functools import lru_cache

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

APART = "test_down_and_across_are_told_apart"
LARGER, SHAPE = "test_a_larger_kernel_raises_a_value_error", "test_an_array_can_have_this_shape"
PADDED, SMALL = "test_the_padding_may_be_larger_than_the_kernel", "test_every_small_size"


def along(size, kernel, stride, padding):
    """The number of positions along one axis."""
    free = size + 2 * padding - kernel
    if free < 0:
        raise ValueError(f"expected at most {size + 2 * padding} pixels, got {kernel}")
    return free // stride + 1


@right
def recursive(size, kernel, stride, padding):
    def fitting(free, step):
        return 0 if free < 0 else 1 + fitting(free - step, step)

    counts = tuple(
        fitting(s + 2 * p - k, step) for s, k, step, p in zip(size, kernel, stride, padding)
    )
    if 0 in counts:
        raise ValueError(f"no position for {kernel}")
    return counts


@right
def by_arrays(size, kernel, stride, padding):
    size, kernel, stride, padding = map(numpy.array, (size, kernel, stride, padding))
    counts = 1 + numpy.floor_divide(size + 2 * padding - kernel, stride)
    if (counts < 1).any():
        raise ValueError("the kernel is too large")
    return tuple(counts)


@right
def by_divmod(size, kernel, stride, padding):
    def one(s, k, step, p):
        steps, _ = divmod(s + p + p - k, step)
        if steps < 0:
            raise UnicodeError("a ValueError too")
        return -~steps

    return one(size[0], kernel[0], stride[0], padding[0]), one(
        size[1], kernel[1], stride[1], padding[1]
    )


@right
def starts_taken_from_a_generator(size, kernel, stride, padding):
    def starts(s, k, step, p):
        return itertools.takewhile(lambda at: at + k <= s + 2 * p, itertools.count(0, step))

    oh, ow = (sum(1 for _ in starts(*numbers)) for numbers in zip(size, kernel, stride, padding))
    if min(oh, ow) == 0:
        raise ValueError((size, kernel))
    return oh, ow


@right
def by_a_window_view(size, kernel, stride, padding):
    """What NumPy's own windows have: it raises a ValueError of its own."""
    image = numpy.zeros((size[0] + 2 * padding[0], size[1] + 2 * padding[1]), bool)
    seen = numpy.lib.stride_tricks.sliding_window_view(image, tuple(kernel))
    return seen[:: stride[0], :: stride[1]].shape[:2]


class Axis:
    def __init__(self, *numbers):
        self.numbers = numbers

    @property
    def positions(self):
        return along(*self.numbers)


@right
def by_a_class(size, kernel, stride, padding):
    return tuple(axis.positions for axis in map(Axis, size, kernel, stride, padding))


@wrong(LARGER)
def truncated_towards_0(size, kernel, stride, padding):
    counts = tuple(
        int((s + 2 * p - k) / step) + 1 for s, k, step, p in zip(size, kernel, stride, padding)
    )
    if min(counts) < 1:
        raise ValueError
    return counts


@wrong(LARGER)
def asserted(size, kernel, stride, padding):
    assert all(k <= s + 2 * p for s, k, p in zip(size, kernel, padding)), "too large"
    return tuple(map(along, size, kernel, stride, padding))


@wrong(LARGER)
def error_returned(size, kernel, stride, padding):
    try:
        return tuple(map(along, size, kernel, stride, padding))
    except ValueError as error:
        return error


@wrong(LARGER)
def none_instead_of_an_error(size, kernel, stride, padding):
    with_padding = [s + 2 * p for s, p in zip(size, padding)]
    if kernel[0] <= with_padding[0] and kernel[1] <= with_padding[1]:
        return tuple(map(along, size, kernel, stride, padding))
    return None


@wrong(LARGER)
def at_least_one_position(size, kernel, stride, padding):
    return tuple(
        max(1, (s + 2 * p - k) // step + 1) for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(LARGER)
def refused_only_if_larger_both_ways(size, kernel, stride, padding):
    if kernel[0] > size[0] + 2 * padding[0] and kernel[1] > size[1] + 2 * padding[1]:
        raise ValueError
    return at_least_one_position(size, kernel, stride, padding)


@wrong(LARGER)
def refused_by_the_area(size, kernel, stride, padding):
    whole = (size[0] + 2 * padding[0]) * (size[1] + 2 * padding[1])
    if kernel[0] * kernel[1] > whole:
        raise ValueError
    return at_least_one_position(size, kernel, stride, padding)


@wrong(LARGER)
def refused_with_the_larger_padding(size, kernel, stride, padding):
    if any(k > s + 2 * max(padding) for s, k in zip(size, kernel)):
        raise ValueError
    return at_least_one_position(size, kernel, stride, padding)


@wrong(PADDED)
def fast_way_for_1x1_forgets_the_padding(size, kernel, stride, padding):
    if tuple(kernel) == (1, 1):
        return tuple((s - 1) // step + 1 for s, step in zip(size, stride))
    return tuple(map(along, size, kernel, stride, padding))


@wrong(PADDED)
def padding_at_most_half_the_kernel(size, kernel, stride, padding):
    padding = [min(p, k // 2) for p, k in zip(padding, kernel)]
    return tuple(map(along, size, kernel, stride, padding))


@wrong(PADDED)
def starts_only_at_real_pixels(size, kernel, stride, padding):
    """A window that starts behind the last pixel sees padding alone, and still counts."""
    counts = tuple(map(along, size, kernel, stride, padding))
    return tuple(
        min(count, (s + p - 1) // step + 1)
        for count, s, step, p in zip(counts, size, stride, padding)
    )


@wrong(SMALL)
def same_padding_recognised(size, kernel, stride, padding):
    """Half the kernel is said to keep the size, even if the kernel is even."""
    counts = tuple(map(along, size, kernel, stride, padding))
    return tuple(
        -(-s // step) if p == k // 2 else count
        for count, s, k, step, p in zip(counts, size, kernel, stride, padding)
    )


@wrong(SMALL)
def quotient_where_windows_do_not_overlap(size, kernel, stride, padding):
    counts = tuple(map(along, size, kernel, stride, padding))
    return tuple(
        max(1, (s + 2 * p) // step) if step >= k else count
        for count, s, k, step, p in zip(counts, size, kernel, stride, padding)
    )


@wrong(APART)
def one_axis_if_the_kernel_is_square(size, kernel, stride, padding):
    oh, ow = map(along, size, kernel, stride, padding)
    return (oh, oh) if size[0] == size[1] and stride[0] == stride[1] else (oh, ow)


@lru_cache
def remembered(size, kernel, stride):
    return []


@wrong(SMALL)
def remembered_without_the_padding(size, kernel, stride, padding):
    kept = remembered(size, kernel, stride)
    if not kept:
        kept.append(tuple(map(along, size, kernel, stride, padding)))
    return kept[0]


@wrong(SHAPE)
def a_generator(size, kernel, stride, padding):
    counts = tuple(map(along, size, kernel, stride, padding))
    return (count for count in counts)


@wrong(SHAPE)
def an_array_of_ints(size, kernel, stride, padding):
    return xp.array(tuple(map(along, size, kernel, stride, padding)))
