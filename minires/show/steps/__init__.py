"""Figures that move in steps: passes over graphs and images, descent, nets by depth, the paths through blocks, lesions.

Each is a Stepper, which a notebook shows by itself, offline: Python computes every step, and a small script moves through
them. Where no script runs, a picture of one step is seen.
"""

from minires.show.steps.gradients import depth, gradients
from minires.show.steps.lesions import lesions
from minires.show.steps.patches import col2im, im2col
from minires.show.steps.paths import paths
from minires.show.steps.receptive import receptive_field
from minires.show.steps.stepper import Choice, Frame, Stepper
from minires.show.steps.valley import valley
from minires.show.steps.walk import walk
from minires.show.steps.windows import windows

__all__ = [
    "Choice",
    "Frame",
    "Stepper",
    "col2im",
    "depth",
    "gradients",
    "im2col",
    "lesions",
    "paths",
    "receptive_field",
    "valley",
    "walk",
    "windows",
]
