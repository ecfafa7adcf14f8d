"""The residual block, and what people build instead: ten variants, each a block for ResNet(block, (5, 5, 5), (8, 16, 32), shortcut="A").

    original                 relu(BN conv relu BN conv x + x)
    plain                    relu(BN conv relu BN conv x)
    pre-activation           conv relu BN conv relu BN x + x
    ReLU before the add      relu BN conv relu BN conv x + x
    BN after the add         relu(BN(conv relu BN conv x + x))
    all times 0.5            relu(0.5 BN conv relu BN conv x + 0.5 x)
    1x1 on each shortcut     relu(BN conv relu BN conv x + BN conv1x1 x)
    dropout on the shortcut  relu(BN conv relu BN conv x + dropout x)
    second conv reads x      relu(BN conv x + x), and the first convolution is for nothing
    gamma 0                  the original, whose last BN starts with gamma = 0
    conv ReLU BN             conv BN relu conv x + x

Read them from right to left: what is next to x comes first. Source  He et al. 2016, "Identity Mappings in Deep Residual
Networks", figures 2 and 4; "gamma 0" is Goyal et al. 2017, "Accurate, Large Minibatch SGD"; the other three are from tutorials and repositories.
"""

from minires import functional as F
from minires.models import BasicBlock, PreActivationBasicBlock
from minires.nn import BatchNorm, Conv2d, Dropout, Identity, Sequential


class Plain(BasicBlock):
    """Without the shortcut."""

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)))


class ReLUBeforeAdd(BasicBlock):
    """The last ReLU is in the branch, so F is never negative and x can only grow."""

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y))) + self.shortcut(x)


class BNAfterAdd(BasicBlock):
    """The last batch norm is on the sum, so it is on the shortcut too."""

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y) + self.shortcut(x)))


class AllTimesHalf(BasicBlock):
    """Branch and shortcut are halved."""

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(0.5 * self.bn2(self.conv2(y)) + 0.5 * self.shortcut(x))


class ConvOnShortcut(BasicBlock):
    """Each shortcut is a 1x1 convolution with batch norm, also where the shape stays the same."""

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut="none", rng=rng)
        projection = Conv2d(in_channels, channels, 1, stride=stride, bias=False, rng=rng)
        self.downsample = Sequential(projection, BatchNorm(channels))


class DropoutOnShortcut(BasicBlock):
    """In training, half of what the shortcut carries is dropped at random."""

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.dropout = Dropout(0.5, rng=rng)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.dropout(self.shortcut(x)))


class SecondConvReadsX(BasicBlock):
    """A typing error that runs where the shape stays the same; where it changes, the block is the original."""

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = x if isinstance(self.shortcut, Identity) else y
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class GammaZero(BasicBlock):
    """The last batch norm starts at gamma = 0: before the first step, F is 0."""

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        self.bn2.weight.data[:] = 0


class ConvReLUBN(BasicBlock):
    """ReLU before batch norm, only one batch norm, and nothing after the add."""

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        super().__init__(in_channels, channels, stride=stride, shortcut=shortcut, rng=rng)
        del self.bn2

    def forward(self, x):
        y = self.bn1(F.relu(self.conv1(x)))
        return self.conv2(y) + self.shortcut(x)


VARIANTS = {
    "original": BasicBlock,
    "plain": Plain,
    "pre-activation": PreActivationBasicBlock,
    "ReLU before the add": ReLUBeforeAdd,
    "BN after the add": BNAfterAdd,
    "all times 0.5": AllTimesHalf,
    "1x1 on each shortcut": ConvOnShortcut,
    "dropout on the shortcut": DropoutOnShortcut,
    "second conv reads x": SecondConvReadsX,
    "gamma 0": GammaZero,
    "conv ReLU BN": ConvReLUBN,
}
