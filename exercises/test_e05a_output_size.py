"""Claims about output_size: how often the window fits, vertically and horizontally."""

import operator

from e05a_output_size import output_size

from minires.course import Check

check = Check("05a")


def test_a_kernel_of_3_has_3_positions_on_5_pixels():
    check.same(output_size, (5, 5), (3, 3), (1, 1), (0, 0))


def test_pixels_left_over_at_the_end_make_no_position():
    check.same(output_size, (8, 8), (3, 3), (2, 2), (0, 0))
    check.same(output_size, (11, 11), (2, 2), (5, 5), (0, 0))


def test_a_long_stride_makes_few_positions():
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


def test_a_kernel_as_large_as_the_padded_image_has_one_position():
    check.same(output_size, (4, 6), (4, 6), (3, 3), (0, 0))
    check.same(output_size, (3, 2), (5, 6), (1, 1), (1, 2))


def test_a_larger_kernel_raises_a_value_error():
    for size, kernel, padding in [
        ((2, 9), (3, 3), (0, 0)),
        ((9, 2), (3, 3), (0, 0)),
        ((2, 3), (5, 5), (1, 1)),
        ((2, 9), (3, 3), (0, 1)),
        ((9, 2), (3, 3), (1, 0)),
        ((9, 1), (3, 9), (1, 1)),
    ]:

        def run(output_size, numbers=(size, kernel, (2, 2), padding)):
            try:
                return str(output_size(*numbers))
            except ValueError:
                return "a ValueError"
            except NotImplementedError:  # the placeholder
                raise
            except Exception as error:
                return f"a {type(error).__name__}"

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


def test_the_padding_may_be_larger_than_the_kernel():
    check.same(output_size, (5, 5), (1, 1), (2, 2), (1, 1))
    check.same(output_size, (4, 5), (2, 2), (3, 3), (3, 4))


def test_every_small_size():
    """Both axes at once, the second with the same numbers in a different order."""
    numbers = [(s, k, step, p) for s in range(1, 8) for k in range(1, 5) for step in range(1, 5) for p in range(3)
               if k <= s + 2 * p]  # fmt: skip
    pairs = [tuple(zip(*both)) for both in zip(numbers, numbers[5:] + numbers[:5])]

    def run(output_size):
        return {
            f"output_size({', '.join(map(str, pair))})": tuple(output_size(*pair)) for pair in pairs
        }

    check.experiment(run, output_size, "sizes from 1 to 7, kernels and strides from 1 to 4")
