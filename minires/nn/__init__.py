"""Modules: layers with their weights, and trees of them."""

from minires.nn.folding import folded
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
    separate_ops,
)
from minires.nn.module import Module, Parameter, Sequential
