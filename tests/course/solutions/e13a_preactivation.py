"""Solutions of 13a."""

from minires import functional as F
from minires import nn
from minires.models.resnet import NoShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, Identity, Module
from minires.tensor import Tensor
from tests.course.kinds import right, wrong


class Base(Module):
    """The layers of a right one, and whether the shape changes."""

    expansion, preactivation = 1, True

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        self.changes = stride != 1 or in_channels != channels
        options = {"padding": 1, "bias": False, "rng": rng}
        self.bn1 = BatchNorm(in_channels)
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, **options)
        self.bn2, self.conv2 = BatchNorm(channels), Conv2d(channels, channels, 3, **options)
        self.downsample = make_shortcut(
            shortcut, in_channels, channels, stride, norm=False, rng=rng
        )


@right
class StepByStep(Base):
    def forward(self, x):
        active = self.bn1(x)
        active = F.relu(active)
        y = self.conv1(active)
        y = self.bn2(y)
        y = F.relu(y)
        y = self.conv2(y)
        return y + self.downsample(active if self.changes else x)


@right
class ByTheKindOfShortcut(Base):
    def forward(self, x):
        active = F.relu(self.bn1(x))
        if isinstance(self.downsample, Identity):
            carried = x
        elif isinstance(self.downsample, NoShortcut):
            carried = 0.0
        else:
            carried = self.downsample(active)
        return carried + self.conv2(F.relu(self.bn2(self.conv1(active))))


@right
class ItsOwnShortcut(Module):
    """Without a module where there is nothing to compute."""

    expansion, preactivation = 1, True

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        self.bn1, self.bn2 = nn.BatchNorm(in_channels), nn.BatchNorm(channels)
        self.conv1 = nn.Conv2d(
            in_channels, channels, 3, stride=stride, padding=1, bias=False, rng=rng
        )
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False, rng=rng)
        self.downsample = None
        if shortcut == "none":
            self.adds = False
        else:
            self.adds = True
            if stride > 1 or in_channels != channels:
                self.downsample = make_shortcut(
                    shortcut, in_channels, channels, stride, norm=False, rng=rng
                )

    def forward(self, x):
        active = F.maximum(self.bn1(x), 0.0)
        y = self.conv2(F.maximum(self.bn2(self.conv1(active)), 0.0))
        if not self.adds:
            return y
        return y + (x if self.downsample is None else self.downsample(active))


@right
class BranchApart(Base):
    def branch(self, active):
        for layer in (self.conv1, self.bn2, F.relu, self.conv2):
            active = layer(active)
        return active

    def forward(self, x):
        active = F.relu(self.bn1(x))
        return self.branch(active) + self.downsample((x, active)[self.changes])


NAMES = "test_the_layers_have_their_names_and_shapes"
RNG = "test_the_weights_come_from_the_generator_that_is_given"
ZERO = "test_with_a_branch_of_0_x_passes_unchanged"
SAME = "test_where_the_shape_stays_the_branch_is_added_to_x"
CHANGED = "test_where_the_shape_changes_the_shortcut_is_added"
STRIDE = "test_the_stride_alone_changes_the_shape_too"
PLAIN = "test_a_plain_block_adds_nothing"
BACK = "test_gradients_flow_through_branch_and_shortcut"


@wrong(ZERO, mistake="activated_x_added")
class XOverwritten(Base):
    def forward(self, x):
        x = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(x))))
        return y + self.downsample(x)


@wrong(CHANGED, mistake="projection_of_x")
class IdentityKeptFirst(Base):
    def forward(self, x):
        carried = self.downsample(x)
        y = self.conv1(F.relu(self.bn1(x)))
        return self.conv2(F.relu(self.bn2(y))) + carried


@wrong(ZERO, mistake="relu_after_the_sum")
class ReLUAtTheEnd(StepByStep):
    def forward(self, x):
        total = super().forward(x)
        return F.maximum(total, 0)


@wrong(NAMES, mistake="projection_normed")
class ShortcutOf2015(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)


@wrong(CHANGED, mistake="norm_as_wide_as_the_result", crashes=True)
class BothNormsOfChannels(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.bn1, self.bn2 = BatchNorm(channels), BatchNorm(channels)


@wrong(SAME, mistake="relu_before_norm")
class ReLUThenNorm(Base):
    def forward(self, x):
        active = self.bn1(F.relu(x))
        y = self.bn2(F.relu(self.conv1(active)))
        return self.conv2(y) + self.downsample(active if self.changes else x)


@wrong(SAME, mistake="first_relu_missing")
class NormedOnly(Base):
    def forward(self, x):
        active = self.bn1(x)
        y = F.relu(self.bn2(self.conv1(active)))
        return self.conv2(y) + self.downsample(active if self.changes else x)


@wrong(SAME, mistake="second_relu_missing")
class TwoConvolutionsInARow(Base):
    def forward(self, x):
        active = F.relu(self.bn1(x))
        y = self.bn2(self.conv1(active))
        return self.conv2(y) + self.downsample(active if self.changes else x)


@wrong(SAME, mistake="first_norm_missing")
class ReLUOfXOnly(Base):
    def forward(self, x):
        active = F.relu(x)
        y = F.relu(self.bn2(self.conv1(active)))
        return self.conv2(y) + self.downsample(active if self.changes else x)


@wrong(SAME, mistake="second_norm_missing")
class OneNorm(Base):
    def forward(self, x):
        active = F.relu(self.bn1(x))
        y = F.relu(self.conv1(active))
        return self.conv2(y) + self.downsample(active if self.changes else x)


@wrong(ZERO, mistake="skip_dropped")
class Plain(Base):
    def forward(self, x):
        return self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x))))))


@wrong(PLAIN, mistake="never_plain")
class XWhereverItFits(Base):
    def forward(self, x):
        active = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(active))))
        return y + self.downsample(active) if self.changes else y + x


@wrong(STRIDE, mistake="only_the_channels_compared", crashes=True)
class ChannelsCompared(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        if in_channels == channels and shortcut != "none":
            self.downsample, self.changes = Identity(), False


@wrong(CHANGED, mistake="stride_on_the_second")
class HalvedLate(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.conv1.stride, self.conv2.stride = self.conv2.stride, self.conv1.stride


@wrong(NAMES, mistake="with_biases")
class Biased(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1, rng=rng)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, rng=rng)


@wrong(RNG, mistake="rng_left_out")
class TheDefaultGenerator(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut)


@wrong(BACK, mistake="skip_detached")
class OnlyTheNumbers(Base):
    def forward(self, x):
        active = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(active))))
        return y + self.downsample(Tensor((active if self.changes else x).data))


@wrong(CHANGED)
class NormedXCarried(Base):
    """The shortcut reads bn1(x), before the ReLU."""

    def forward(self, x):
        normed = self.bn1(x)
        y = self.conv2(F.relu(self.bn2(self.conv1(F.relu(normed)))))
        return y + self.downsample(normed if self.changes else x)


@wrong(SAME)
class OrderOf2015(Base):
    """Convolution, norm, ReLU, as if only the last ReLU had to go."""

    def forward(self, x):
        if self.changes:
            return StepByStep.forward(self, x)
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.downsample(x)


@wrong(SAME)
class TheFirstNormTwice(Base):
    def forward(self, x):
        if self.changes:
            return StepByStep.forward(self, x)
        active = F.relu(self.bn1(x))
        return self.conv2(F.relu(self.bn1(self.conv1(active)))) + self.downsample(x)


@wrong(SAME)
class ReLUOfTheBranch(Base):
    def forward(self, x):
        active = F.relu(self.bn1(x))
        y = F.relu(self.conv2(F.relu(self.bn2(self.conv1(active)))))
        return y + self.downsample(active if self.changes else x)


@wrong(SAME)
class SecondReadsX(Base):
    """Where the shapes allow it, the second convolution reads the block's input."""

    def forward(self, x):
        if self.changes:
            return StepByStep.forward(self, x)
        return self.conv2(F.relu(self.bn2(x))) + self.downsample(x)


@wrong(RNG)
class ForgottenInTheShortcut(StepByStep):
    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, norm=False)


@wrong(PLAIN)
class PlainAddsTheActive(Base):
    def forward(self, x):
        active = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(active))))
        plain = isinstance(self.downsample, NoShortcut) and not self.changes
        return y + (active if plain else self.downsample(active if self.changes else x))
