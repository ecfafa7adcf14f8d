"""Stride and padding."""

from minires.show.steps.scene import Scene
from minires.show.steps.stepper import Frame, Stepper


def windows(size, kernels=(2, 3), strides=(1, 2, 3), paddings=(0, 1, 2)):
    """Return a stepper of one step: the figure itself is not drawn yet."""
    scene = Scene(400, 60)
    scene.text(200, 30, "Stride and padding")
    return Stepper(scene, [[Frame("This figure is not drawn yet.")]], title="Stride and padding")
