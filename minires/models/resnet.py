"""Residual networks: a stem, stages of blocks, the mean over the image, a linear layer.

| | stem | stages | blocks a stage |
| --- | --- | --- | --- |
| resnet18, 34 | ImageNet 7x7, stride 2, max pool; CIFAR 3x3 | 64, 128, 256, 512 | BasicBlock 2 2 2 2, 3 4 6 3 |
| resnet50, 101, 152 | the same | the same, times 4 | Bottleneck 3 4 6 3, 3 4 23 3, 3 8 36 3 |
| resnet20, 32, 44, 56, 110 | 3x3 | 16, 32, 64 | BasicBlock n n n, where the depth is 6n + 2 |

Every stage but the first halves the image. Source  He et al. 2015, table 1 and section 4.2. Names of layers are torchvision's.
"""

import inspect
from itertools import islice

from minires import names
from minires.models.blocks import BasicBlock, Bottleneck, PreActivationBasicBlock, PreActivationBottleneck
from minires.nn import BatchNorm, Conv2d, GlobalAvgPool, Identity, Linear, MaxPool2d, Module, Sequential
from minires.nn.layers import check_sizes


class ResNet(Module):
    """A residual network of any block.  (N, H, W, in_channels) -> (N, num_classes)

    block  BasicBlock, Bottleneck, or one of yours with the same signature and an `expansion`; it may have `preactivation`
    depths, widths  a number for each stage
    stem  "cifar" (a 3x3 convolution) or "imagenet" (7x7 with stride 2, then a 3x3 max pool with stride 2)
    shortcut  "A", "B" or "none", see blocks    preactivation  the blocks of He et al. 2016, and batch norm at the end
    """

    def __init__(self, block, depths, widths, *, num_classes=10, in_channels=3, stem="cifar", shortcut="B",
                 preactivation=False):  # fmt: skip
        names.check("stem", stem, ("cifar", "imagenet"))
        if len(depths) != len(widths):
            raise ValueError(f"ResNet: {len(depths)} depths and {len(widths)} widths: wanted one of each for every stage")
        check_sizes(**{f"depths[{i}]": depth for i, depth in enumerate(depths)})
        block = preactivated_block(block) if preactivation else block
        preactivated = getattr(block, "preactivation", False)
        if preactivation and not preactivated:
            raise ValueError(f"ResNet: preactivation is asked for, and {block.__name__} is no block with preactivation = True")
        channels = widths[0]
        if stem == "imagenet":
            self.conv1 = Conv2d(in_channels, channels, 7, stride=2, padding=3, bias=False)
        else:
            self.conv1 = Conv2d(in_channels, channels, 3, padding=1, bias=False)
        self.bn1 = None if preactivated else BatchNorm(channels)
        self.maxpool = MaxPool2d(3, stride=2, padding=1) if stem == "imagenet" else Identity()
        for i, (depth, width) in enumerate(zip(depths, widths)):
            stage = make_stage(block, depth, channels, width, stride=1 if i == 0 else 2, shortcut=shortcut)
            setattr(self, f"layer{i + 1}", stage)
            channels = width * block.expansion
        self.bn = BatchNorm(channels) if preactivated else None
        self.avgpool = GlobalAvgPool()
        self.fc = Linear(channels, num_classes)
        self.stages = len(depths)

    def forward(self, x):
        for _, x in self._maps(x):
            pass
        return self.fc(self.avgpool(x))

    def features(self, x, *, upto=None):
        """The maps (N, H, W, C) after the stem and after each stage: name -> Tensor, "stem", "layer1", ... up to and with `upto`.

        What comes after `upto` is not run. Of a net with preactivation the last map has been through the last batch norm and ReLU.
        Raises  ValueError: `upto` names no stage.
        """
        places = ["stem", *(f"layer{i + 1}" for i in range(self.stages))]
        upto = places[-1] if upto is None else names.check("place in the net", upto, places)
        return dict(islice(self._maps(x), places.index(upto) + 1))

    def _maps(self, x):
        """(name, map) after the stem and after each stage."""
        x = self.conv1(x)
        if self.bn1 is not None:
            x = self.bn1(x, relu=True)
        x = self.maxpool(x)
        yield "stem", x
        for i in range(self.stages):
            x = getattr(self, f"layer{i + 1}")(x)
            if i + 1 == self.stages and self.bn is not None:
                x = self.bn(x, relu=True)
            yield f"layer{i + 1}", x


def preactivated_block(block):
    """The block of He et al. 2016 in the place of that of 2015; one that is neither stays."""
    return {BasicBlock: PreActivationBasicBlock, Bottleneck: PreActivationBottleneck}.get(block, block)


def make_stage(block, depth, in_channels, width, *, stride, shortcut):
    """`depth` blocks of `width`; the first has the stride."""
    first = block(in_channels, width, stride=stride, shortcut=shortcut)
    rest = (block(width * block.expansion, width, shortcut=shortcut) for _ in range(depth - 1))
    return Sequential(first, *rest)


WIDE, NARROW = (64, 128, 256, 512), (16, 32, 64)
NETS = {  # name -> kind of block, depths, widths
    "resnet18": ("basic", (2, 2, 2, 2), WIDE),
    "resnet34": ("basic", (3, 4, 6, 3), WIDE),
    "resnet50": ("bottleneck", (3, 4, 6, 3), WIDE),
    "resnet101": ("bottleneck", (3, 4, 23, 3), WIDE),
    "resnet152": ("bottleneck", (3, 8, 36, 3), WIDE),
    "resnet20": ("basic", (3, 3, 3), NARROW),
    "resnet32": ("basic", (5, 5, 5), NARROW),
    "resnet44": ("basic", (7, 7, 7), NARROW),
    "resnet56": ("basic", (9, 9, 9), NARROW),
    "resnet110": ("basic", (18, 18, 18), NARROW),
}
OPTIONS = [name for name, option in inspect.signature(ResNet).parameters.items() if option.kind is option.KEYWORD_ONLY]


def _net(name, **options):
    for option in options:
        names.check("option", option, OPTIONS)
    kind, depths, widths = NETS[name]
    block = {"basic": BasicBlock, "bottleneck": Bottleneck}[kind]  # looked up now: another may stand in for it
    return ResNet(block, depths, widths, **options)


def resnet18(**options):
    """ResNet-18. Options as for ResNet."""
    return _net("resnet18", **options)


def resnet34(**options):
    """ResNet-34. Options as for ResNet."""
    return _net("resnet34", **options)


def resnet50(**options):
    """ResNet-50. Options as for ResNet."""
    return _net("resnet50", **options)


def resnet101(**options):
    """ResNet-101. Options as for ResNet."""
    return _net("resnet101", **options)


def resnet152(**options):
    """ResNet-152. Options as for ResNet."""
    return _net("resnet152", **options)


def resnet20(*, shortcut="A", **options):
    """The CIFAR net of 20 layers. Options as for ResNet."""
    return _net("resnet20", shortcut=shortcut, **options)


def resnet32(*, shortcut="A", **options):
    """The CIFAR net of 32 layers. Options as for ResNet."""
    return _net("resnet32", shortcut=shortcut, **options)


def resnet44(*, shortcut="A", **options):
    """The CIFAR net of 44 layers. Options as for ResNet."""
    return _net("resnet44", shortcut=shortcut, **options)


def resnet56(*, shortcut="A", **options):
    """The CIFAR net of 56 layers. Options as for ResNet."""
    return _net("resnet56", shortcut=shortcut, **options)


def resnet110(*, shortcut="A", **options):
    """The CIFAR net of 110 layers. Options as for ResNet."""
    return _net("resnet110", shortcut=shortcut, **options)
