"""Exercise 12c: what goes wrong with a bottleneck."""

from minires import functional as F
from minires.models.resnet import NoShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, Module


def in_engine(block):
    """Return a function that has this class for bottlenecks, and declines other kinds."""

    def chosen(kind, preactivation=False):
        return block if (kind, preactivation) == ("bottleneck", False) else NotImplemented

    return chosen


class _Block(Module):
    """A right bottleneck whose parts can be wrong."""

    expansion, preactivation = 4, False
    bias, wide, middle, first = False, 4, 3, 1

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        strides, rng = self._strides(stride), self._generator(rng)
        inner, out = self._inner(channels), self.wide * channels
        sizes = [(in_channels, inner), (inner, inner), (inner, out)]
        kernels = (self.first, self.middle, 1)
        for i, ((c, f), kernel, step) in enumerate(zip(sizes, kernels, strides), 1):
            conv = Conv2d(c, f, kernel, stride=step, padding=kernel // 2, bias=self.bias, rng=rng)
            setattr(self, f"conv{i}", conv)
            setattr(self, f"bn{i}", BatchNorm(f))
        self.downsample = self._shortcut(shortcut, in_channels, channels, stride, rng)

    def _generator(self, rng):
        """Return the generator of the weights."""
        return rng

    def _inner(self, channels):
        """Return the channels in the middle."""
        return channels

    def _strides(self, stride):
        """Return the strides of the three convolutions."""
        return 1, stride, 1

    def _shortcut(self, kind, in_channels, channels, stride, rng):
        """Return the module of the shortcut."""
        return make_shortcut(kind, in_channels, self.wide * channels, stride, rng=rng)

    def _branch(self, x):
        """Compute the branch, up to the sum."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return self.bn3(self.conv3(y))

    def forward(self, x):
        return F.relu(self._branch(x) + self.downsample(x))


class stride_on_the_first(_Block):
    """the first 1x1 has the stride, as in the paper: here the 3x3 has it. The shapes are the same, but the values differ"""

    def _strides(self, stride):
        return stride, 1, 1


class stride_on_the_last(_Block):
    """the last 1x1 has the stride: it should be on the 3x3, which then has less to do"""

    def _strides(self, stride):
        return 1, 1, stride


class stride_on_the_first_two(_Block):
    """two convolutions have the stride: only the 3x3 should"""

    def _strides(self, stride):
        return stride, stride, 1


class relu_before_the_sum(_Block):
    """a ReLU follows bn3: the last one belongs after the sum, and the branch may subtract"""

    def forward(self, x):
        return F.relu(self._branch(x)) + self.downsample(x)


class relu_on_both_sides(_Block):
    """a ReLU follows bn3, and another one the sum: with the first, the branch can never subtract"""

    def _branch(self, x):
        return F.relu(super()._branch(x))


class last_relu_missing(_Block):
    """the ReLU after the sum is missing"""

    def forward(self, x):
        return self._branch(x) + self.downsample(x)


class first_relu_missing(_Block):
    """the ReLU after bn1 is missing: without it the first 1x1 and the 3x3 amount to one convolution"""

    def _branch(self, x):
        y = self.bn1(self.conv1(x))
        return self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))


class second_relu_missing(_Block):
    """the ReLU after bn2 is missing: without it the 3x3 and the last 1x1 amount to one convolution"""

    def _branch(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return self.bn3(self.conv3(self.bn2(self.conv2(y))))


class skip_dropped(_Block):
    """x is not added: what is left is a plain network"""

    def forward(self, x):
        return F.relu(self._branch(x))


class x_unprojected(_Block):
    """x is added unchanged, although its shape has to change too: that is what self.downsample is for"""

    def forward(self, x):
        none = isinstance(self.downsample, NoShortcut)
        return F.relu(self._branch(x) + (0.0 if none else x))


class wide_in_the_middle(_Block):
    """the expansion is in the middle: there the channels should be few, and at the end four times as many"""

    def _inner(self, channels):
        return 4 * channels


class no_expansion(_Block):
    """the last 1x1 keeps the channels: it should lead to four times as many"""

    wide = 1


class narrow_shortcut(_Block):
    """the shortcut leads to `channels`: what comes out of the branch has four times as many"""

    def _shortcut(self, kind, in_channels, channels, stride, rng):
        return make_shortcut(kind, in_channels, channels, stride, rng=rng)


class three_by_three_first(_Block):
    """the first convolution is 3x3: it should be 1x1, and only make the channels few"""

    first = 3


class with_biases(_Block):
    """the convolutions have biases: batch norm subtracts them again, so they have no effect"""

    bias = True


class rng_left_out(_Block):
    """rng is not passed on: the weights come from the default generator, whatever the caller asked for"""

    def _generator(self, rng):
        return None


class skip_detached(_Block):
    """the shortcut is cut off from the graph: its gradient is lost"""

    def forward(self, x):
        return F.relu(self._branch(x) + self.downsample(x.detach()))
