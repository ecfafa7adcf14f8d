"""Claims about count_multiply_adds: the work of a residual network for one image, counted without running it."""

import operator

from e12b_count_multiply_adds import count_multiply_adds

from minires.course import Check

check = Check("12b", tolerance=0)


def test_one_basic_block_by_hand():
    """On 2 x 3 pixels: the stem, 9 * 2 * 4 * 6; two convolutions, 2 * 9 * 4 * 4 * 6; the linear layer, 4 * 5."""
    sizes = "basic", (1,), (4,), (2, 3)
    check.same(count_multiply_adds, *sizes, in_channels=2, num_classes=5)
    found = check.call(count_multiply_adds, *sizes, in_channels=2, num_classes=5)
    check.true(found == 432 + 1728 + 20, f"expected 432 + 1728 + 20 = 2180, got {found!r}")


def test_height_and_width_are_told_apart():
    check.same(count_multiply_adds, "basic", (1,), (3,), (2, 5))
    check.same(count_multiply_adds, "basic", (1,), (3,), (5, 2))
    check.same(count_multiply_adds, "basic", (1, 1), (3, 3), (4, 8), shortcut="A")


def test_a_stage_has_depth_blocks():
    check.same(count_multiply_adds, "basic", (3,), (5,), (4, 4), shortcut="none")


def test_a_later_stage_halves_the_map_in_its_first_convolution():
    check.same(count_multiply_adds, "basic", (1, 1), (4, 7), (8, 8), shortcut="none")
    check.same(count_multiply_adds, "basic", (2, 3, 2), (4, 7, 5), (8, 16), shortcut="A")
    check.same(count_multiply_adds, "basic", (1, 2, 1, 1, 2), (2, 3, 5, 4, 6), (32, 16))


def test_a_projection_computes_every_second_pixel():
    check.same(count_multiply_adds, "basic", (1, 1), (4, 7), (8, 8))
    check.same(count_multiply_adds, "basic", (1, 1), (6, 6), (8, 8))


def test_a_plain_bottleneck():
    check.same(count_multiply_adds, "bottleneck", (1,), (5,), (4, 6), shortcut="none")
    check.same(count_multiply_adds, "bottleneck", (3,), (5,), (4, 6), shortcut="none")


def test_the_3x3_of_a_bottleneck_has_the_stride():
    check.same(count_multiply_adds, "bottleneck", (1, 1), (5, 5), (8, 4), shortcut="none")
    check.same(count_multiply_adds, "bottleneck", (2, 2), (5, 3), (8, 4), shortcut="A")


def test_the_first_bottleneck_has_a_projection():
    check.same(count_multiply_adds, "bottleneck", (1,), (5,), (4, 6))
    check.same(count_multiply_adds, "bottleneck", (2, 2), (5, 3), (8, 4))


def test_the_stem_of_imagenet_halves_twice():
    check.same(count_multiply_adds, "basic", (1,), (4,), (32, 64), stem="imagenet")
    check.same(
        count_multiply_adds, "basic", (1, 1), (4, 6), (32, 64), stem="imagenet", in_channels=1
    )


def test_odd_sizes_round_up():
    check.same(count_multiply_adds, "basic", (1, 2), (4, 7), (7, 7), shortcut="none")
    check.same(count_multiply_adds, "basic", (1, 1, 1), (4, 7, 3), (5, 9))
    check.same(count_multiply_adds, "bottleneck", (1, 1, 1), (4, 7, 3), (11, 6), stem="imagenet")


def test_a_pixel_stays_a_pixel():
    check.same(count_multiply_adds, "basic", (1, 1, 1), (4, 7, 3), (1, 1))
    check.same(count_multiply_adds, "bottleneck", (1, 1), (4, 7), (1, 3), stem="imagenet")


def test_the_linear_layer_gets_one_number_per_channel():
    check.same(count_multiply_adds, "basic", (1,), (3,), (4, 4), num_classes=1)
    check.same(count_multiply_adds, "bottleneck", (1,), (3,), (4, 4), num_classes=17)


def test_the_networks_of_the_paper():
    imagenet = {"stem": "imagenet", "num_classes": 1000}
    for kind, depths, widths, size, options in [
        ("basic", (2, 2, 2, 2), (64, 128, 256, 512), (32, 32), {}),
        ("basic", (3, 4, 6, 3), (64, 128, 256, 512), (224, 224), imagenet),
        ("bottleneck", (3, 4, 6, 3), (64, 128, 256, 512), (224, 224), imagenet),
        ("bottleneck", (3, 8, 36, 3), (64, 128, 256, 512), (320, 256), imagenet),
        ("basic", (18, 18, 18), (16, 32, 64), (32, 32), {"shortcut": "A"}),
    ]:
        check.same(count_multiply_adds, kind, depths, widths, size, **options)


def test_counts_may_be_large():
    """No memory would hold the weights of these networks."""
    check.same(count_multiply_adds, "basic", (1, 1), (3_000_000, 4_000_000), (4, 5))
    check.same(count_multiply_adds, "bottleneck", (2, 1), (2_000_000, 1_000_001), (4, 5))
    w = 10**12 + 1  # and no integer of 64 bits these counts, nor a float
    for kind, expected in ("basic", 270 * w * w + 415 * w), ("bottleneck", 270 * w * w + 445 * w):
        found = check.call(count_multiply_adds, kind, (1,), (w,), (3, 5))
        check.true(
            found == expected,
            f"one {kind} block of width {w:,}, 3x5 pixels: expected {expected:,}, got {found!r}",
        )


def test_the_count_is_an_int():
    found = check.call(count_multiply_adds, "basic", (1, 1), (4, 7), (6, 7))
    check.true(
        hasattr(found, "__index__") and operator.index(found) == found,
        f"expected an int, got {found!r}",
    )


def test_lists_stay_as_they_were():
    def run(count):
        lists = [2, 1, 3], [4, 9, 2], [9, 7]
        first, again = (count("bottleneck", *lists, stem="imagenet") for _ in range(2))
        return {"the count": first, "once more": again, "depths, widths and size": lists}

    check.experiment(run, count_multiply_adds, "lists as depths, widths and size, twice")


def test_no_call_depends_on_the_one_before():
    def run(count):
        calls = [("basic", (1, 2), (4, 7), (8, 8)), ("basic", (1, 2), (4, 7), (8, 6)), ("basic", (1, 2), (4, 7), (3, 16)), ("bottleneck", (1, 2), (4, 7), (8, 6)),
                 ("basic", (2, 1), (4, 7), (8, 6)), ("basic", (1, 2), (7, 4), (6, 8)), ("basic", (1, 2), (4, 7), (8, 8))]  # fmt: skip
        return [count(*call) for call in calls]

    check.experiment(run, count_multiply_adds, "seven calls in a row")
