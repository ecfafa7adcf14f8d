"""Strange solutions of 12c."""

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
BELOW, STRIDE = "test_a_sum_below_0_becomes_0", "test_the_3x3_has_the_stride"
ALONE, SIZES = "test_the_stride_alone_changes_the_shape_too", "test_sizes_may_be_equal_or_1"
TWICE, LEAVES = "test_a_block_may_run_twice_before_a_backward_pass", "test_a_pass_leaves_nothing_on_the_block"  # fmt: skip
BACK = "test_gradients_flow_through_branch_and_shortcut"
GENERATOR = "test_the_weights_come_from_the_generator_that_is_given"


class Base(Module):
    """A right one."""

    expansion, preactivation = 4, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        conv = functools.partial(Conv2d, bias=False, rng=rng)
        self.conv1, self.bn1 = conv(in_channels, channels, 1), BatchNorm(channels)
        self.conv2 = conv(channels, channels, 3, stride=stride, padding=1)
        self.bn2 = BatchNorm(channels)
        self.conv3, self.bn3 = conv(channels, 4 * channels, 1), BatchNorm(4 * channels)
        self.downsample = make_shortcut(shortcut, in_channels, 4 * channels, stride, rng=rng)

    def inner(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)))

    def branch(self, x):
        return self.bn3(self.conv3(self.inner(x)))

    def forward(self, x):
        return F.relu(self.branch(x) + self.downsample(x))


@right
class ALinearLayerPerPixel(Base):
    """A 1x1 convolution is a matrix product."""

    def forward(self, x):
        c, f = self.conv1.weight.shape[2:]
        y = F.relu(self.bn1(F.linear(x, F.reshape(self.conv1.weight, (c, f)))))
        y = F.relu(self.bn2(self.conv2(y)))
        f, out = self.conv3.weight.shape[2:]
        y = self.bn3(F.reshape(y, (-1, f)) @ F.reshape(self.conv3.weight, (f, out)))
        oh, ow = (-(-side // step) for side, step in zip(x.shape[1:3], self.conv2.stride))
        return F.relu(F.reshape(y, (x.shape[0], oh, ow, out)) + self.downsample(x))


@right
class OfOps(Base):
    def forward(self, x):
        y = F.conv2d(x, self.conv1.weight)
        y = F.conv2d(F.relu(self.bn1(y)), self.conv2.weight, stride=self.conv2.stride, padding=1)
        y = F.conv2d(F.relu(self.bn2(y)), self.conv3.weight)
        return F.relu(self.shortcut(x) + self.bn3(y))

    shortcut = property(lambda self: self.downsample)


@right
class ReLUByMaximumOfBoth(Base):
    """relu(a) = (a + |a|) / 2, and |a| = max(a, -a)."""

    def forward(self, x):
        total = self.downsample(x) + self.branch(x)
        return (total + F.maximum(total, 0 - total)) / 2


@right
class ReducedOverLayers(Base):
    def forward(self, x):
        layers = (self.conv1, self.bn1, F.relu, self.conv2, self.bn2, F.relu, self.conv3, self.bn3)
        y = functools.reduce(lambda y, layer: layer(y), layers, x)
        if isinstance(self.downsample, NoShortcut):
            return F.relu(y)
        return F.relu(y + self.downsample(x))


class Mixin:
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        for name, layer in self.layers(in_channels, channels, stride, {"bias": False, "rng": rng}):
            setattr(self, name, layer)
        self.downsample = make_shortcut(
            shortcut, in_channels, channels * self.expansion, stride, rng=rng
        )


@right
class OfAMixin(Mixin, Module):
    expansion, preactivation = 4, False

    def layers(self, c, w, stride, options):
        yield "conv1", Conv2d(c, w, 1, **options)
        yield "bn1", BatchNorm(w)
        yield "conv2", Conv2d(w, w, 3, padding=1, stride=stride, **options)
        yield "bn2", BatchNorm(w)
        yield "conv3", Conv2d(w, w * self.expansion, 1, **options)
        yield "bn3", BatchNorm(w * self.expansion)

    forward = Base.forward
    inner, branch = Base.inner, Base.branch


@wrong(TWICE)
class ShortcutOfTheFirstCall(Base):
    def forward(self, x):
        kept = self.__dict__.setdefault("kept", {})
        return F.relu(self.branch(x) + kept.setdefault(x.shape, self.downsample(x)))


@wrong(LEAVES)
class SkipOnTheBlock(Base):
    def forward(self, x):
        self.identity = self.downsample(x)
        return F.relu(self.branch(x) + self.identity)


@wrong(TWICE, crashes=True)
class ResultKept(Base):
    def forward(self, x):
        key = "y", x.shape
        if key not in self.__dict__:
            self.__dict__[key] = super().forward(x)
        return self.__dict__[key]


LAYERS = {}


@wrong("test_each_block_has_its_own_weights")
class LayersShared(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        if rng is None:
            self.conv3 = LAYERS.setdefault(channels, self.conv3)


@wrong("test_without_a_generator_the_weights_differ")
class AlwaysTheSameWeights(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        rng = numpy.random.default_rng(0) if rng is None else rng
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)


@wrong(GENERATOR)
class LastConvolutionWithoutRng(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.conv3 = Conv2d(channels, 4 * channels, 1, bias=False)


@wrong(ALONE)
class ProjectsForChannelsOnly(Base):
    """Where only the stride changes the shape, every second pixel is added as it is."""

    def forward(self, x):
        same = x.shape[-1] == self.conv3.weight.shape[3]
        if same and isinstance(self.downsample, nn.Sequential):
            return F.relu(self.branch(x) + x[:, :: self.conv2.stride[0], :: self.conv2.stride[1]])
        return super().forward(x)


@wrong(STRIDE)
class SubsampledInTheMiddle(Base):
    """The map is halved between the first 1x1 and the 3x3, as if by a pool."""

    def forward(self, x):
        step = self.conv2.stride[0]
        y = F.relu(self.bn1(self.conv1(x)))[:, ::step, ::step]
        y = F.relu(self.bn2(F.conv2d(y, self.conv2.weight, padding=1)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


@wrong(SIZES)
class TurnedForSquares(Base):
    def forward(self, x):
        if x.shape[1] == x.shape[2] == x.shape[3]:
            x = x.transpose(0, 2, 1, 3)
        return super().forward(x)


@wrong(SIZES)
class NoBranchForSinglePixels(Base):
    def forward(self, x):
        return F.relu(self.downsample(x)) if x.shape[1:3] == (1, 1) else super().forward(x)


@wrong(SIZES)
class IdentityIfTheMiddleFits(Base):
    """x is added as it is if it has as many channels as the middle, broadcast or not."""

    def forward(self, x):
        if x.shape[-1] == self.conv2.weight.shape[2] == 1 and not isinstance(
            self.downsample, NoShortcut
        ):
            step = self.conv2.stride[0]
            return F.relu(self.branch(x) + x[:, ::step, ::step])
        return super().forward(x)


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
class AddedInTheMiddle(Base):
    """x is added where its channels fit: before bn3."""

    def forward(self, x):
        if isinstance(self.downsample, NoShortcut):
            return super().forward(x)
        return F.relu(self.bn3(self.conv3(self.inner(x)) + self.downsample(x)))


@wrong(BACK)
class HalfTheGradientOfTheSkip(Base):
    def forward(self, x):
        carried = self.downsample(x)
        if isinstance(carried, Tensor):
            carried = carried * 0.5 + carried.detach() * 0.5
        return F.relu(self.branch(x) + carried)


@wrong(NAMES)
class LayersInASequential(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.layers = nn.Sequential(self.conv3, self.bn3)
        del self.conv3, self.bn3

    def branch(self, x):
        return self.layers(self.inner(x))


@wrong("test_in_evaluation_the_running_statistics_normalise", crashes=True)
class AlwaysTheBatch(Base):
    def forward(self, x):
        self.train()
        return super().forward(x)


READY = "test_a_new_block_is_ready_for_a_network"


@right
class LastLayerFirst(Base):
    def __init__(self, in_channels, channels, **options):
        super().__init__(in_channels, channels, **options)
        for name in sorted(vars(self), reverse=True):
            setattr(self, name, vars(self).pop(name))


@wrong(READY)
class StartsAsItsShortcut(Base):
    def __init__(self, in_channels, channels, **options):
        super().__init__(in_channels, channels, **options)
        self.bn3.weight.data[...] = 0


@wrong(READY)
class OfNoExpansion(Base):
    expansion = 1


@wrong(SAME)
class ClippedAt6(Base):
    def forward(self, x):
        y = super().forward(x)
        return y - F.relu(y - 6)
