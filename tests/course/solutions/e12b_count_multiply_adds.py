"""Solutions of 12b."""

import math

from tests.course.kinds import right, wrong

ONE, APART = "test_one_basic_block_by_hand", "test_height_and_width_are_told_apart"
LATER = "test_a_later_stage_halves_the_map_in_its_first_convolution"
PROJECTS, ODD = "test_a_projection_computes_every_second_pixel", "test_odd_sizes_round_up"
MIDDLE = "test_the_3x3_of_a_bottleneck_has_the_stride"
STEM, LINEAR = (
    "test_the_stem_of_imagenet_halves_twice",
    "test_the_linear_layer_gets_one_number_per_channel",
)
PLAIN, LARGE = "test_a_plain_bottleneck", "test_counts_may_be_large"


def layers(
    kind,
    depths,
    widths,
    in_channels=3,
    stem="cifar",
    shortcut="B",
    after=False,
    project=True,
    forward=False,
):
    """(kernel, channels in, channels out, halvings of the map that comes in, of the map that goes out) of each convolution.

    after  a bottleneck's 1x1 is computed after the stride    forward  nothing but the end of a block is
    """
    e = {"basic": 1, "bottleneck": 4}[kind]
    channels, level = widths[0], 0 if stem == "cifar" else 1
    yield 7 if level else 3, in_channels, channels, 0, level
    level *= 2
    for stage, (depth, width) in enumerate(zip(depths, widths)):
        for i in range(depth):
            first, out = level, e * width
            level += stage > 0 and i == 0
            inner = first if forward else level
            if kind == "basic":
                yield 3, channels, width, first, inner
                yield 3, width, width, inner, inner
            else:
                yield 1, channels, width, first, level if after else first
                yield 3, width, width, level if after else first, inner
                yield 1, width, out, inner, inner
            if shortcut == "B" and project and (channels != out or level != first):
                yield 1, channels, out, first, level
            channels = out


def pixels(size, level):
    return math.prod(-(-int(side) // 2**level) for side in size)


def work(found, size, at=-1):
    return sum(k * k * c * f * pixels(size, halvings[at]) for k, c, f, *halvings in found)


def last(kind, widths):
    return widths[-1] * {"basic": 1, "bottleneck": 4}[kind]


@right
def from_a_list_of_layers(
    kind, depths, widths, size, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    found = layers(kind, depths, widths, in_channels, stem, shortcut)
    return work(found, size) + last(kind, widths) * num_classes


@right
def by_the_formula_of_the_output(
    kind, depths, widths, size, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    """floor((size + 2 padding - kernel) / stride) + 1, layer by layer."""

    def slid(map, kernel, stride):
        return tuple((side + 2 * (kernel // 2) - kernel) // stride + 1 for side in map)

    kernel, stride = (7, 2) if stem == "imagenet" else (3, 1)
    total, map, c = 0, slid(size, kernel, stride), widths[0]
    total += kernel**2 * in_channels * c * map[0] * map[1]
    if stem == "imagenet":
        map = slid(map, 3, 2)
    for stage in range(len(depths)):
        w = widths[stage]
        e = 4 if kind == "bottleneck" else 1
        for i in range(depths[stage]):
            stride = 2 if stage and i == 0 else 1
            block = (
                [(3, c, w, stride), (3, w, w, 1)]
                if e == 1
                else [(1, c, w, 1), (3, w, w, stride), (1, w, 4 * w, 1)]
            )
            came = map
            for kernel, a, b, step in block:
                map = slid(map, kernel, step)
                total += kernel**2 * a * b * map[0] * map[1]
            if shortcut == "B" and (stride == 2 or c != e * w):
                oh, ow = slid(came, 1, stride)
                total += c * e * w * oh * ow
            c = e * w
    return total + c * num_classes


@right
def stage_by_stage(
    kind, depths, widths, size, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    """The blocks of a stage after its first are equal."""
    e = 4 if kind == "bottleneck" else 1
    level, c = (2 if stem == "imagenet" else 0), widths[0]
    total = widths[0] * in_channels * (49 * pixels(size, 1) if level else 9 * pixels(size, 0))
    for stage, (depth, w) in enumerate(zip(depths, widths)):
        large = pixels(size, level)
        level += 1 if stage else 0
        small = pixels(size, level)
        if e == 1:
            total += small * (9 * c * w + 9 * w * w * (2 * depth - 1))
        else:
            total += large * c * w + small * (depth - 1) * 4 * w * w + small * depth * 13 * w * w
        if shortcut == "B" and (stage > 0 or c != e * w):
            total += small * c * e * w
        c = e * w
    return total + c * num_classes


def base(found=layers, about=pixels, at=-1, linear=lambda channels, classes, size: channels * classes,
         finished=None, **given):  # fmt: skip
    """A solution with other layers, sizes or a different end."""

    def counted(
        kind, depths, widths, size, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
    ):
        options = {"in_channels": in_channels, "stem": stem, "shortcut": shortcut, **given}
        rows = list(found(kind, depths, widths, **options))
        total = sum(k * k * c * f * about(size, halvings[at]) for k, c, f, *halvings in rows)
        total += linear(last(kind, widths), num_classes, (size, rows[-1][-1]))
        return finished(total) if finished else total

    return counted


def floored(size, level):
    return (size[0] >> level) * (size[1] >> level)


def of_rows(size, level):
    return pixels((size[0], size[0]), level)


def without_the_pool(*arguments, stem="cifar", **options):
    first, *rest = layers(*arguments, stem=stem, **options)
    less = 1 if stem == "imagenet" else 0
    yield first
    yield from ((k, c, f, a - less, b - less) for k, c, f, a, b in rest)


def stem_behind_the_pool(*arguments, stem="cifar", **options):
    (k, c, f, a, b), *rest = layers(*arguments, stem=stem, **options)
    yield k, c, f, a, 2 * b
    yield from rest


def wide_projections(*arguments, **options):
    """Projections are those that come after a block's end."""
    rows = list(layers(*arguments, **options))
    for k, c, f, a, b in rows:
        projects = k == 1 and b == a + 1
        yield k, c, f, a, a if projects else b


def halved_at_once(kind, depths, widths, **options):
    """A stage of no blocks in front makes the first one a later one."""
    yield from layers(kind, (0, *depths), (widths[0], *widths), **options)


def no_expansion(kind, depths, widths, in_channels=3, stem="cifar", shortcut="B"):
    if kind == "basic":
        yield from layers(kind, depths, widths, in_channels, stem, shortcut)
        return
    c, level = widths[0], int(stem == "imagenet")
    yield 3 + 4 * level, in_channels, c, 0, level
    level *= 2
    for stage, (depth, w) in enumerate(zip(depths, widths)):
        for i in range(depth):
            halves = int(stage > 0 and i == 0)
            yield from [(1, c, w, level, level), (3, w, w, level, level + halves)]
            yield 1, w, w, level + halves, level + halves
            if shortcut == "B" and (halves or c != w):
                yield 1, c, w, level, level + halves
            c, level = w, level + halves


def in_every_block(kind, depths, widths, in_channels=3, stem="cifar", shortcut="B"):
    """Each block of the later stages as a stage of its own."""
    many = [1] * sum(depths[1:])
    each = [w for w, depth in zip(widths[1:], depths[1:]) for _ in range(depth)]
    yield from layers(kind, (depths[0], *many), (widths[0], *each), in_channels, stem, shortcut)


before_the_stride = wrong(LATER, mistake="map_that_comes_in")(base(at=0))
as_in_the_table_of_2015 = wrong(MIDDLE, mistake="stride_on_the_first")(base(after=True))
block_by_block = wrong(LATER, mistake="stride_on_the_last")(base(forward=True))
one_halving = wrong(STEM, mistake="pool_forgotten")(base(found=without_the_pool))
pooled_first = wrong(STEM, mistake="stem_after_the_pool")(base(found=stem_behind_the_pool))
no_projections = wrong(PROJECTS, mistake="projections_forgotten")(base(project=False))
projections_of_all_pixels = wrong(PROJECTS, mistake="projection_before_the_stride")(
    base(found=wide_projections)
)
from_the_start = wrong(ONE, mistake="halved_in_each_stage")(base(found=halved_at_once))
again_and_again = wrong(LATER, mistake="halved_in_each_block")(base(found=in_every_block))
to_the_ground = wrong(ODD, mistake="rounded_down")(base(about=floored))
rows_squared = wrong(ONE, mistake="square_images")(base(about=of_rows))
operations = wrong(ONE, mistake="two_per_multiply_add")(base(finished=lambda total: total + total))
before_the_mean = wrong(ONE, mistake="linear_at_each_pixel")(
    base(linear=lambda channels, classes, last: channels * classes * pixels(*last))
)
convolutions_only = wrong(ONE, mistake="linear_forgotten")(base(linear=lambda *_: 0))
with_its_bias = wrong(ONE)(base(linear=lambda channels, classes, _: (channels + 1) * classes))
per_channel_only = wrong(ONE)(base(about=lambda size, level: 1))
quarters = wrong(ODD)(base(about=lambda size, level: -(-size[0] * size[1] // 4**level)))
halves_to_even = wrong(ODD)(
    base(about=lambda size, level: math.prod(round(side / 2**level) for side in size))
)
halves_and_a_half = wrong(ODD)(
    base(about=lambda size, level: math.prod(side / 2**level for side in size))
)
always_colours = wrong(ONE)(base(in_channels=3))
always_the_small_stem = wrong(STEM)(base(stem="cifar"))
always_plain = wrong(PROJECTS)(base(shortcut="none"))
always_projects = wrong(LATER)(base(shortcut="B"))
as_a_float = wrong("test_the_count_is_an_int")(base(finished=float))
in_giga = wrong(ONE)(base(finished=lambda total: total / 1e9))
in_int32 = wrong(LARGE)(base(finished=lambda total: (total + 2**31) % 2**32 - 2**31))


@wrong("test_a_stage_has_depth_blocks")
def one_block_per_stage(kind, depths, widths, size, **options):
    return from_a_list_of_layers(kind, [1 for _ in depths], widths, size, **options)


@wrong(LINEAR)
def ten_classes_always(kind, depths, widths, size, *, num_classes=10, **options):
    return from_a_list_of_layers(kind, depths, widths, size, **options)


@wrong(PLAIN, mistake="expansion_forgotten")
def narrow(kind, depths, widths, size, *, num_classes=10, **options):
    return work(no_expansion(kind, depths, widths, **options), size) + widths[-1] * num_classes


@wrong("test_a_pixel_stays_a_pixel")
def halved_to_one_and_then_to_none(kind, depths, widths, size, **options):
    """Odd sizes round up, except 1."""

    def about(size, level):
        sides = [int(side) for side in size]
        for _ in range(level):
            sides = [0 if side == 1 else -(-side // 2) for side in sides]
        return math.prod(sides)

    return base(about=about)(kind, depths, widths, size, **options)


for name, solution in list(
    globals().items()
):  # those made by a function get the name they have here
    if hasattr(solution, "kind"):
        solution.__name__ = name
del name, solution
