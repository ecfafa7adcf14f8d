"""Solutions of 12e."""

import itertools

from minires.nn import Sequential
from tests.course.kinds import right, wrong

DEPTH, STRIDE = "test_a_stage_has_depth_blocks", "test_the_first_block_has_the_stride"
CHANNELS, OPTIONS = (
    "test_channels_are_passed_from_block_to_block",
    "test_every_block_gets_the_options",
)
DIFFERENT, KIND = "test_blocks_are_different_objects", "test_the_result_is_a_sequential"


@right
def appended(block, depth, in_channels, width, *, stride, **options):
    blocks = [block(in_channels, width, stride=stride, **options)]
    while len(blocks) < depth:
        blocks.append(block(block.expansion * width, width, **options))
    return Sequential(*blocks)


@right
def in_one_loop(block, depth, in_channels, width, *, stride, **options):
    blocks = []
    for i in range(depth):
        blocks.append(block(in_channels, width, stride=stride if i == 0 else 1, **options))
        in_channels = width * block.expansion
    return Sequential(*blocks)


@right
def zipped(block, depth, in_channels, width, *, stride, **options):
    channels = [in_channels, *[width * block.expansion] * (depth - 1)]
    strides = [stride, *[1] * (depth - 1)]
    return Sequential(*[block(c, width, stride=step, **options) for c, step in zip(channels, strides)])  # fmt: skip


def base(change):
    """The stage of rows [in_channels, width, stride, options], which change(rows, block, depth) replaces."""

    def stage(block, depth, in_channels, width, *, stride, **options):
        rows = [[in_channels, width, stride, options]]
        for _ in range(1, depth):
            rows.append([block.expansion * width, width, 1, options])
        made = change(rows, block, depth)
        if not isinstance(made, list):
            return made
        return Sequential(*(block(c, w, stride=step, **more) for c, w, step, more in made))

    return stage


def blocks_of(rows, block):
    return [block(c, w, stride=step, **more) for c, w, step, more in rows]


all_strides = wrong(STRIDE, mistake="stride_in_each_block")(
    base(lambda rows, *_: [[c, w, rows[0][2], more] for c, w, _, more in rows])
)
no_strides = wrong(STRIDE, mistake="stride_dropped")(
    base(lambda rows, *_: [[c, w, 1, more] for c, w, _, more in rows])
)
backwards_strides = wrong(STRIDE, mistake="stride_at_the_end")(
    base(
        lambda rows, *_: [
            [c, w, s, more] for (c, w, _, more), (_, _, s, _) in zip(rows, rows[::-1])
        ]
    )
)
narrow = wrong(CHANNELS, mistake="expansion_forgotten")(
    base(lambda rows, *_: rows[:1] + [[w, w, s, more] for _, w, s, more in rows[1:]])
)
always_the_first = wrong(CHANNELS, mistake="same_channels_for_all")(
    base(lambda rows, *_: [[rows[0][0], w, s, more] for _, w, s, more in rows])
)
twice_expanded = wrong(CHANNELS, mistake="expanded_width")(
    base(lambda rows, block, _: [[c * (block.expansion if i else 1), w * block.expansion, s, more]
                                 for i, (c, w, s, more) in enumerate(rows)])
)  # fmt: skip
bare_rest = wrong(OPTIONS, mistake="options_for_the_first")(
    base(lambda rows, *_: rows[:1] + [[c, w, s, {}] for c, w, s, _ in rows[1:]])
)
bare = wrong(OPTIONS, mistake="options_dropped")(
    base(lambda rows, *_: [[c, w, s, {}] for c, w, s, _ in rows])
)
more_than_asked = wrong(DEPTH, mistake="one_too_many")(
    base(lambda rows, block, _: [*rows, [rows[0][1] * block.expansion, rows[0][1], 1, rows[0][3]]])
)
as_a_list = wrong(KIND, mistake="a_list")(
    lambda block, depth, in_channels, width, *, stride, **options: list(
        in_one_loop(block, depth, in_channels, width, stride=stride, **options)
    )
)
of_a_list = wrong(DEPTH, crashes=True)(
    base(lambda rows, block, _: Sequential(blocks_of(rows, block)))
)
one_less = wrong(DEPTH)(base(lambda rows, *_: rows[:-1] or rows))
bare_first = wrong(OPTIONS)(base(lambda rows, *_: [[*rows[0][:3], {}], *rows[1:]]))
options_of_the_paper = wrong(OPTIONS)(
    base(lambda rows, *_: [[*row[:3], {**row[3], "shortcut": "B"}] for row in rows])
)
four_times = wrong(CHANNELS)(
    base(lambda rows, *_: rows[:1] + [[4 * w, w, s, more] for _, w, s, more in rows[1:]])
)
halving_always = wrong(STRIDE)(base(lambda rows, *_: [[*rows[0][:2], 2, rows[0][3]], *rows[1:]]))


@wrong(DIFFERENT, mistake="one_block_repeated")
def the_second_again(block, depth, in_channels, width, *, stride, **options):
    first = block(in_channels, width, stride=stride, **options)
    if depth < 2:
        return Sequential(first)
    other = block(width * block.expansion, width, **options)
    return Sequential(first, *itertools.repeat(other, depth - 1))


@wrong("test_weights_are_drawn_in_order")
def made_backwards(block, depth, in_channels, width, *, stride, **options):
    rest = [block(width * block.expansion, width, **options) for _ in range(depth - 1)]
    return Sequential(block(in_channels, width, stride=stride, **options), *rest)


@wrong(CHANNELS)
def growing(block, depth, in_channels, width, *, stride, **options):
    """Channels grow from block to block."""
    blocks = [block(in_channels, width, stride=stride, **options)]
    for i in range(1, depth):
        blocks.append(block(width * block.expansion**i, width, **options))
    return Sequential(*blocks)


@wrong(STRIDE, crashes=True)
def nested(block, depth, in_channels, width, *, stride, **options):
    """A Sequential of the first block and a Sequential of the others."""
    first, *rest = in_one_loop(block, depth, in_channels, width, stride=stride, **options)
    return Sequential(first, Sequential(*rest)) if len(rest) == 1 else Sequential(first, *rest)


for name, solution in list(
    globals().items()
):  # those made by a function get the name they have here
    if hasattr(solution, "kind"):
        solution.__name__ = name
del name, solution
