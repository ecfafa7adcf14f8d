"""Solutions of 08a."""

from minires import functional as F
from minires import nn
from minires.models.resnet import NoShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, Module
from minires.tensor import Tensor
from tests.course.kinds import right, wrong


class Base(Module):
    """The layers of a right one."""

    expansion, preactivation = 1, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        options = {"padding": 1, "bias": False, "rng": rng}
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, **options)
        self.bn1 = BatchNorm(channels)
        self.conv2, self.bn2 = Conv2d(channels, channels, 3, **options), BatchNorm(channels)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)

    @property
    def adds(self):
        return not isinstance(self.downsample, NoShortcut)


@right
class StepByStep(Base):
    def forward(self, x):
        y = self.conv1(x)
        y = self.bn1(y)
        y = F.relu(y)
        y = self.conv2(y)
        y = self.bn2(y)
        y = y + self.downsample(x)
        return F.relu(y)


@right
class InOneGo(Base):
    def forward(self, x):
        return F.relu(self.downsample(x) + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


@right
class WithMaximum(Module):
    expansion, preactivation = 1, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        self.conv1 = nn.Conv2d(
            in_channels,
            channels,
            (3, 3),
            stride=(stride, stride),
            padding=(1, 1),
            bias=False,
            rng=rng,
        )
        self.bn1 = nn.BatchNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, (3, 3), padding=(1, 1), bias=False, rng=rng)
        self.bn2 = nn.BatchNorm(channels)
        self.downsample = (
            None
            if shortcut == "none"
            else make_shortcut(shortcut, in_channels, channels, stride, rng=rng)
        )

    def forward(self, x):
        parts = [self.downsample(x)] if self.downsample else []
        y = F.maximum(self.bn1(self.conv1(x)), 0.0)
        parts.append(self.bn2(self.conv2(y)))
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return F.maximum(total, 0.0)


NAMES = "test_the_layers_have_their_names_and_shapes"
SAME = "test_where_the_shape_stays_x_itself_is_added"
CHANGED = "test_where_the_shape_changes_a_projection_of_x_is_added"
BACK = "test_gradients_flow_through_branch_and_shortcut"


@wrong(SAME, mistake="skip_dropped")
class Plain(Base):
    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


@wrong("test_a_sum_below_0_becomes_0", mistake="relu_before_the_sum")
class AddedLast(Base):
    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return self.downsample(x) + y


@wrong("test_a_sum_below_0_becomes_0", mistake="last_relu_missing")
class NoReLUAtTheEnd(Base):
    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(y)) + self.downsample(x)


@wrong(SAME, mistake="inner_relu_missing")
class TwoConvolutionsInARow(Base):
    def forward(self, x):
        y = self.bn1(self.conv1(x))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


@wrong(SAME, mistake="second_norm_missing")
class NotNormalised(Base):
    def forward(self, x):
        y = self.conv2(F.relu(self.bn1(self.conv1(x))))
        return F.relu(y + self.downsample(x))


@wrong(SAME, mistake="one_norm_for_both")
class TheFirstNormTwice(Base):
    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn1(self.conv2(y))
        return F.relu(y + self.downsample(x))


@wrong(CHANGED, mistake="x_unprojected", crashes=True)
class AsItCame(Base):
    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + x if self.adds else y)


@wrong(CHANGED, mistake="stride_on_both", crashes=True)
class HalvedTwice(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.conv2.stride = (stride, stride)


@wrong(CHANGED, mistake="stride_on_the_second")
class HalvedLate(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.conv1.stride, self.conv2.stride = self.conv2.stride, self.conv1.stride


@wrong(NAMES, mistake="with_biases")
class Biased(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1, rng=rng)
        self.bn1 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, rng=rng)
        self.bn2 = BatchNorm(channels)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)


@wrong("test_the_weights_come_from_the_generator_that_is_given", mistake="rng_left_out")
class TheDefaultGenerator(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut)


@wrong("test_the_weights_come_from_the_generator_that_is_given")
class ForgottenInTheShortcut(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride)


@wrong(BACK, mistake="skip_detached")
class OnlyTheNumbersOfX(Base):
    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.downsample(Tensor(x.data)))


@wrong(BACK, mistake="branch_detached")
class OnlyTheNumbersOfTheBranch(Base):
    def forward(self, x):
        y = Tensor(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))).data)
        return F.relu(y + self.downsample(x))


@wrong(NAMES)
class ProjectsAlways(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.downsample = nn.Sequential(
            Conv2d(in_channels, channels, 1, stride=stride, bias=False, rng=rng),
            BatchNorm(channels),
        )


@wrong(NAMES)
class ShortcutWithoutNorm(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        if isinstance(self.downsample, nn.Sequential):
            self.downsample = nn.Sequential(self.downsample[0])


@wrong(SAME)
class ReLUInPlace(StepByStep):
    def forward(self, x):
        x.data[x.data < 0] = 0
        return super().forward(x)


@wrong(SAME)
class TheBranchAddedToItself(Base):
    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + y) if self.adds else StepByStep.forward(self, x)


@wrong(SAME)
class Halved(Base):
    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu((y + self.downsample(x)) * 0.5 if self.adds else y)


@wrong(SAME)
class ReLUBeforeTheNorm(Base):
    def forward(self, x):
        y = self.bn1(F.relu(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


@wrong("test_a_plain_block_adds_nothing")
class NeverPlain(Base):
    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if self.adds else x))


@wrong("test_in_evaluation_the_running_statistics_normalise")
class AlwaysTraining(StepByStep):
    def forward(self, x):
        self.train()
        return super().forward(x)


@wrong("test_in_training_the_running_statistics_move")
class RunTwice(StepByStep):
    def forward(self, x):
        super().forward(x)
        return super().forward(x)
