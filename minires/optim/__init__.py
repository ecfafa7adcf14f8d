"""Optimizers, and schedules of the learning rate as functions of the step.

    optimizer = SGD(model.parameters(), lr=cosine(0.1, steps=1000, warmup=50), momentum=0.9)

    optimizer.zero_grad(); loss.backward(); optimizer.step()

GradScaler and Lookahead wrap an optimizer.
"""

from minires.optim.lookahead import Lookahead
from minires.optim.optimizers import SGD, Adam, AdamW, Optimizer
from minires.optim.scaler import GradScaler
from minires.optim.schedules import constant, cosine, step, triangle

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "GradScaler",
    "Lookahead",
    "Optimizer",
    "constant",
    "cosine",
    "step",
    "triangle",
]
