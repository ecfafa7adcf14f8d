"""The networks by name: resnet18 to resnet152, and CIFAR's resnet20 to resnet110."""

import inspect
from typing import Any

from minires import names
from minires.models.resnet import BasicBlock, Bottleneck, ResNet, preactivated
from minires.ops.forms import has_forms

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
OPTIONS = [
    name
    for name, option in inspect.signature(ResNet).parameters.items()
    if option.kind is option.KEYWORD_ONLY
]


def _net(name: str, **options: Any) -> ResNet:
    for option in options:
        names.check("option", option, OPTIONS)
    kind, depths, widths = NETS[name]
    block = block_class(kind, options.get("preactivation", False))
    return ResNet(block, depths, widths, **options)


@has_forms
def block_class(kind: str, preactivation: bool = False) -> Any:
    """Return the class of a kind of block, "basic" or "bottleneck", or its pre-activated version."""
    block = {"basic": BasicBlock, "bottleneck": Bottleneck}[kind]
    return preactivated(block) if preactivation else block


def resnet18(**options: Any) -> ResNet:
    """ResNet-18. Options as for ResNet."""
    return _net("resnet18", **options)


def resnet34(**options: Any) -> ResNet:
    """ResNet-34. Options as for ResNet."""
    return _net("resnet34", **options)


def resnet50(**options: Any) -> ResNet:
    """ResNet-50. Options as for ResNet."""
    return _net("resnet50", **options)


def resnet101(**options: Any) -> ResNet:
    """ResNet-101. Options as for ResNet."""
    return _net("resnet101", **options)


def resnet152(**options: Any) -> ResNet:
    """ResNet-152. Options as for ResNet."""
    return _net("resnet152", **options)


def resnet20(*, shortcut: str = "A", **options: Any) -> ResNet:
    """CIFAR's 20-layer network. Options as for ResNet."""
    return _net("resnet20", shortcut=shortcut, **options)


def resnet32(*, shortcut: str = "A", **options: Any) -> ResNet:
    """CIFAR's 32-layer network. Options as for ResNet."""
    return _net("resnet32", shortcut=shortcut, **options)


def resnet44(*, shortcut: str = "A", **options: Any) -> ResNet:
    """CIFAR's 44-layer network. Options as for ResNet."""
    return _net("resnet44", shortcut=shortcut, **options)


def resnet56(*, shortcut: str = "A", **options: Any) -> ResNet:
    """CIFAR's 56-layer network. Options as for ResNet."""
    return _net("resnet56", shortcut=shortcut, **options)


def resnet110(*, shortcut: str = "A", **options: Any) -> ResNet:
    """CIFAR's 110-layer network. Options as for ResNet."""
    return _net("resnet110", shortcut=shortcut, **options)
