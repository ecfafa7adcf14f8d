"""Claims about count_parameters: the parameters of a residual network, counted without building it."""

import operator

from e12a_count_parameters import count_parameters

from minires.course import Check

check = Check("12a", tolerance=0)


def test_one_basic_block_by_hand():
    """The stem, 9 * 2 * 4 + 8; two convolutions, 2 * (9 * 4 * 4 + 8); the last layer, 4 * 3 + 3."""
    check.same(count_parameters, "basic", (1,), (4,), in_channels=2, num_classes=3)
    found = check.call(count_parameters, "basic", (1,), (4,), in_channels=2, num_classes=3)
    check.true(found == 80 + 304 + 15, f"expected 80 + 304 + 15 = 399, got {found!r}")


def test_a_stage_has_depth_blocks():
    check.same(count_parameters, "basic", (3,), (5,))
    check.same(count_parameters, "basic", (4,), (5,), shortcut="none")


def test_where_the_channels_change_the_shortcut_is_a_projection():
    check.same(count_parameters, "basic", (1, 2), (4, 7))
    check.same(count_parameters, "basic", (2, 1, 3), (3, 8, 5))
    check.same(count_parameters, "basic", (1, 2, 1, 1, 2), (2, 3, 5, 4, 6))


def test_where_only_the_stride_changes_the_shape_it_is_a_projection_too():
    check.same(count_parameters, "basic", (1, 1), (6, 6))
    check.same(count_parameters, "basic", (2, 2, 2, 1), (5, 5, 9, 9))


def test_other_shortcuts_have_no_parameters():
    check.same(count_parameters, "basic", (2, 2), (4, 7), shortcut="A")
    check.same(count_parameters, "basic", (2, 2), (4, 7), shortcut="none")
    check.same(count_parameters, "bottleneck", (2, 1), (4, 7), shortcut="A")


def test_a_plain_bottleneck():
    check.same(count_parameters, "bottleneck", (1,), (5,), shortcut="none", num_classes=1)
    check.same(count_parameters, "bottleneck", (3,), (5,), shortcut="none")
    check.same(count_parameters, "bottleneck", (2, 3), (5, 3), shortcut="none")


def test_the_first_bottleneck_has_a_projection():
    check.same(count_parameters, "bottleneck", (1,), (5,))
    check.same(count_parameters, "bottleneck", (3,), (5,))


def test_a_bottleneck_may_keep_its_channels_and_have_stride_2():
    check.same(count_parameters, "bottleneck", (2, 2), (6, 6))
    check.same(count_parameters, "bottleneck", (2, 1, 1), (4, 9, 2))


def test_the_stem_depends_on_the_images():
    check.same(count_parameters, "basic", (1,), (4,), stem="imagenet")
    check.same(count_parameters, "basic", (1,), (4,), stem="imagenet", in_channels=1)
    check.same(count_parameters, "bottleneck", (1, 1), (4, 6), stem="imagenet", in_channels=4)


def test_the_last_layer_has_a_bias_per_class():
    check.same(count_parameters, "basic", (1, 1), (3, 5), num_classes=1)
    check.same(count_parameters, "bottleneck", (1, 1), (3, 5), num_classes=17)


def test_the_networks_of_the_paper():
    imagenet = {"stem": "imagenet", "num_classes": 1000}
    for kind, depths, widths, options in [
        ("basic", (2, 2, 2, 2), (64, 128, 256, 512), {}),
        ("basic", (3, 4, 6, 3), (64, 128, 256, 512), imagenet),
        ("bottleneck", (3, 4, 6, 3), (64, 128, 256, 512), imagenet),
        ("bottleneck", (3, 8, 36, 3), (64, 128, 256, 512), imagenet),
        ("basic", (18, 18, 18), (16, 32, 64), {"shortcut": "A"}),
    ]:
        check.same(count_parameters, kind, depths, widths, **options)


def test_figures_that_are_published():
    """Those of torchvision's weights, and the number of this chapter's title."""
    for published, kind, depths, options in [
        (11_173_962, "basic", (2, 2, 2, 2), {}),
        (11_689_512, "basic", (2, 2, 2, 2), {"stem": "imagenet", "num_classes": 1000}),
        (25_557_032, "bottleneck", (3, 4, 6, 3), {"stem": "imagenet", "num_classes": 1000}),
    ]:
        found = check.call(count_parameters, kind, depths, (64, 128, 256, 512), **options)
        check.true(
            found == published,
            f"{kind} blocks {depths} with {options or 'the defaults'}: expected {published:,}, got {found!r}",
        )


def test_counts_may_be_large():
    """No memory would hold the weights of these networks."""
    check.same(count_parameters, "basic", (1, 1), (3_000_000, 4_000_000))
    check.same(count_parameters, "bottleneck", (2, 1), (2_000_000, 1_000_001))
    w = 10**12 + 1  # and no integer of 64 bits these counts, nor a float
    for kind, expected in (
        ("basic", 18 * w * w + 43 * w + 10),
        ("bottleneck", 18 * w * w + 89 * w + 10),
    ):
        found = check.call(count_parameters, kind, (1,), (w,))
        check.true(
            found == expected,
            f"one {kind} block of width {w:,}: expected {expected:,}, got {found!r}",
        )


def test_the_count_is_an_int():
    found = check.call(count_parameters, "basic", (1, 1), (4, 7))
    check.true(
        hasattr(found, "__index__") and operator.index(found) == found,
        f"expected an int, got {found!r}",
    )


def test_depths_and_widths_stay_as_they_were():
    def run(count):
        depths, widths = [2, 1, 3], [4, 9, 2]
        first = count("bottleneck", depths, widths, stem="imagenet")
        again = count("bottleneck", depths, widths, stem="imagenet")
        return {"the count": first, "once more": again, "depths": depths, "widths": widths}

    check.experiment(run, count_parameters, "lists as depths and widths, twice")


def test_no_call_depends_on_the_one_before():
    def run(count):
        calls = [("basic", (1, 2), (4, 7)), ("bottleneck", (1, 2), (4, 7)), ("basic", (2, 1), (4, 7)), ("basic", (1, 2), (7, 4)),
                 ("basic", (1, 2), (4, 7))]  # fmt: skip
        return [count(*call) for call in calls]

    check.experiment(run, count_parameters, "five networks in a row")
