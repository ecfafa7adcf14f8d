"""Modules: layers with their weights, and trees of layers."""

from minires.nn.init import manual_seed
from minires.nn.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Linear,
    MaxPool2d,
    ReLU,
)
from minires.nn.module import Module, Parameter, Sequential
from minires.nn.sync import SyncBatchNorm

__all__ = [
    "AvgPool2d",
    "BatchNorm",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "Identity",
    "Linear",
    "MaxPool2d",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "SyncBatchNorm",
    "manual_seed",
]
