"""Pre-activated blocks: batch norm and ReLU come before each convolution, so that x passes through unchanged.

Source  He et al. 2016, "Identity Mappings in Deep Residual Networks".
"""

from minires import functional as F
from minires.models.resnet import BasicBlock, make_shortcut
from minires.nn import BatchNorm, Conv2d, Identity, Module
from minires.nn.init import Generator
from minires.ops.forms import has_forms
from minires.tensor import Tensor


class PreActivationBasicBlock(Module):
    """3x3, 3x3. shortcut  as in BasicBlock"""

    expansion, preactivation = 1, True

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        stride: int = 1,
        shortcut: str = "B",
        rng: Generator | None = None,
    ) -> None:
        self.bn1 = BatchNorm(in_channels)
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False, rng=rng)
        self.bn2 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False, rng=rng)
        self.downsample = make_shortcut(
            shortcut, in_channels, channels, stride, norm=False, rng=rng
        )

    shortcut = BasicBlock.shortcut

    @has_forms
    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn1(x))
        y = self.conv1(active)
        y = self.conv2(F.relu(self.bn2(y)))
        return y + carried(self.shortcut, x, active)


class PreActivationBottleneck(Module):
    """1x1, 3x3, 1x1 to four times the channels. shortcut  as in BasicBlock"""

    expansion, preactivation = 4, True

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        stride: int = 1,
        shortcut: str = "B",
        rng: Generator | None = None,
    ) -> None:
        self.bn1 = BatchNorm(in_channels)
        self.conv1 = Conv2d(in_channels, channels, 1, bias=False, rng=rng)
        self.bn2 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False, rng=rng)
        self.bn3 = BatchNorm(channels)
        self.conv3 = Conv2d(channels, 4 * channels, 1, bias=False, rng=rng)
        self.downsample = make_shortcut(
            shortcut, in_channels, 4 * channels, stride, norm=False, rng=rng
        )

    shortcut = BasicBlock.shortcut

    @has_forms
    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn1(x))
        y = self.conv1(active)
        y = self.conv2(F.relu(self.bn2(y)))
        y = self.conv3(F.relu(self.bn3(y)))
        return y + carried(self.shortcut, x, active)


def carried(shortcut: Module, x: Tensor, active: Tensor) -> Tensor:
    """Return the tensor that a pre-activated block adds: x itself, or if the shape changes, the shortcut of the activated x.

    The authors' code does the same (github.com/KaimingHe/resnet-1k-layers). In the paper's appendix, the first block of the net
    adds the activated x even if the shape stays the same.
    """
    return x if isinstance(shortcut, Identity) else shortcut(active)
