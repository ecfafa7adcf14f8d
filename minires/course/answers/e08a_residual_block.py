"""Exercise 08a: what goes wrong with a residual block."""

from minires import functional as F
from minires.models.resnet import NoShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, Module


def in_engine(block):
    """Return block_class for basic blocks, with this class."""

    def chosen(kind, preactivation=False):
        return block if (kind, preactivation) == ("basic", False) else NotImplemented

    return chosen


class _Block(Module):
    """A right block whose parts can be wrong."""

    expansion, preactivation = 1, False
    bias = False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        (first, second), rng = self._strides(stride), self._generator(rng)
        self.conv1 = Conv2d(
            in_channels, channels, 3, stride=first, padding=1, bias=self.bias, rng=rng
        )
        self.bn1 = BatchNorm(channels)
        self.conv2 = Conv2d(
            channels, channels, 3, stride=second, padding=1, bias=self.bias, rng=rng
        )
        self.bn2 = BatchNorm(channels)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)

    def _generator(self, rng):
        """Return the generator of the weights."""
        return rng

    def _strides(self, stride):
        """Return the strides of the two convolutions."""
        return stride, 1

    def _branch(self, x):
        """Compute the branch, up to the sum."""
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))

    def _carried(self, x):
        """Compute what the shortcut adds."""
        return self.downsample(x)

    def forward(self, x):
        return F.relu(self._branch(x) + self._carried(x))


class skip_dropped(_Block):
    """x is not added: what is left is a plain network"""

    def forward(self, x):
        return F.relu(self._branch(x))


class relu_before_the_sum(_Block):
    """the last ReLU comes before the sum, which may then be negative: it belongs after the sum"""

    def forward(self, x):
        return F.relu(self._branch(x)) + self._carried(x)


class last_relu_missing(_Block):
    """the ReLU after the sum is missing"""

    def forward(self, x):
        return self._branch(x) + self._carried(x)


class inner_relu_missing(_Block):
    """the ReLU between the two convolutions is missing: without it they amount to one"""

    def _branch(self, x):
        return self.bn2(self.conv2(self.bn1(self.conv1(x))))


class second_norm_missing(_Block):
    """bn2 exists but is not used: what is added to x is not normalised"""

    def _branch(self, x):
        return self.conv2(F.relu(self.bn1(self.conv1(x))))


class one_norm_for_both(_Block):
    """bn1 is used in both places: each place needs its own weights and running statistics"""

    def _branch(self, x):
        return self.bn1(self.conv2(F.relu(self.bn1(self.conv1(x)))))


class x_unprojected(_Block):
    """x is added unchanged, although its shape has to change too: that is what self.downsample is for"""

    def _carried(self, x):
        return 0.0 if isinstance(self.downsample, NoShortcut) else x


class stride_on_both(_Block):
    """both convolutions have the stride: only the first one should"""

    def _strides(self, stride):
        return stride, stride


class stride_on_the_second(_Block):
    """the second convolution has the stride instead of the first: the shapes are the same, but the values differ"""

    def _strides(self, stride):
        return 1, stride


class with_biases(_Block):
    """the convolutions have biases: batch norm subtracts them again, so they have no effect"""

    bias = True


class rng_left_out(_Block):
    """rng is not passed on: the weights come from the default generator, whatever the caller asked for"""

    def _generator(self, rng):
        return None


class skip_detached(_Block):
    """the shortcut is cut off from the graph: its gradient is lost"""

    def _carried(self, x):
        return super()._carried(x.detach())


class branch_detached(_Block):
    """the branch is cut off from the graph: only x gets a gradient, and the layers learn nothing"""

    def _branch(self, x):
        return super()._branch(x).detach()
