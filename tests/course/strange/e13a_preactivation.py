"""Strange solutions of 13a."""

import copy
import functools

import numpy

from minires import functional as F
from minires.backend import xp
from minires.models.resnet import make_shortcut
from minires.nn import BatchNorm, Conv2d, Module
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

NAMES = "test_the_layers_have_their_names_and_shapes"
ZERO = "test_with_a_branch_of_0_x_passes_unchanged"
SAME = "test_where_the_shape_stays_the_branch_is_added_to_x"
CHANGED = "test_where_the_shape_changes_the_shortcut_is_added"
STRIDE = "test_the_stride_alone_changes_the_shape_too"
SIZES = "test_sizes_may_be_equal_or_1"
TWICE = "test_a_block_may_run_twice_before_a_backward_pass"
BACK = "test_gradients_flow_through_branch_and_shortcut"
LEFT = "test_a_pass_leaves_nothing_on_the_block"


class Base(Module):
    """A right one."""

    expansion, preactivation = 1, True

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        conv = functools.partial(Conv2d, padding=1, bias=False, rng=rng)
        self.bn1, self.conv1 = BatchNorm(in_channels), conv(in_channels, channels, 3, stride=stride)
        self.bn2, self.conv2 = BatchNorm(channels), conv(channels, channels, 3)
        self.same = (stride, in_channels) == (1, channels)
        self.downsample = make_shortcut(
            shortcut, in_channels, channels, stride, norm=False, rng=rng
        )

    def branch(self, active):
        return self.conv2(F.relu(self.bn2(self.conv1(active))))

    def forward(self, x):
        active = F.relu(self.bn1(x))
        return self.branch(active) + self.downsample(x if self.same else active)


@right
class LayersInALoop(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        for i, (inputs, step) in enumerate(((in_channels, stride), (channels, 1)), 1):
            setattr(self, f"bn{i}", BatchNorm(inputs))
            conv = Conv2d(inputs, channels, 3, stride=step, padding=1, bias=False, rng=rng)
            setattr(self, f"conv{i}", conv)
        self.downsample = make_shortcut(
            shortcut, in_channels, channels, stride, norm=False, rng=rng
        )

    def forward(self, x):
        y = x
        for i in (1, 2):
            active = F.relu(getattr(self, f"bn{i}")(y))
            if i == 1:
                kept = self.downsample(x)
                kept = kept if kept is x else self.downsample(active)
            y = getattr(self, f"conv{i}")(active)
        return y + kept


@right
class OfOps(Base):
    """The layers hold the weights only."""

    def branch(self, active):
        y = F.conv2d(active, self.conv1.weight, stride=self.conv1.stride, padding=1)
        y = F.relu(self.bn2(y))
        return F.conv2d(y, self.conv2.weight, padding=(1, 1))


@right
class ReLUByAbs(Base):
    """relu(a) = (a + |a|) / 2, and |a| = max(a, -a)."""

    def forward(self, x):
        def relu(a):
            return (a + F.maximum(a, 0 - a)) / 2

        active = relu(self.bn1(x))
        y = self.conv2(relu(self.bn2(self.conv1(active))))
        return y + self.downsample(x if self.same else active)


@right
class ShapesCompared(Base):
    """It finds out from the branch's result whether the shape has changed."""

    def forward(self, x):
        active = F.relu(self.bn1(x))
        y = self.branch(active)
        unchanged = y.shape == x.shape and self.conv1.stride == (1, 1)
        return y + self.downsample(x if unchanged else active)


@right
class TwoForwards(Module):
    """One of two methods is chosen in __init__ and stored under a name of its own."""

    expansion, preactivation = 1, True

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        Base.__init__(self, in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.which = "clean" if self.same else "changing"

    def clean(self, x):
        return self.downsample(x) + Base.branch(self, F.relu(self.bn1(x)))

    def changing(self, x):
        active = F.relu(self.bn1(x))
        return self.downsample(active) + Base.branch(self, active)

    def forward(self, x):
        return getattr(self, self.which)(x)


def _assembled():
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        Base.__init__(self, in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)

    def forward(self, x):
        return Base.forward(self, x)

    body = {"__init__": __init__, "forward": forward, "expansion": 1, "preactivation": True}
    return type(
        "PreActivationBasicBlock", (Module,), {**body, "branch": lambda s, a: Base.branch(s, a)}
    )


MadeByType = right(_assembled())


@wrong(ZERO)
class ReLUInPlace(Base):
    """The activated x is written over x, which the shortcut reads afterwards."""

    def forward(self, x):
        active = self.bn1(x)
        active = F.relu(active)
        if self.same:
            x = Tensor(xp.maximum(x.data, 0)) + (x - x.detach())
        return self.branch(active) + self.downsample(x if self.same else active)


@wrong(SAME)
class WritesToX(Base):
    """The numbers of x itself are changed."""

    def forward(self, x):
        y = self.branch(F.relu(self.bn1(x)))
        xp.maximum(x.data, 0, out=x.data)
        return y + self.downsample(x if self.same else F.relu(self.bn1(x)))


@wrong(TWICE)
class ShortcutOfTheFirstCall(Base):
    """Computed once, and kept for each shape."""

    def forward(self, x):
        active = F.relu(self.bn1(x))
        kept = self.__dict__.setdefault("kept", {})
        carried = kept.setdefault(x.shape, self.downsample(x if self.same else active))
        return self.branch(active) + carried


@wrong(LEFT)
class ActiveOnTheBlock(Base):
    def forward(self, x):
        self.active = F.relu(self.bn1(x))
        return self.branch(self.active) + self.downsample(x if self.same else self.active)


NORMS = {}


@wrong("test_two_blocks_share_nothing")
class SecondNormShared(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        if rng is None:
            self.bn2 = NORMS.setdefault(channels, self.bn2)


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


@wrong(STRIDE)
class StrideOf2Only(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.same = stride != 2 and in_channels == channels


@wrong(CHANGED)
class ChannelsPaddedBehind(Base):
    """Option A with all zero channels after the others."""

    def forward(self, x):
        y = super().forward(x)
        if type(self.downsample).__name__ != "PadShortcut":
            return y
        active = F.relu(self.bn1(x))
        s = self.downsample.stride
        more = y.shape[-1] - x.shape[-1]
        padded = F.pad(active[:, ::s, ::s], ((0, 0), (0, 0), (0, 0), (0, more)))
        return self.branch(active) + padded


@wrong("test_x_may_be_part_of_a_larger_array")
class AsItIsInMemory(Base):
    def forward(self, x):
        order = xp.array(x.data.ravel(order="K").reshape(x.shape))
        return super().forward(x + (Tensor(order) - Tensor(x.data)))


@wrong("test_float32_stays_float32")
class InFloat64(Base):
    def forward(self, x):
        return super().forward(x) * Tensor(xp.ones(1, "float64"))


@wrong("test_in_training_the_running_statistics_move")
class NormedTwice(Base):
    """The first norm runs once for each path, and its running statistics move twice."""

    def forward(self, x):
        y = self.branch(F.relu(self.bn1(x)))
        return y + self.downsample(x if self.same else F.relu(self.bn1(x)))


@wrong("test_in_evaluation_the_running_statistics_normalise")
class AlwaysTraining(Base):
    def forward(self, x):
        self.train()
        return super().forward(x)


@wrong(BACK)
class HalfTheGradientOfTheShortcut(Base):
    def forward(self, x):
        active = F.relu(self.bn1(x))
        carried = self.downsample(x if self.same else active)
        if isinstance(carried, Tensor):
            carried = carried * 0.5 + carried.detach() * 0.5
        return self.branch(active) + carried


@wrong(NAMES)
class NormsNamedInReverse(Base):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.bn1, self.bn2 = self.bn2, self.bn1

    def branch(self, active):
        return self.conv2(F.relu(self.bn1(self.conv1(active))))

    def forward(self, x):
        active = F.relu(self.bn2(x))
        return self.branch(active) + self.downsample(x if self.same else active)


@wrong(CHANGED)
class NarrowerBlocksReadX(Base):
    """It takes the shape to change only where there are more channels, or a stride."""

    def __init__(self, in_channels, channels, **options):
        super().__init__(in_channels, channels, **options)
        self.same = options.get("stride", 1) == 1 and channels <= in_channels


@wrong("test_the_weights_come_from_the_generator_that_is_given")
class GeneratorCopied(Base):
    """All blocks that are made with one generator start from the same weights."""

    def __init__(self, in_channels, channels, *, rng=None, **options):
        super().__init__(in_channels, channels, rng=copy.deepcopy(rng), **options)
