"""Strange solutions of 08a."""

import functools

import numpy

from minires import functional as F
from minires import nn
from minires.backend import xp
from minires.models.resnet import NoShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, Module
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

NAMES = "test_the_layers_have_their_names_and_shapes"
SAME = "test_where_the_shape_stays_x_itself_is_added"
BELOW = "test_a_sum_below_0_becomes_0"
STRIDE = "test_the_stride_alone_changes_the_shape_too"
SIZES = "test_sizes_may_be_equal_or_1"
TWICE = "test_a_block_may_run_twice_before_a_backward_pass"
OWN = "test_each_block_has_its_own_weights"
BACK = "test_gradients_flow_through_branch_and_shortcut"


class Base(Module):
    """A right one."""

    expansion, preactivation = 1, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        conv = functools.partial(Conv2d, padding=1, bias=False, rng=rng)
        self.conv1, self.bn1 = conv(in_channels, channels, 3, stride=stride), BatchNorm(channels)
        self.conv2, self.bn2 = conv(channels, channels, 3), BatchNorm(channels)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)

    def branch(self, x):
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))

    def forward(self, x):
        return F.relu(self.branch(x) + self.downsample(x))


@right
class LayersInALoop(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        for i, (inputs, step) in enumerate(((in_channels, stride), (channels, 1)), 1):
            conv = Conv2d(inputs, channels, 3, stride=step, padding=1, bias=False, rng=rng)
            setattr(self, f"conv{i}", conv)
            setattr(self, f"bn{i}", BatchNorm(channels))
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)

    def forward(self, x):
        branch = (self.conv1, self.bn1, F.relu, self.conv2, self.bn2)
        return F.relu(functools.reduce(lambda y, layer: layer(y), branch, x) + self.shortcut(x))

    @property
    def shortcut(self):
        return self.downsample


@right
class OfOps(Base):
    """The layers hold the weights only."""

    def normed(self, y, bn):
        return bn(y) if self.training else bn.forward(y)

    def forward(self, x):
        y = F.conv2d(x, self.conv1.weight, stride=self.conv1.stride, padding=1)
        y = F.relu(self.normed(y, self.bn1))
        y = self.normed(F.conv2d(y, self.conv2.weight, padding=(1, 1)), self.bn2)
        if isinstance(self.downsample, NoShortcut):
            return F.relu(y)
        return F.relu(y + self.downsample(x))


@right
class SumAsAMean(Base):
    def forward(self, x):
        y, carried = self.branch(x), self.downsample(x)
        return F.maximum((y + carried + y + carried) * 0.5, 0)


@right
class ReLUByMaximumOfBoth(Base):
    """relu(a) = (a + |a|) / 2, and |a| = max(a, -a)."""

    def forward(self, x):
        total = self.downsample(x) + self.branch(x)
        return (total + F.maximum(total, 0 - total)) / 2


def _assembled():
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        Base.__init__(self, in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)

    def forward(self, x):
        carried = self.downsample(x)
        for conv, bn, last in ((self.conv1, self.bn1, False), (self.conv2, self.bn2, True)):
            x = bn(conv(x))
            x = F.relu(x + carried if last else x)
        return x

    body = {"__init__": __init__, "forward": forward, "expansion": 1, "preactivation": False}
    return type("BasicBlock", (Module,), body)


MadeByType = right(_assembled())


@wrong(TWICE)
class ShortcutOfTheFirstCall(Base):
    """Computed once, and kept for each shape."""

    def forward(self, x):
        kept = self.__dict__.setdefault("kept", {})
        return F.relu(self.branch(x) + kept.setdefault(x.shape, self.downsample(x)))


@wrong("test_a_pass_leaves_nothing_on_the_block")
class SkipOnTheBlock(Base):
    def forward(self, x):
        self.identity = self.downsample(x)
        return F.relu(self.branch(x) + self.identity)


@wrong("test_a_pass_leaves_nothing_on_the_block")
class ActivationsAsABuffer(Base):
    def forward(self, x):
        y = super().forward(x)
        self.activations = y.data
        return y


@wrong(TWICE, crashes=True)
class ResultKept(Base):
    """A cache by shape."""

    def forward(self, x):
        key = "y", x.shape
        if key not in self.__dict__:
            self.__dict__[key] = super().forward(x)
        return self.__dict__[key]


LAYERS = {}


@wrong(OWN)
class LayersShared(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        if rng is None:
            self.conv2 = LAYERS.setdefault(channels, self.conv2)


@wrong("test_without_a_generator_the_weights_differ")
class AlwaysTheSameWeights(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        rng = numpy.random.default_rng(0) if rng is None else rng
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)


@wrong("test_the_weights_come_from_the_generator_that_is_given")
class SecondConvolutionWithoutRng(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False)


@wrong(STRIDE, crashes=True)
class ProjectsForChannelsOnly(Base):
    def forward(self, x):
        same = self.conv1.weight.shape[2] == self.conv1.weight.shape[3]
        plain = isinstance(self.downsample, NoShortcut)
        return F.relu(self.branch(x) + (x if same and not plain else self.downsample(x)))


@wrong(STRIDE)
class PooledShortcut(Base):
    """The mean of each window, as in a later network, instead of every second pixel."""

    def forward(self, x):
        if x.shape[-1] == self.conv2.weight.shape[3] and self.conv1.stride == (2, 2):
            if not isinstance(self.downsample, nn.Sequential):
                padded = F.pad(x, ((0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2), (0, 0)))
                return F.relu(self.branch(x) + F.avg_pool2d(padded, 2))
        return super().forward(x)


@wrong(SIZES)
class ConvolutionTurnedForSquares(Base):
    def forward(self, x):
        if x.shape[1] == x.shape[2] == x.shape[3]:
            x = x.transpose(0, 2, 1, 3)
        return super().forward(x)


@wrong(SIZES)
class NoBranchForSinglePixels(Base):
    def forward(self, x):
        return F.relu(self.downsample(x)) if x.shape[1:3] == (1, 1) else super().forward(x)


@wrong("test_x_may_be_part_of_a_larger_array")
class AsItIsInMemory(Base):
    def forward(self, x):
        order = xp.array(x.data.ravel(order="K").reshape(x.shape))
        return super().forward(x + (Tensor(order) - Tensor(x.data)))


@wrong("test_float32_stays_float32")
class InFloat64(Base):
    def forward(self, x):
        return super().forward(x) * Tensor(xp.ones(1, "float64"))


@wrong(BELOW)
class LeakyAtTheEnd(Base):
    def forward(self, x):
        y = self.branch(x) + self.downsample(x)
        return F.maximum(y, y * 0.01)


@wrong(SAME)
class BothReLUs(Base):
    """After the branch, and again after the sum."""

    def forward(self, x):
        return F.relu(F.relu(self.branch(x)) + self.downsample(x))


@wrong(SAME)
class ReLUOfX(Base):
    def forward(self, x):
        if isinstance(self.downsample, NoShortcut):
            return super().forward(x)
        return F.relu(self.branch(x) + F.relu(self.downsample(x)))


@wrong(SAME)
class BeforeTheFirstConvolution(Base):
    """The order of 2016: norm and ReLU come first."""

    def forward(self, x):
        if self.conv1.weight.shape[2] != self.conv1.weight.shape[3]:
            return super().forward(x)
        return self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x)))))) + self.downsample(x)


@wrong(BACK)
class HalfTheGradientOfTheSkip(Base):
    def forward(self, x):
        carried = self.downsample(x)
        if isinstance(carried, Tensor):
            carried = carried * 0.5 + carried.detach() * 0.5
        return F.relu(self.branch(x) + carried)


@wrong(NAMES)
class LayersInAList(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.layers = [self.conv1, self.bn1, self.conv2, self.bn2]
        del self.conv1, self.bn1, self.conv2, self.bn2

    def branch(self, x):
        conv1, bn1, conv2, bn2 = self.layers
        return bn2(conv2(F.relu(bn1(conv1(x)))))


@wrong("test_in_evaluation_the_running_statistics_normalise", crashes=True)
class DetachedInEvaluation(Base):
    def forward(self, x):
        y = super().forward(x)
        return y if self.training else y.detach()
