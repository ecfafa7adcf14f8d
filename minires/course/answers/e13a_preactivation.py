"""Exercise 13a: what goes wrong with a pre-activated block."""

from minires import functional as F
from minires.models.resnet import NoShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, Identity, Module


def in_engine(block):
    """Return a block_class for pre-activated basic blocks only."""

    def chosen(kind, preactivation=False):
        return block if (kind, preactivation) == ("basic", True) else NotImplemented

    return chosen


class _Block(Module):
    """A right block whose parts can be wrong."""

    expansion, preactivation = 1, True
    bias, norm = False, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        (first, second), rng = self._strides(stride), self._generator(rng)
        self.bn1 = BatchNorm(self._normed(in_channels, channels))
        self.conv1 = Conv2d(
            in_channels, channels, 3, stride=first, padding=1, bias=self.bias, rng=rng
        )
        self.bn2 = BatchNorm(channels)
        self.conv2 = Conv2d(
            channels, channels, 3, stride=second, padding=1, bias=self.bias, rng=rng
        )
        self.downsample = make_shortcut(
            shortcut, in_channels, channels, stride, norm=self.norm, rng=rng
        )

    def _normed(self, in_channels, channels):
        """Return the number of channels of the first batch norm."""
        return in_channels

    def _generator(self, rng):
        """Return the generator of the weights."""
        return rng

    def _strides(self, stride):
        """Return the strides of the two convolutions."""
        return stride, 1

    def _active(self, x):
        """Compute what the first convolution reads."""
        return F.relu(self.bn1(x))

    def _inner(self, y):
        """Compute what the second convolution reads."""
        return F.relu(self.bn2(y))

    def _carried(self, x, active):
        """Compute what the shortcut adds."""
        return x if isinstance(self.downsample, Identity) else self.downsample(active)

    def forward(self, x):
        active = self._active(x)
        return self.conv2(self._inner(self.conv1(active))) + self._carried(x, active)


class activated_x_added(_Block):
    """relu(bn1(x)) is added where the shape stays the same: x itself has to reach the sum, or the path isn't clean"""

    def _carried(self, x, active):
        return self.downsample(active)


class projection_of_x(_Block):
    """the shortcut reads x where the shape changes: it should read relu(bn1(x)), as the first convolution does"""

    def _carried(self, x, active):
        return self.downsample(x)


class relu_after_the_sum(_Block):
    """a ReLU follows the sum, as in the block of 2015: here nothing may follow it"""

    def forward(self, x):
        return F.relu(super().forward(x))


class projection_normed(_Block):
    """the shortcut has a batch norm of its own: what it reads is normalised already, so pass norm=False"""

    norm = True


class norm_as_wide_as_the_result(_Block):
    """the first batch norm has as many channels as the result: it comes before conv1, so it needs those of x"""

    def _normed(self, in_channels, channels):
        return channels


class relu_before_norm(_Block):
    """ReLU comes before batch norm, in both places: batch norm comes first"""

    def _active(self, x):
        return self.bn1(F.relu(x))

    def _inner(self, y):
        return self.bn2(F.relu(y))


class first_relu_missing(_Block):
    """the ReLU after bn1 is missing"""

    def _active(self, x):
        return self.bn1(x)


class second_relu_missing(_Block):
    """the ReLU after bn2 is missing"""

    def _inner(self, y):
        return self.bn2(y)


class first_norm_missing(_Block):
    """bn1 exists but isn't used: the first convolution reads relu(x)"""

    def _active(self, x):
        return F.relu(x)


class second_norm_missing(_Block):
    """bn2 exists but isn't used: the second convolution reads relu(conv1(...))"""

    def _inner(self, y):
        return F.relu(y)


class skip_dropped(_Block):
    """x isn't added: what is left is a plain network"""

    def _carried(self, x, active):
        return 0.0


class never_plain(_Block):
    """x is added in a plain network too: there self.downsample returns 0"""

    def _carried(self, x, active):
        same = x.shape[-1] == self.conv2.weight.shape[-1] and self.conv1.stride == (1, 1)
        return x if same else self.downsample(active)


class only_the_channels_compared(_Block):
    """x is added unchanged where only the number of channels stays the same: a stride changes the shape too"""

    def _carried(self, x, active):
        if isinstance(self.downsample, NoShortcut):
            return 0.0
        return x if x.shape[-1] == self.conv2.weight.shape[-1] else self.downsample(active)


class stride_on_the_second(_Block):
    """the second convolution has the stride instead of the first: the shapes are the same, but the values differ"""

    def _strides(self, stride):
        return 1, stride


class with_biases(_Block):
    """the convolutions have biases"""

    bias = True


class rng_left_out(_Block):
    """rng isn't passed on: the weights come from the default generator, whatever the caller asked for"""

    def _generator(self, rng):
        return None


class skip_detached(_Block):
    """the shortcut is cut off from the graph: its gradient is lost"""

    def _carried(self, x, active):
        return super()._carried(x.detach(), active.detach())
