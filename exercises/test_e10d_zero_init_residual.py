"""Claims about zero_init_residual: the last weight of each branch is 0, and nothing else has changed."""

import numpy
from e10d_zero_init_residual import zero_init_residual

from minires.course import Check
from minires.models import BasicBlock, Bottleneck, ResNet
from minires.models.preactivation import PreActivationBasicBlock, PreActivationBottleneck
from minires.nn import BatchNorm, Conv2d, Linear, Module, Sequential
from minires.tensor import Tensor

check = Check("10d")


def filled(model):
    """Fill all arrays of a model with numbers other than 0. Returns the model."""
    rng = numpy.random.default_rng(91)
    state = model.state_dict()
    for array in state.values():
        array[...] = rng.uniform(0.5, 2, array.shape)
    model.load_state_dict(state)
    return model


def net(block, depths=(2, 1), shortcut="B", **options):
    """Return a net of narrow stages."""
    return ResNet(
        block, depths, (3, 4, 5)[: len(depths)], shortcut=shortcut, in_channels=1, **options
    )


def state(make):
    """Experiment: all arrays of a model afterwards."""

    def run(zero_init_residual):
        model = filled(make())
        returned = zero_init_residual(model)
        return {**model.state_dict(), "what is returned is None": returned is None}

    return run


def test_gamma_of_each_bn2_is_0_in_basic_blocks():
    def run(zero_init_residual):
        model = filled(net(BasicBlock))
        zero_init_residual(model)
        return {name: array for name, array in model.state_dict().items() if "bn2.weight" in name}

    check.experiment(run, zero_init_residual, "gamma of bn2 in a net of three BasicBlocks")


def test_a_net_of_basic_blocks():
    check.experiment(
        state(lambda: net(BasicBlock)), zero_init_residual, "a net of three BasicBlocks"
    )
    check.experiment(
        state(lambda: net(BasicBlock, (1, 2, 1), shortcut="A")), zero_init_residual, "a net with option A"
    )  # fmt: skip


def test_a_net_of_bottlenecks():
    check.experiment(
        state(lambda: net(Bottleneck)), zero_init_residual, "a net of three Bottlenecks"
    )


def test_pre_activated_nets():
    check.experiment(
        state(lambda: net(PreActivationBasicBlock)), zero_init_residual, "a net of PreActivationBasicBlocks"
    )  # fmt: skip
    check.experiment(
        state(lambda: net(PreActivationBottleneck)), zero_init_residual, "a net of PreActivationBottlenecks"
    )  # fmt: skip


def test_each_block_returns_its_shortcut():
    def run(zero_init_residual):
        found = {}
        for Block in (BasicBlock, Bottleneck, PreActivationBasicBlock, PreActivationBottleneck):
            width = 4 * Block.expansion
            block = Block(width, 4, rng=numpy.random.default_rng(92))
            zero_init_residual(block)
            x = numpy.random.default_rng(93).standard_normal((2, 3, 3, width)).astype("float32")
            found[Block.__name__] = block(Tensor(x)).data
        return found

    check.experiment(
        run, zero_init_residual, "new blocks, one by one, on an x with negative numbers"
    )


class Named(BasicBlock):
    """A block of a class of its own."""


class Own(Module):
    """A block that inherits from no other."""

    expansion = 1

    def __init__(self, channels):
        self.conv1, self.bn1 = Conv2d(channels, channels, 3, padding=1), BatchNorm(channels)
        self.conv2, self.bn2 = Conv2d(channels, channels, 3, padding=1), BatchNorm(channels)
        self.downsample = Sequential(BatchNorm(channels))


class Held(Module):
    """Blocks in lists and dicts, one of them twice, and layers with a block's names outside any block."""

    def __init__(self):
        self.bn2, self.conv2 = BatchNorm(3), Conv2d(3, 3, 3)
        shared = Named(3, 3)
        self.blocks = [shared, {"deep": (Own(3), [Bottleneck(12, 3)])}, shared]
        self.inner = Sequential(PreActivationBasicBlock(3, 3), Sequential(Own(2)), Linear(3, 3))
        self.bn3 = BatchNorm(2)


class Unordered(Module):
    """A bottleneck whose layers are in an unusual order; it is a block by an attribute of its own, and contains another one."""

    def __init__(self, channels, expansion):
        self.expansion = expansion
        self.bn3, self.conv3 = BatchNorm(channels), Conv2d(2, channels, 1)
        self.bn2, self.conv2 = BatchNorm(2), Conv2d(2, 2, 3, padding=1)
        self.bn1, self.conv1 = BatchNorm(2), Conv2d(channels, 2, 1)
        self.downsample = Sequential(BatchNorm(channels))
        self.extra = [Own(3)]


class UnorderedPreactivated(PreActivationBasicBlock):
    """Its expansion is another one, and it projects by a convolution without batch norm."""

    expansion = 4

    def __init__(self, channels):
        super().__init__(channels, channels)
        self.downsample = Conv2d(channels, channels, 1)


class Norms(Module):
    """Blocks, and norms outside them that have the names of a block's."""

    def __init__(self):
        self.blocks = [Unordered(3, 1), Unordered(4, 2), Bottleneck(12, 3)]
        self.bn2, self.bn3 = BatchNorm(3), BatchNorm(2)


def test_layers_go_by_their_names():
    check.experiment(
        state(lambda: Unordered(6, 2)), zero_init_residual, "a bottleneck with its layers in an unusual order"
    )  # fmt: skip
    check.experiment(
        state(lambda: UnorderedPreactivated(3)), zero_init_residual, "a pre-activated block whose shortcut is a Conv2d"
    )  # fmt: skip
    check.experiment(
        state(Norms), zero_init_residual, "batch norms outside blocks, with their names"
    )


def test_blocks_may_be_anywhere_and_of_any_class():
    check.experiment(
        state(Held), zero_init_residual, "blocks in lists and dicts, some of classes of their own"
    )
    check.experiment(state(lambda: Own(4)), zero_init_residual, "a model that is a block itself")


def test_a_net_without_blocks_stays_unchanged():
    check.experiment(
        state(lambda: Sequential(Conv2d(1, 2, 3), BatchNorm(2), Linear(2, 2))), zero_init_residual, "no blocks"
    )  # fmt: skip


def test_the_parameters_and_their_arrays_stay_the_same_objects():
    def run(zero_init_residual):
        model = filled(net(BasicBlock))
        before = dict(model.named_parameters())
        arrays = {name: parameter.data for name, parameter in before.items()}
        zero_init_residual(model)
        found = {}
        for name, parameter in model.named_parameters():
            found[f"{name} is the same Parameter"] = parameter is before[name]
            found[f"{name} has the same array"] = parameter.data is arrays[name]
            found[f"{name} learns"] = parameter.requires_grad
        return found

    check.experiment(run, zero_init_residual, "the Parameters of a net before and after")


def test_whatever_the_numbers_are():
    def run(zero_init_residual):
        model = net(Bottleneck, (1, 1))
        for parameter in model.parameters():
            parameter.data[...] = numpy.nan
        zero_init_residual(model)
        return {name: array for name, array in model.state_dict().items() if "weight" in name}

    check.experiment(run, zero_init_residual, "a net whose parameters are all NaN")


def test_modes_and_dtypes_stay_unchanged():
    def run(zero_init_residual):
        model = net(BasicBlock, (1, 1)).astype("float64")
        model.layer1.eval()
        zero_init_residual(model)
        modes = {f"the mode of {name}": module.training for name, module in model.modules()}
        return {**modes, **{name: str(array.dtype) for name, array in model.state_dict().items()}}

    check.experiment(run, zero_init_residual, "a net in float64, with a stage in evaluation mode")


def test_two_nets_take_turns():
    def run(zero_init_residual):
        first, second = filled(net(BasicBlock)), filled(net(Bottleneck))
        zero_init_residual(first)
        for parameter in first.parameters():
            parameter.data[...] = 7
        zero_init_residual(second)
        found = {f"first, {name}": array.copy() for name, array in first.state_dict().items()}
        zero_init_residual(first)
        found |= {f"first again, {name}": array for name, array in first.state_dict().items()}
        return {**found, **second.state_dict()}

    check.experiment(run, zero_init_residual, "a net, another one, and the first again")
