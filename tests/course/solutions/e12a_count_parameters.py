"""Solutions of 12a."""

import itertools
import math

from minires.backend import xp
from tests.course.kinds import right, wrong

ONE, DEPTH = "test_one_basic_block_by_hand", "test_a_stage_has_depth_blocks"
CHANNELS = "test_where_the_channels_change_the_shortcut_is_a_projection"
STRIDE = "test_where_only_the_stride_changes_the_shape_it_is_a_projection_too"
OTHERS, PLAIN = "test_other_shortcuts_have_no_parameters", "test_a_plain_bottleneck"
FIRST, KEPT = (
    "test_the_first_bottleneck_has_a_projection",
    "test_a_bottleneck_may_keep_its_channels_and_have_stride_2",
)
STEM, LARGE = "test_the_stem_depends_on_the_images", "test_counts_may_be_large"


def layers(kind, depths, widths, in_channels=3, stem="cifar", shortcut="B"):
    """(kernel, channels in, channels out) of each convolution."""
    channels = widths[0]
    yield 7 if stem == "imagenet" else 3, in_channels, channels
    for stage, depth in enumerate(depths):
        width = widths[stage]
        for i in range(depth):
            branch = {"basic": [(3, channels, width), (3, width, width)],
                      "bottleneck": [(1, channels, width), (3, width, width), (1, width, 4 * width)]}[kind]  # fmt: skip
            yield from branch
            out = branch[-1][-1]
            if shortcut == "B" and (channels != out or (stage and not i)):
                yield 1, channels, out
            channels = out


def last_channels(kind, widths):
    return widths[-1] * {"basic": 1, "bottleneck": 4}[kind]


@right
def from_a_list_of_layers(
    kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    found = layers(kind, depths, widths, in_channels, stem, shortcut)
    total = sum(k**2 * c * f + 2 * f for k, c, f in found)
    return total + num_classes * (1 + last_channels(kind, widths))


@right
def stage_by_stage(
    kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    """The blocks of a stage after the first are equal."""
    e = 1 if kind == "basic" else 4

    def block(c, w):
        if e == 1:
            return 9 * c * w + 9 * w * w + 4 * w
        return c * w + 9 * w * w + 4 * w * w + 4 * w + 8 * w

    c = widths[0]
    total = (49 if stem == "imagenet" else 9) * in_channels * c + 2 * c
    for number, (depth, w) in enumerate(zip(depths, widths)):
        total += block(c, w) + (depth - 1) * block(e * w, w)
        if shortcut == "B" and (number != 0 or c != e * w):
            total += (c + 2) * e * w
        c = e * w
    return total + c * num_classes + num_classes


@right
def by_shapes(kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"):
    shapes = []
    for k, c, f in layers(kind, depths, widths, in_channels, stem, shortcut):
        shapes += [(k, k, c, f), (f,), (f,)]
    shapes += [(last_channels(kind, widths), num_classes), (num_classes,)]
    return sum(map(math.prod, shapes))


def base(conv, last_bias=True, options=(), finished=None):
    """A solution whose convolutions count conv(kernel, c, f), of the layers with other options."""

    def counted(kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"):
        given = {"in_channels": in_channels, "stem": stem, "shortcut": shortcut, **dict(options)}
        total = sum(conv(*layer) for layer in layers(kind, depths, widths, **given))
        total += num_classes * (last_channels(kind, widths) + last_bias)
        return total if finished is None else finished(total)

    return counted


def right_conv(k, c, f):
    return f * (k * k * c + 2)


one_per_channel = wrong(ONE, mistake="norm_of_one")(base(lambda k, c, f: f * (k * k * c + 1)))
four_per_channel = wrong(ONE, mistake="norm_with_statistics")(
    base(lambda k, c, f: f * (k * k * c + 4))
)
weights_only = wrong(ONE, mistake="norms_forgotten")(base(lambda k, c, f: math.prod((k, k, c, f))))
weight_bias_norm = wrong(ONE, mistake="with_biases")(
    base(lambda k, c, f: (k * k * c + 1) * f + 2 * f)
)
no_bias_at_the_end = wrong(ONE, mistake="last_bias_forgotten")(base(right_conv, last_bias=False))
projects_whatever_is_said = wrong(OTHERS, mistake="any_shortcut_projects")(
    base(right_conv, options={"shortcut": "B"})
)
channels_alone = wrong(ONE)(base(lambda k, c, f: k * c * f + 2 * f))
halved = wrong(ONE)(base(right_conv, finished=lambda total: total // 2))
a_float = wrong("test_the_count_is_an_int")(
    base(right_conv, finished=lambda total: total + 0.5 - 0.5)
)
a_text = wrong(ONE)(base(right_conv, finished=str))
an_array = wrong(ONE)(base(right_conv, finished=lambda total: xp.array([total])))
in_int32 = wrong(LARGE)(base(right_conv, finished=lambda total: (total + 2**31) % 2**32 - 2**31))
in_float32 = wrong(LARGE)(base(right_conv, finished=lambda total: int(xp.float32(total))))
always_three_colours = wrong(STEM)(base(right_conv, options={"in_channels": 3}))
always_a_small_stem = wrong(STEM)(base(right_conv, options={"stem": "cifar"}))
never_projects = wrong(CHANNELS)(base(right_conv, options={"shortcut": "none"}))


@wrong(ONE, mistake="stem_norm_forgotten")
def the_stem_bare(kind, depths, widths, **options):
    return from_a_list_of_layers(kind, depths, widths, **options) - 2 * widths[0]


@wrong(FIRST, mistake="projected_by_stride")
def later_stages_project(kind, depths, widths, *, shortcut="B", **options):
    total = from_a_list_of_layers(kind, depths, widths, shortcut=shortcut, **options)
    if shortcut != "B" or kind == "basic":
        return total
    return total - widths[0] * 4 * widths[0] - 2 * 4 * widths[0]


@wrong(STRIDE, mistake="projected_by_channels")
def equal_channels_are_added(kind, depths, widths, *, shortcut="B", **options):
    total = from_a_list_of_layers(kind, depths, widths, shortcut=shortcut, **options)
    e = 1 if kind == "basic" else 4
    for c, f in itertools.pairwise(widths):
        if c == f and shortcut == "B":
            total -= (e * c) * (e * f) + 2 * e * f
    return total


@wrong(ONE, mistake="projected_in_each_stage")
def the_first_of_all_too(kind, depths, widths, *, shortcut="B", **options):
    total = from_a_list_of_layers(kind, depths, widths, shortcut=shortcut, **options)
    if kind == "basic" and shortcut == "B":
        total += widths[0] ** 2 + 2 * widths[0]
    return total


@wrong(CHANNELS, mistake="projection_without_norm")
def bare_projections(
    kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    given = {"in_channels": in_channels, "num_classes": num_classes, "stem": stem}
    total = from_a_list_of_layers(kind, depths, widths, shortcut=shortcut, **given)
    e = 1 if kind == "basic" else 4
    projecting = widths if e == 4 else widths[1:]
    return total - (2 * e * sum(projecting) if shortcut == "B" else 0)


@wrong(PLAIN, mistake="expansion_forgotten")
def as_narrow_as_in_the_middle(
    kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    if kind == "basic":
        return stage_by_stage(kind, depths, widths, in_channels=in_channels, num_classes=num_classes,
                              stem=stem, shortcut=shortcut)  # fmt: skip
    c = widths[0]
    total = right_conv(7 if stem == "imagenet" else 3, in_channels, c)
    for stage, (depth, w) in enumerate(zip(depths, widths)):
        for i in range(depth):
            total += right_conv(1, c, w) + right_conv(3, w, w) + right_conv(1, w, w)
            if shortcut == "B" and ((stage > 0 and i == 0) or c != w):
                total += right_conv(1, c, w)
            c = w
    return total + (c + 1) * num_classes


@wrong(PLAIN, mistake="width_handed_on")
def four_times_forgotten_by_the_next(
    kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    e = 1 if kind == "basic" else 4
    c = widths[0]
    total = right_conv(7 if stem == "imagenet" else 3, in_channels, c)
    for stage, depth in enumerate(depths):
        w = widths[stage]
        for i in range(depth):
            total += right_conv(3, c, w) + right_conv(3, w, w) if e == 1 else 0
            total += (
                right_conv(1, c, w) + right_conv(3, w, w) + right_conv(1, w, 4 * w) if e == 4 else 0
            )
            if shortcut == "B" and ((stage and not i) or c != e * w):
                total += right_conv(1, c, e * w)
            c = w
    return total + (c + 1) * num_classes


@wrong(PLAIN, mistake="narrow_last_layer")
def a_narrow_end(kind, depths, widths, *, num_classes=10, **options):
    total = from_a_list_of_layers(kind, depths, widths, num_classes=num_classes, **options)
    return total - (last_channels(kind, widths) - widths[-1]) * num_classes


@wrong(DEPTH)
def one_block_per_stage(kind, depths, widths, **options):
    return from_a_list_of_layers(kind, [1] * len(depths), widths, **options)


@wrong(CHANNELS)
def every_block_from_its_width(
    kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    """A stage's first block is counted as if its channels were already those of the stage."""
    total = from_a_list_of_layers(kind, depths, widths, in_channels=in_channels, stem=stem, shortcut=shortcut,
                                  num_classes=num_classes)  # fmt: skip
    e = 1 if kind == "basic" else 4
    for c, w in itertools.pairwise(widths):
        total += (9 if e == 1 else 1) * e * (w - c) * w
    return total


@wrong(PLAIN)
def bottlenecks_as_basic(kind, depths, widths, **options):
    return from_a_list_of_layers("basic", depths, widths, **options)


@wrong(KEPT)
def projections_counted_from_the_width(kind, depths, widths, *, shortcut="B", **options):
    """The projection of a later bottleneck stage is taken to start at the width before, not at four times it."""
    total = from_a_list_of_layers(kind, depths, widths, shortcut=shortcut, **options)
    if kind == "bottleneck" and shortcut == "B":
        total -= sum(3 * c * 4 * w for c, w in itertools.pairwise(widths))
    return total


for name, solution in list(
    globals().items()
):  # those made by a function get the name they have here
    if hasattr(solution, "kind"):
        solution.__name__ = name
del name, solution
