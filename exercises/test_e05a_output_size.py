"""Claims about output_size: how often the window fits, vertically and horizontally."""

import operator

from e05a_output_size import output_size

from minires.course import Check

check = Check("05a")


def test_a_window_of_3_has_3_places_on_5_pixels():
    check.same(output_size, (5, 5), (3, 3), (1, 1), (0, 0))


def test_what_is_left_over_at_the_end_is_no_place():
    check.same(output_size, (8, 8), (3, 3), (2, 2), (0, 0))
    check.same(output_size, (11, 11), (2, 2), (5, 5), (0, 0))


def test_a_long_stride_makes_few_places():
    check.same(output_size, (9, 9), (3, 3), (3, 3), (0, 0))
    check.same(output_size, (4, 4), (1, 1), (7, 7), (0, 0))


def test_the_padding_is_on_both_sides():
    check.same(output_size, (6, 6), (3, 3), (1, 1), (1, 1))
    check.same(output_size, (6, 6), (5, 5), (2, 2), (2, 2))


def test_down_and_across_are_told_apart():
    check.same(output_size, (7, 12), (3, 3), (1, 1), (0, 0))
    check.same(output_size, (9, 9), (2, 5), (1, 1), (0, 0))
    check.same(output_size, (9, 9), (3, 3), (1, 2), (0, 0))
    check.same(output_size, (9, 9), (3, 3), (1, 1), (2, 1))
    check.same(output_size, (7, 12), (3, 4), (2, 3), (1, 2))


def test_a_window_as_large_as_the_padded_image_has_one_place():
    check.same(output_size, (4, 6), (4, 6), (3, 3), (0, 0))
    check.same(output_size, (3, 2), (5, 6), (1, 1), (1, 2))


def test_a_larger_window_is_refused():
    for size, kernel, padding in [
        ((2, 9), (3, 3), (0, 0)),
        ((9, 2), (3, 3), (0, 0)),
        ((2, 3), (5, 5), (1, 1)),
    ]:

        def run(output_size, numbers=(size, kernel, (2, 2), padding)):
            try:
                return str(output_size(*numbers))
            except ValueError:
                return "a ValueError"

        check.experiment(
            run, output_size, f"a window of {kernel} on {size} pixels with a padding of {padding}"
        )


def test_an_array_can_have_this_shape():
    sizes = check.call(output_size, (8, 9), (3, 3), (2, 2), (1, 1))
    check.true(
        isinstance(sizes, tuple), f"expected a tuple of two ints, got a {type(sizes).__name__}"
    )
    for size in sizes:
        check.true(
            hasattr(size, "__index__") and operator.index(size) == size,
            f"expected ints, got {size!r}",
        )
