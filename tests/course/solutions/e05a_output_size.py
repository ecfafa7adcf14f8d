"""Solutions of 05a."""

import math

from minires.backend import xp
from tests.course.kinds import right, wrong

FIVE, LEFT, BOTH = ("test_a_kernel_of_3_has_3_positions_on_5_pixels", "test_pixels_left_over_at_the_end_make_no_position",
                    "test_the_padding_is_on_both_sides")  # fmt: skip
LONG, APART = "test_a_long_stride_makes_few_positions", "test_down_and_across_are_told_apart"
ONE, LARGER, SHAPE = ("test_a_kernel_as_large_as_the_padded_image_has_one_position", "test_a_larger_kernel_raises_a_value_error",
                      "test_an_array_can_have_this_shape")  # fmt: skip


def refuse(size, kernel, padding):
    if size[0] + 2 * padding[0] < kernel[0] or size[1] + 2 * padding[1] < kernel[1]:
        raise ValueError(f"{kernel} is larger than {size} and its padding")


def places(size, kernel, stride, padding):
    """The places of the window's edge along one axis."""
    return [
        at
        for at in range(size + 2 * padding)
        if at % stride == 0 and at + kernel <= size + 2 * padding
    ]


@right
def counted(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(len(places(*numbers)) for numbers in zip(size, kernel, stride, padding))


@right
def by_floor(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    oh = math.floor((size[0] + 2 * padding[0] - kernel[0]) / stride[0]) + 1
    ow = math.floor((size[1] + 2 * padding[1] - kernel[1]) / stride[1]) + 1
    return oh, ow


@right
def walking(size, kernel, stride, padding):
    counts = []
    for axis in (0, 1):
        end, count = kernel[axis], 0
        while end <= size[axis] + 2 * padding[axis]:
            end, count = end + stride[axis], count + 1
        if not count:
            raise ValueError("no place at all")
        counts.append(count)
    return tuple(counts)


@right
def by_a_range(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(
        len(range(k, s + 2 * p + 1, step)) for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(BOTH, mistake="padding_once")
def one_side(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(
        len(range(0, s + p - k + 1, step)) for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(BOTH, mistake="padding_forgotten")
def no_frame(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    (h, w), (kh, kw), (sh, sw) = size, kernel, stride
    return 1 + (h - kh) // sh, 1 + (w - kw) // sw


@wrong(LEFT, mistake="rounded_up")
def ceiling(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(
        math.ceil((s + 2 * p - k) / step) + 1
        for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(FIVE, mistake="first_place_forgotten")
def steps_only(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(len(places(*numbers)) - 1 for numbers in zip(size, kernel, stride, padding))


@wrong(LONG, mistake="divided_too_late")
def all_in_one_quotient(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(
        int((1 + s - k + 2 * p) / step) for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(LEFT, mistake="stride_forgotten")
def by_one_pixel(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(len(places(s, k, 1, p)) for s, k, p in zip(size, kernel, padding))


@wrong(APART, mistake="one_number_for_both")
def rows_twice(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return (len(places(size[0], kernel[0], stride[0], padding[0])),) * 2


@wrong(APART, mistake="turned")
def columns_first(size, kernel, stride, padding):
    down, across = counted(size, kernel, stride, padding)
    return across, down


@wrong(LARGER, mistake="not_refused")
def whatever_comes_out(size, kernel, stride, padding):
    return tuple(
        math.floor((s + 2 * p - k) / step) + 1
        for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(LARGER)
def only_rows_are_looked_at(size, kernel, stride, padding):
    if kernel[0] > size[0] + 2 * padding[0]:
        raise ValueError
    return whatever_comes_out(size, kernel, stride, padding)


@wrong(ONE, crashes=True)
def refused_without_the_padding(size, kernel, stride, padding):
    if kernel[0] > size[0] or kernel[1] > size[1]:
        raise ValueError("the window is larger than the image")
    return whatever_comes_out(size, kernel, stride, padding)


@wrong(ONE, crashes=True)
def refused_when_as_large(size, kernel, stride, padding):
    if any(k >= s + 2 * p for s, k, p in zip(size, kernel, padding)):
        raise ValueError("the window is too large")
    return whatever_comes_out(size, kernel, stride, padding)


@wrong(LEFT)
def as_same_padding(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(math.ceil((s + 2 * p) / step) for s, step, p in zip(size, stride, padding))


@wrong(LEFT)
def to_the_nearest(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(
        math.floor((s + 2 * p - k) / step + 0.5) + 1
        for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(LEFT)
def not_rounded(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple((s + 2 * p - k) / step + 1 for s, k, step, p in zip(size, kernel, stride, padding))


@wrong(SHAPE)
def floats(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(
        (s + 2.0 * p - k) // step + 1 for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(SHAPE)
def a_list(size, kernel, stride, padding):
    return list(counted(size, kernel, stride, padding))


@wrong(BOTH)
def the_other_sides_padding(size, kernel, stride, padding):
    refuse(size, kernel, padding)
    return tuple(
        (s - 2 * p - k) // step + 1 for s, k, step, p in zip(size, kernel, stride, padding)
    )


@wrong(APART)
def first_stride_for_both(size, kernel, stride, padding):
    return counted(size, kernel, (stride[0], stride[0]), padding)


@wrong(SHAPE)
def an_array(size, kernel, stride, padding):
    return xp.array(counted(size, kernel, stride, padding)) * 1.0
