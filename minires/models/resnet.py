"""Residual networks, as in the paper's table: a block, stages of blocks, a network.

| | stem | stages | blocks per stage |
| --- | --- | --- | --- |
| resnet18, 34 | ImageNet 7x7, stride 2, max pool; CIFAR 3x3 | 64, 128, 256, 512 | BasicBlock 2 2 2 2, 3 4 6 3 |
| resnet50, 101, 152 | the same | the same, times 4 | Bottleneck 3 4 6 3, 3 4 23 3, 3 8 36 3 |
| resnet20, 32, 44, 56, 110 | 3x3 | 16, 32, 64 | BasicBlock n n n, where the depth is 6n + 2 |

Every stage except the first halves the image. Source  He et al. 2015, "Deep Residual Learning", sections 3.3 and 4.2, table 1,
figure 5. Layers have torchvision's names. The networks themselves are in minires.models.nets.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from minires import functional as F
from minires import names
from minires.nn import (
    BatchNorm,
    Conv2d,
    GlobalAvgPool,
    Identity,
    Linear,
    MaxPool2d,
    Module,
    Sequential,
)
from minires.nn.init import Generator
from minires.nn.layers import check_sizes
from minires.ops.forms import has_forms
from minires.tensor import Tensor

SHORTCUTS = ("A", "B", "none")


class BasicBlock(Module):
    """3x3, 3x3.

    shortcut  the path of x where its shape changes: "A" pads with zero channels and has no parameters, "B" is a 1x1
        convolution with batch norm; with "none" the block adds nothing, and the net is plain
    """

    expansion, preactivation = 1, False

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        stride: int = 1,
        shortcut: str = "B",
        rng: Generator | None = None,
    ) -> None:
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False, rng=rng)
        self.bn1 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False, rng=rng)
        self.bn2 = BatchNorm(channels)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng)

    @property
    def shortcut(self: Any) -> Module:
        """The paper's name for `downsample`, which is torchvision's."""
        return self.downsample

    @has_forms
    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class Bottleneck(Module):
    """1x1, 3x3, 1x1 to four times the channels. The 3x3 has the stride, as in torchvision. shortcut  as in BasicBlock"""

    expansion, preactivation = 4, False

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        stride: int = 1,
        shortcut: str = "B",
        rng: Generator | None = None,
    ) -> None:
        self.conv1 = Conv2d(in_channels, channels, 1, bias=False, rng=rng)
        self.bn1 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False, rng=rng)
        self.bn2 = BatchNorm(channels)
        self.conv3 = Conv2d(channels, 4 * channels, 1, bias=False, rng=rng)
        self.bn3 = BatchNorm(4 * channels)
        self.downsample = make_shortcut(shortcut, in_channels, 4 * channels, stride, rng=rng)

    shortcut = BasicBlock.shortcut

    @has_forms
    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.shortcut(x))


class PadShortcut(Module):
    """Option A: every stride-th pixel, with zero channels before and after the others."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        if out_channels < in_channels:
            raise ValueError(
                f"PadShortcut: expected at least {in_channels} output channels, got {out_channels}: shortcut B can have fewer"
            )
        self.channels, self.stride, self.zeros = out_channels, stride, out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        return F.pad_shortcut(x, channels=self.channels, stride=self.stride)

    def describe(self) -> str:
        before = self.zeros // 2
        return f"stride {self.stride}, {before} + {self.zeros - before} zero channels"


class NoShortcut(Module):
    """0, so that the block adds nothing and the net is plain."""

    def forward(self, x: Tensor) -> float:
        return 0.0


@has_forms
def make_shortcut(
    kind: str,
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    norm: bool = True,
    rng: Generator | None = None,
) -> Module:
    """Return the module between a block's input and its sum.

    Raises  ValueError: a kind that is not in SHORTCUTS.
    """
    names.check("shortcut", kind, SHORTCUTS)
    if kind == "none":
        return NoShortcut()
    if stride == 1 and in_channels == out_channels:
        return Identity()
    if kind == "A":
        return PadShortcut(in_channels, out_channels, stride)
    return projection(in_channels, out_channels, stride, norm=norm, rng=rng)


@has_forms
def projection(
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    norm: bool = True,
    rng: Generator | None = None,
) -> Sequential:
    """Return option B: a 1x1 convolution with the stride, followed by batch norm unless `norm` is False."""
    conv = Conv2d(in_channels, out_channels, 1, stride=stride, bias=False, rng=rng)
    return Sequential(conv, BatchNorm(out_channels)) if norm else Sequential(conv)


@has_forms
def make_stage(
    block: Any, depth: int, in_channels: int, width: int, *, stride: int, **options: Any
) -> Sequential:
    """Return `depth` blocks of `width`; the first has the stride."""
    first = block(in_channels, width, stride=stride, **options)
    rest = (block(width * block.expansion, width, **options) for _ in range(depth - 1))
    return Sequential(first, *rest)


def preactivated(block: Any) -> Any:
    """Return the block of He et al. 2016 that replaces one of 2015. A pre-activated block is returned unchanged.

    Raises  ValueError: any other block.
    """
    from minires.models import preactivation  # which builds on this file

    others = {
        BasicBlock: preactivation.PreActivationBasicBlock,
        Bottleneck: preactivation.PreActivationBottleneck,
    }
    block = others.get(block, block)
    if not getattr(block, "preactivation", False):
        raise ValueError(
            f"ResNet: preactivation: expected a block with preactivation = True, got {block.__name__}"
        )
    return block


@has_forms
def zero_init_residual(model: Module) -> None:
    """Set the last weight of each residual block's branch to 0, so that the block starts as its shortcut alone.

    This is the weight of the branch's last batch norm, or in a pre-activated block that of its last convolution. A block is a module with an
    `expansion`, and its layers have torchvision's names. A net without shortcuts can't learn from there.
    Source  Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 5.1.
    """
    for _, block in model.modules():
        if hasattr(block, "expansion"):
            kind = "conv" if getattr(block, "preactivation", False) else "bn"
            last = getattr(block, f"{kind}3", None) or getattr(block, f"{kind}2")
            last.weight.written_by("zero_init_residual()")
            last.weight.data[...] = 0


start_as_shortcuts = zero_init_residual  # ResNet has an option of this name


class ResNet(Module):
    """A residual network of any block.  (N, H, W, in_channels) -> (N, num_classes)

    block  BasicBlock, Bottleneck, or one of yours with the same signature and an `expansion`; it may have `preactivation`
    depths, widths  one number per stage
    stem  "cifar" (a 3x3 convolution) or "imagenet" (7x7 with stride 2, then a 3x3 max pool with stride 2)
    shortcut  "A", "B" or "none", see BasicBlock    rng  a numpy.random.Generator for the weights (default: see nn.init)
    preactivation  use the blocks of He et al. 2016, see minires.models.preactivation, and batch norm at the end
    zero_init_residual  start each block as its shortcut, see the function of this name
    """

    def __init__(
        self,
        block: Any,
        depths: Sequence[int],
        widths: Sequence[int],
        *,
        num_classes: int = 10,
        in_channels: int = 3,
        stem: str = "cifar",
        shortcut: str = "B",
        preactivation: bool = False,
        zero_init_residual: bool = False,
        rng: Generator | None = None,
    ) -> None:
        names.check("stem", stem, ("cifar", "imagenet"))
        if len(depths) != len(widths):
            raise ValueError(
                f"ResNet: expected one depth and one width per stage, got {len(depths)} depths and {len(widths)} widths"
            )
        check_sizes(**{f"depths[{i}]": depth for i, depth in enumerate(depths)})
        block = preactivated(block) if preactivation else block
        channels, preactivation = widths[0], getattr(block, "preactivation", False)
        if stem == "imagenet":
            self.conv1 = Conv2d(in_channels, channels, 7, stride=2, padding=3, bias=False, rng=rng)
        else:
            self.conv1 = Conv2d(in_channels, channels, 3, padding=1, bias=False, rng=rng)
        self.bn1 = None if preactivation else BatchNorm(channels)
        self.maxpool = MaxPool2d(3, stride=2, padding=1) if stem == "imagenet" else Identity()
        options = {"shortcut": shortcut, **({} if rng is None else {"rng": rng})}
        for i, (depth, width) in enumerate(zip(depths, widths)):
            stage = make_stage(block, depth, channels, width, stride=1 if i == 0 else 2, **options)
            setattr(self, f"layer{i + 1}", stage)
            channels = width * block.expansion
        self.bn = BatchNorm(channels) if preactivation else None
        self.avgpool = GlobalAvgPool()
        self.fc = Linear(channels, num_classes, rng=rng)
        self.stages = len(depths)
        if zero_init_residual:
            if shortcut == "none":
                raise ValueError(
                    "ResNet: zero_init_residual: expected shortcuts, got shortcut='none'"
                )
            start_as_shortcuts(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for i in range(self.stages):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc(self.avgpool(self.last_norm(x)))

    @has_forms
    def stem(self, x: Tensor) -> Tensor:
        """Run everything before the first stage."""
        x = self.conv1(x)
        return self.maxpool(x if self.bn1 is None else F.relu(self.bn1(x)))

    @has_forms
    def last_norm(self, x: Tensor) -> Tensor:
        """Run batch norm and ReLU after the last stage, if blocks are pre-activated."""
        return x if self.bn is None else F.relu(self.bn(x))

    def features(self, x: Tensor, *, upto: str | None = None) -> dict[str, Tensor]:
        """Return the feature maps (N, H, W, C) {"stem": Tensor, "layer1": ...} after each stage, up to and including `upto`.

        Nothing after `upto` is run. With preactivation, the last feature map is taken after the last batch norm and ReLU.
        Raises  ValueError: `upto` is not the name of a stage.
        """
        places = ["stem", *(f"layer{i + 1}" for i in range(self.stages))]
        upto = places[-1] if upto is None else names.check("place in the net", upto, places)
        maps = {"stem": self.stem(x)}
        for before, place in pairwise(places[: places.index(upto) + 1]):
            maps[place] = getattr(self, place)(maps[before])
        if upto == places[-1]:
            maps[upto] = self.last_norm(maps[upto])
        return maps
