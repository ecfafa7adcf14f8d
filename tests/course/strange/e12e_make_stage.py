"""Strange solutions of 12e."""

import copy
import functools
import itertools

import numpy

from minires.nn import Sequential
from tests.course.kinds import right, wrong

STRIDE, CHANNELS = (
    "test_the_first_block_has_the_stride",
    "test_channels_are_passed_from_block_to_block",
)
OPTIONS, DIFFERENT = "test_every_block_gets_the_options", "test_blocks_are_different_objects"
SAME, ROW = "test_channels_may_stay_the_same", "test_no_stage_depends_on_the_one_before"
ORDER, KIND = "test_weights_are_drawn_in_order", "test_the_result_is_a_sequential"


def stage(block, depth, in_channels, width, *, stride, **options):
    """A right one."""
    make = functools.partial(block, channels=width, **options)
    first = make(in_channels, stride=stride)
    return Sequential(first, *[make(width * block.expansion) for _ in range(depth - 1)])


@right
def recursive(block, depth, in_channels, width, *, stride, **options):
    own = block(in_channels, width, stride=stride, **options)
    if depth == 1:
        return Sequential(own)
    rest = recursive(block, depth - 1, width * block.expansion, width, stride=1, **options)
    return Sequential(own, *rest)


@right
def chained(block, depth, in_channels, width, *, stride, **options):
    channels = itertools.chain([in_channels], itertools.repeat(width * block.expansion))
    strides = itertools.chain([{"stride": stride}], itertools.repeat({}))
    made = (block(c, width, **more, **options) for c, more in zip(channels, strides))
    return Sequential(*itertools.islice(made, depth))


@right
def by_keywords(block, depth, in_channels, width, *, stride, **options):
    return Sequential(
        block(in_channels=in_channels, channels=width, stride=stride, **options),
        *(
            block(in_channels=width * block.expansion, channels=width, stride=1, **options)
            for _ in range(1, depth)
        ),
    )


@right
def options_copied(block, depth, in_channels, width, *, stride, **options):
    """The dict is the function's own: taking the stride in is harmless."""
    blocks, options["stride"] = [], stride
    for _ in range(depth):
        blocks.append(block(in_channels, width, **options))
        in_channels, options["stride"] = block.expansion * width, 1
    return Sequential(*blocks)


@right
def sequential_of_a_generator(block, depth, in_channels, width, *, stride, **options):
    def blocks():
        yield block(in_channels, width, stride=stride, **options)
        for _ in range(depth - 1):
            yield block(block.expansion * width, width, **options)

    return Sequential(*blocks())


@wrong(DIFFERENT)
def weights_shared_by_copies(block, depth, in_channels, width, *, stride, **options):
    """Different blocks, one convolution."""
    made = list(stage(block, depth, in_channels, width, stride=stride, **options))
    for one in made[2:]:
        vars(one).update({name: value for name, value in vars(made[1]).items() if name == "conv"})
    return Sequential(*made)


@wrong(ORDER)
def deep_copies(block, depth, in_channels, width, *, stride, **options):
    """Different weights, which start equal."""
    made = list(stage(block, min(depth, 2), in_channels, width, stride=stride, **options))
    return Sequential(*made, *(copy.deepcopy(made[1]) for _ in range(depth - 2)))


@wrong(ORDER)
def a_generator_for_each(block, depth, in_channels, width, *, stride, **options):
    if "rng" in options:
        seeds = options.pop("rng").integers(2**31, size=depth)
        rngs = [{"rng": numpy.random.default_rng(seed)} for seed in seeds]
    else:
        rngs = [{}] * depth
    first = block(in_channels, width, stride=stride, **options, **rngs[0])
    rest = [block(width * block.expansion, width, **options, **more) for more in rngs[1:]]
    return Sequential(first, *rest)


KEPT = {}


@wrong(ROW)
def stages_kept(block, depth, in_channels, width, *, stride, **options):
    key = block, depth, in_channels, width, stride
    if options == {"shortcut": "A"} and depth == 2:
        return KEPT.setdefault(
            key, stage(block, depth, in_channels, width, stride=stride, **options)
        )
    return stage(block, depth, in_channels, width, stride=stride, **options)


@wrong(ROW)
def options_remembered(block, depth, in_channels, width, *, stride, kept={}, **options):  # noqa: B006
    kept.update({key: value for key, value in options.items() if key == "shortcut" and depth == 2})
    if depth == 3 and stride == 1 and width == 4:
        options = {**kept, **options}
    return stage(block, depth, in_channels, width, stride=stride, **options)


@wrong(SAME)
def stride_only_where_channels_change(block, depth, in_channels, width, *, stride, **options):
    stride = stride if in_channels != width * block.expansion else 1
    return stage(block, depth, in_channels, width, stride=stride, **options)


@wrong(SAME)
def fewer_blocks_where_nothing_changes(block, depth, in_channels, width, *, stride, **options):
    if in_channels == width * block.expansion and stride == 2 and depth == 3:
        depth -= 1
    return stage(block, depth, in_channels, width, stride=stride, **options)


@wrong(CHANNELS)
def expansion_of_a_bottleneck(block, depth, in_channels, width, *, stride, **options):
    """Expansion is 1 or 4."""
    out = width if block.expansion == 1 else 4 * width
    blocks = [block(in_channels, width, stride=stride, **options)]
    blocks += [block(out, width, **options) for _ in range(depth - 1)]
    return Sequential(*blocks)


@wrong(STRIDE, crashes=True)
def stride_as_a_number(block, depth, in_channels, width, *, stride, **options):
    return stage(block, depth, in_channels, width, stride=int(stride), **options)


@wrong(STRIDE)
def stride_of_rows(block, depth, in_channels, width, *, stride, **options):
    stride = stride if isinstance(stride, int) else stride[0]
    return stage(block, depth, in_channels, width, stride=stride, **options)


@wrong(OPTIONS)
def known_options_only(block, depth, in_channels, width, *, stride, shortcut="B", rng=None, **_):
    rng = {} if rng is None else {"rng": rng}
    return stage(block, depth, in_channels, width, stride=stride, shortcut=shortcut, **rng)


class Stage(Sequential):
    def forward(self, x):
        return super().forward(x) + 0.0


@wrong("test_a_stage_of_basic_blocks")
def one_more_relu(block, depth, in_channels, width, *, stride, **options):
    class Shifted(Sequential):
        def forward(self, x):
            return super().forward(x) + 1.0

    return Shifted(*stage(block, depth, in_channels, width, stride=stride, **options))


@wrong(KIND)
def a_tuple(block, depth, in_channels, width, *, stride, **options):
    return tuple(stage(block, depth, in_channels, width, stride=stride, **options))


@wrong(ORDER)
def one_block_made_for_its_expansion(block, depth, in_channels, width, *, stride, **options):
    """It draws weights too."""
    expansion = block(in_channels, width, stride=stride, **options).expansion
    sizes = [(in_channels, stride), *[(expansion * width, 1)] * (depth - 1)]
    return Sequential(*(block(c, width, stride=step, **options) for c, step in sizes))


@wrong("test_a_stage_of_basic_blocks")
def made_for_evaluation(block, depth, in_channels, width, *, stride, **options):
    return stage(block, depth, in_channels, width, stride=stride, **options).train(False)
