"""Models: a block, stages of it, a network."""

from typing import Any

from minires import names
from minires.models.freezing import freeze
from minires.models.infer import infer_model
from minires.models.mlp import DeepMLP
from minires.models.nets import (
    resnet18,
    resnet20,
    resnet32,
    resnet34,
    resnet44,
    resnet50,
    resnet56,
    resnet101,
    resnet110,
    resnet152,
)
from minires.models.preactivation import PreActivationBasicBlock, PreActivationBottleneck
from minires.models.resnet import BasicBlock, Bottleneck, ResNet, zero_init_residual
from minires.models.resnet8 import ShortResNet, resnet8
from minires.models.summary import summary
from minires.nn import Module

__all__ = [
    "MODELS",
    "BasicBlock",
    "Bottleneck",
    "DeepMLP",
    "PreActivationBasicBlock",
    "PreActivationBottleneck",
    "ResNet",
    "ShortResNet",
    "build",
    "freeze",
    "infer_model",
    "resnet8",
    "resnet18",
    "resnet20",
    "resnet32",
    "resnet34",
    "resnet44",
    "resnet50",
    "resnet56",
    "resnet101",
    "resnet110",
    "resnet152",
    "summary",
    "zero_init_residual",
]
MODELS = {
    model.__name__: model
    for model in (
        resnet18,
        resnet34,
        resnet50,
        resnet101,
        resnet152,
        resnet20,
        resnet32,
        resnet44,
        resnet56,
        resnet110,
        resnet8,
    )
}


def build(name: str, **options: Any) -> Module:
    """Return a model by its name, with the options of ResNet or ShortResNet.

    Raises  ValueError: an unknown model or option; the message suggests the nearest name.
    """
    return MODELS[names.check("model", name, MODELS)](**options)
