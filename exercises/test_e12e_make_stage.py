"""Claims about make_stage: blocks one after the other, of which the first has the stride."""

import numpy
from e12e_make_stage import make_stage

from minires.course import Check
from minires.models import BasicBlock, Bottleneck
from minires.nn import Conv2d, Module, Sequential, init
from minires.tensor import Tensor

check = Check("12e")


class Triple(Module):
    """A 1x1 convolution to three times the channels. It writes down how it was made."""

    expansion, preactivation = 3, False

    def __init__(self, in_channels, channels, *, stride=1, rng=None, **options):
        self.made = {
            "in_channels": in_channels,
            "channels": channels,
            "stride": stride,
            "options": dict(options),
        }
        self.conv = Conv2d(in_channels, 3 * channels, 1, stride=stride, rng=rng)

    def forward(self, x):
        return self.conv(x)


def made(stage, *names):
    """Return {block: how it was made} for each block of a stage; names  of arguments, by default all of them."""
    found = {f"block {i}": block.made for i, block in enumerate(stage)}
    return {key: {name: each[name] for name in names or each} for key, each in found.items()}


def test_a_stage_has_depth_blocks():
    check.experiment(
        lambda stage: {depth: len(stage(Triple, depth, 5, 2, stride=1)) for depth in (1, 2, 3, 6)},
        make_stage,
        "the number of blocks, for a depth of 1, 2, 3 and 6",
    )


def test_the_first_block_has_the_stride():
    def run(stage):
        depths = {"depth 1": 1, "depth 3": 3}
        found = {name: stage(Triple, depth, 6, 2, stride=2) for name, depth in depths.items()}
        return {name: made(blocks, "stride") for name, blocks in found.items()}

    check.experiment(run, make_stage, "the strides of stages with stride=2")
    check.experiment(
        lambda stage: made(stage(Triple, 2, 6, 2, stride=(3, 1)), "stride"),
        make_stage,
        "the strides of a stage with stride=(3, 1)",
    )


def test_channels_are_passed_from_block_to_block():
    for expansion in (1, 2, 3, 4):
        Block = type("Block", (Triple,), {"expansion": expansion})
        check.experiment(
            lambda stage, Block=Block: made(
                stage(Block, 3, 5, 2, stride=1), "in_channels", "channels"
            ),
            make_stage,
            f"the channels of three blocks of width 2, on 5 channels, with expansion {expansion}",
        )


def test_channels_may_stay_the_same():
    check.experiment(
        lambda stage: made(stage(Triple, 3, 6, 2, stride=2)),
        make_stage,
        "three blocks on 6 channels, of width 2, with expansion 3",
    )
    check.experiment(
        lambda stage: made(stage(Triple, 2, 1, 1, stride=1)), make_stage, "two blocks of width 1"
    )


def test_every_block_gets_the_options():
    check.experiment(
        lambda stage: made(stage(Triple, 3, 5, 2, stride=2, shortcut="A", colour="red")),
        make_stage,
        "three blocks with shortcut='A' and an option of their own",
    )
    check.experiment(
        lambda stage: made(stage(Triple, 3, 5, 2, stride=2)), make_stage, "three without options"
    )


def test_blocks_are_different_objects():
    def run(stage):
        blocks = list(stage(Triple, 4, 6, 2, stride=1))
        return {"different blocks": len({id(block) for block in blocks}),
                "different weights": len({id(block.conv.weight) for block in blocks})}  # fmt: skip

    check.experiment(run, make_stage, "a stage of four blocks")


def test_weights_are_drawn_in_order():
    def run(stage):
        with init.kept_generator():
            init.manual_seed(0)
            blocks = stage(Triple, 3, 5, 2, stride=2, rng=numpy.random.default_rng(1))
        return {f"block {i}": block.conv.weight.data for i, block in enumerate(blocks)}

    check.experiment(run, make_stage, "three blocks that share a generator")


def test_a_stage_of_basic_blocks():
    def run(stage):
        with init.kept_generator():
            init.manual_seed(0)
            blocks = stage(
                BasicBlock, 2, 3, 4, stride=2, shortcut="A", rng=numpy.random.default_rng(2)
            )
        x = numpy.random.default_rng(3).standard_normal((2, 5, 7, 3)).astype("float32")
        return {"the shapes": {name: array.shape for name, array in blocks.state_dict().items()},
                "the result": blocks(Tensor(x)).data}  # fmt: skip

    Check("12e", tolerance=1e-4).experiment(
        run, make_stage, "two basic blocks from 3 to 4 channels, on x (2, 5, 7, 3)"
    )


def test_a_stage_of_bottlenecks():
    def run(stage):
        with init.kept_generator():
            init.manual_seed(0)
            blocks = stage(Bottleneck, 3, 8, 2, stride=2, rng=numpy.random.default_rng(2))
        x = numpy.random.default_rng(3).standard_normal((2, 5, 7, 8)).astype("float32")
        return {"the shapes": {name: array.shape for name, array in blocks.state_dict().items()},
                "the result": blocks(Tensor(x)).data}  # fmt: skip

    Check("12e", tolerance=1e-4).experiment(
        run, make_stage, "three bottlenecks of width 2, on x (2, 5, 7, 8)"
    )


def test_the_result_is_a_sequential():
    stage = check.call(make_stage, Triple, 2, 5, 2, stride=1)
    check.true(
        isinstance(stage, Sequential), f"expected a Sequential, got a {type(stage).__name__}"
    )
    names = [name for name, _ in stage.children()]
    expected = [name for name, _ in Sequential(Triple(5, 2), Triple(6, 2)).children()]
    check.true(
        names == expected,
        f"expected its children to be the blocks themselves, {expected}, got {names}",
    )


def test_no_stage_depends_on_the_one_before():
    def run(stage):
        first = stage(Triple, 2, 5, 2, stride=2, shortcut="A")
        second = stage(Triple, 3, 6, 4, stride=1)
        third = stage(Triple, 2, 5, 2, stride=2, shortcut="A")
        shared = {id(block) for block in first} & {id(block) for block in (*second, *third)}
        return {"the first": made(first), "the second": made(second), "the third": made(third),
                "blocks that they share": len(shared)}  # fmt: skip

    check.experiment(run, make_stage, "three stages, the third like the first")
