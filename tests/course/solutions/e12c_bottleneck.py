"""Solutions of 12c."""

from minires import functional as F
from minires import nn
from minires.models.resnet import NoShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, Module
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

NAMES = "test_the_layers_have_their_names_and_shapes"
SAME = "test_where_the_shape_stays_x_itself_is_added"
CHANGED = "test_where_the_channels_change_a_projection_of_x_is_added"
STRIDE, BELOW = "test_the_3x3_has_the_stride", "test_a_sum_below_0_becomes_0"
BACK = "test_gradients_flow_through_branch_and_shortcut"
GENERATOR = "test_the_weights_come_from_the_generator_that_is_given"


class Base(Module):
    """The layers of a right one."""

    expansion, preactivation = 4, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        out = channels * self.expansion
        self.conv1 = Conv2d(in_channels, channels, 1, bias=False, rng=rng)
        self.bn1 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False, rng=rng)
        self.bn2 = BatchNorm(channels)
        self.conv3, self.bn3 = Conv2d(channels, out, 1, bias=False, rng=rng), BatchNorm(out)
        self.downsample = make_shortcut(shortcut, in_channels, out, stride, rng=rng)

    @property
    def adds(self):
        return not isinstance(self.downsample, NoShortcut)

    def outer(self, y):
        return self.bn3(self.conv3(y))


@right
class StepByStep(Base):
    def forward(self, x):
        y = self.conv1(x)
        y = F.relu(self.bn1(y))
        y = self.conv2(y)
        y = F.relu(self.bn2(y))
        y = self.conv3(y)
        y = self.bn3(y) + self.downsample(x)
        return F.relu(y)


@right
class ShortcutFirst(Base):
    def forward(self, x):
        carried = self.downsample(x)
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2)):
            x = F.relu(bn(conv(x)))
        return F.relu(carried + self.outer(x))


@right
class InALoop(Module):
    expansion, preactivation = 4, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        rows = [(in_channels, channels, 1, 1), (channels, channels, 3, stride), (channels, 4 * channels, 1, 1)]  # fmt: skip
        for i, (c, f, kernel, step) in enumerate(rows, 1):
            conv = nn.Conv2d(
                c, f, (kernel, kernel), stride=step, padding=(kernel - 1) // 2, bias=False, rng=rng
            )
            setattr(self, f"conv{i}", conv)
            setattr(self, f"bn{i}", nn.BatchNorm(f))
        self.downsample = make_shortcut(shortcut, in_channels, rows[-1][1], stride, rng=rng)

    def forward(self, x):
        y = x
        for i in (1, 2, 3):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            y = F.maximum(y if i < 3 else y + self.downsample(x), 0.0)
        return y


class Redone(Base):
    """A right one whose layers are replaced afterwards: `changed` names them."""

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.changed(in_channels, channels, stride, shortcut, rng)

    forward = StepByStep.forward


@wrong(STRIDE, mistake="stride_on_the_first")
class AsInThePaper(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.conv1.stride, self.conv2.stride = self.conv2.stride, self.conv1.stride


@wrong(STRIDE, mistake="stride_on_the_last")
class HalvedLate(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.conv3.stride, self.conv2.stride = (stride, stride), (1, 1)


@wrong(STRIDE, mistake="stride_on_the_first_two", crashes=True)
class HalvedTwice(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.conv1.stride = (stride, stride)


@wrong(BELOW, mistake="relu_before_the_sum")
class AddedLast(Base):
    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return self.downsample(x) + F.relu(self.outer(y))


@wrong(SAME, mistake="relu_on_both_sides")
class ReLUAfterEachNorm(Base):
    def forward(self, x):
        y = x
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            y = F.maximum(bn(conv(y)), 0)
        return F.relu(y + self.downsample(x))


@wrong(BELOW, mistake="last_relu_missing")
class NoReLUAtTheEnd(Base):
    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return self.outer(y) + self.downsample(x)


@wrong(SAME, mistake="first_relu_missing")
class TwoInARow(Base):
    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(self.bn1(self.conv1(x)))))
        return F.relu(self.downsample(x) + self.outer(y))


@wrong(SAME, mistake="second_relu_missing")
class TwoInARowAtTheEnd(Base):
    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(self.downsample(x) + self.outer(y))


@wrong(SAME, mistake="skip_dropped")
class Plain(Base):
    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.outer(y))


@wrong(CHANGED, mistake="x_unprojected", crashes=True)
class AsItCame(Base):
    def forward(self, x):
        y = self.outer(F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))))
        return F.relu(y + x if self.adds else y)


@wrong(NAMES, mistake="wide_in_the_middle")
class ABarrel(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        wide = 4 * channels
        self.conv1, self.bn1 = Conv2d(in_channels, wide, 1, bias=False, rng=rng), BatchNorm(wide)
        self.conv2 = Conv2d(wide, wide, 3, stride=stride, padding=1, bias=False, rng=rng)
        self.bn2, self.conv3 = BatchNorm(wide), Conv2d(wide, wide, 1, bias=False, rng=rng)


@wrong(NAMES, mistake="no_expansion")
class APipe(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.conv3, self.bn3 = (
            Conv2d(channels, channels, 1, bias=False, rng=rng),
            BatchNorm(channels),
        )
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)


@wrong(NAMES, mistake="narrow_shortcut")
class ShortcutToTheMiddle(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)


@wrong(NAMES, mistake="three_by_three_first")
class TwoLargeKernels(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.conv1 = Conv2d(in_channels, channels, 3, padding=(1, 1), bias=False, rng=rng)


@wrong(NAMES, mistake="with_biases")
class Biased(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.conv1 = Conv2d(in_channels, channels, 1, rng=rng)
        self.conv2 = Conv2d(channels, channels, 3, stride=stride, padding=1, rng=rng)
        self.conv3 = Conv2d(channels, 4 * channels, 1, rng=rng)


@wrong(GENERATOR, mistake="rng_left_out")
class TheDefaultGenerator(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut)


@wrong(BACK, mistake="skip_detached")
class OnlyTheNumbersOfX(Base):
    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.outer(y) + self.downsample(Tensor(x.data)))


@wrong(BACK)
class OnlyTheNumbersOfTheBranch(Base):
    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(Tensor(self.outer(y).data) + self.downsample(x))


@wrong(GENERATOR)
class ForgottenInTheShortcut(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.downsample = make_shortcut(shortcut, in_channels, 4 * channels, stride)


@wrong(NAMES)
class ProjectsAlways(Redone):
    def changed(self, in_channels, channels, stride, shortcut, rng):
        conv = Conv2d(in_channels, 4 * channels, 1, stride=stride, bias=False, rng=rng)
        self.downsample = nn.Sequential(conv, BatchNorm(4 * channels))


@wrong(STRIDE)
class PaddedOnTheFirst(Redone):
    """The padding is on the 1x1: on the 3x3 it makes no difference to the size."""

    def changed(self, in_channels, channels, stride, shortcut, rng):
        self.conv1.padding, self.conv2.padding = self.conv2.padding, self.conv1.padding


@wrong(SAME)
class TheMiddleNormTwice(Base):
    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn1(self.conv2(y)))
        return F.relu(self.outer(y) + self.downsample(x))


@wrong(SAME)
class LastNormMissing(Base):
    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.conv3(y) + self.downsample(x))


@wrong("test_a_plain_block_adds_nothing")
class NeverPlain(StepByStep):
    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.outer(y) + (self.downsample(x) if self.adds else x))


@wrong("test_in_training_the_running_statistics_move")
class RunTwice(StepByStep):
    def forward(self, x):
        super().forward(x)
        return super().forward(x)
