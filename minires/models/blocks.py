"""The blocks that residual networks are stacked from: F(x) + x.

shortcut  what x goes through where its shape changes: "A" pads with zero channels and has no parameters, "B" is a 1x1
          convolution with batch norm; "none" leaves x out altogether, and the net is plain
Source  He et al. 2015, "Deep Residual Learning", section 3.3 (A, B), figure 5; He et al. 2016, "Identity Mappings".
"""

from minires import functional as F
from minires import names
from minires.nn import BatchNorm, Conv2d, Identity, Module, Sequential

SHORTCUTS = ("A", "B", "none")


class BasicBlock(Module):
    """3x3, 3x3."""

    expansion, preactivation = 1, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B"):
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = BatchNorm(channels)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride)

    def forward(self, x):
        y = self.bn1(self.conv1(x), relu=True)
        return self.bn2(self.conv2(y), add=_shortcut(self.downsample, x), relu=True)


class Bottleneck(Module):
    """1x1, 3x3, 1x1 to four times the channels. The 3x3 has the stride, as in torchvision."""

    expansion, preactivation = 4, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B"):
        self.conv1 = Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = BatchNorm(channels)
        self.conv3 = Conv2d(channels, 4 * channels, 1, bias=False)
        self.bn3 = BatchNorm(4 * channels)
        self.downsample = make_shortcut(shortcut, in_channels, 4 * channels, stride)

    def forward(self, x):
        y = self.bn1(self.conv1(x), relu=True)
        y = self.bn2(self.conv2(y), relu=True)
        return self.bn3(self.conv3(y), add=_shortcut(self.downsample, x), relu=True)


class PreActivationBasicBlock(Module):
    """BasicBlock with batch norm and ReLU before each convolution, so that x passes untouched."""

    expansion, preactivation = 1, True

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B"):
        self.bn1 = BatchNorm(in_channels)
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, norm=False)

    def forward(self, x):
        active = self.bn1(x, relu=True)
        y = self.conv1(active)
        y = self.conv2(self.bn2(y, relu=True))
        return y + _carried(self.downsample, x, active) if self.downsample is not None else y


class PreActivationBottleneck(Module):
    """Bottleneck with batch norm and ReLU before each convolution."""

    expansion, preactivation = 4, True

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B"):
        self.bn1 = BatchNorm(in_channels)
        self.conv1 = Conv2d(in_channels, channels, 1, bias=False)
        self.bn2 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn3 = BatchNorm(channels)
        self.conv3 = Conv2d(channels, 4 * channels, 1, bias=False)
        self.downsample = make_shortcut(shortcut, in_channels, 4 * channels, stride, norm=False)

    def forward(self, x):
        active = self.bn1(x, relu=True)
        y = self.conv1(active)
        y = self.conv2(self.bn2(y, relu=True))
        y = self.conv3(self.bn3(y, relu=True))
        return y + _carried(self.downsample, x, active) if self.downsample is not None else y


class PadShortcut(Module):
    """Option A: every stride-th pixel, with zero channels before and behind."""

    def __init__(self, in_channels, out_channels, stride):
        if out_channels < in_channels:
            raise ValueError(f"PadShortcut: {in_channels} channels to {out_channels}: zeros only widen; shortcut B narrows")
        self.stride = stride
        self.before = (out_channels - in_channels) // 2
        self.behind = out_channels - in_channels - self.before

    def forward(self, x):
        x = x[:, :: self.stride, :: self.stride]
        return F.pad(x, ((0, 0), (0, 0), (0, 0), (self.before, self.behind)))

    def describe(self):
        return f"stride {self.stride}, {self.before} + {self.behind} zero channels"


def make_shortcut(kind, in_channels, out_channels, stride, *, norm=True):
    """The module between a block's input and its sum; None for a plain block."""
    names.check("shortcut", kind, SHORTCUTS)
    if kind == "none":
        return None
    if stride == 1 and in_channels == out_channels:
        return Identity()
    if kind == "A":
        return PadShortcut(in_channels, out_channels, stride)
    projection = Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
    return Sequential(projection, BatchNorm(out_channels)) if norm else Sequential(projection)


def _shortcut(shortcut, x):
    """What is added to a block's result; None in a plain net."""
    return None if shortcut is None else shortcut(x)


def _carried(shortcut, x, active):
    """What a pre-activation block adds: x itself, or where the shape changes what becomes of the activated x.

    So do the authors' nets (github.com/KaimingHe/resnet-1k-layers). In the paper's appendix the first block of the net adds the
    activated x even where the shape stays.
    """
    return x if isinstance(shortcut, Identity) else shortcut(active)
