"""Gradient descent."""

from minires.show.steps.scene import Scene
from minires.show.steps.stepper import Frame, Stepper


def valley(loss, start, rates, *, steps=30, momentum=0.0, minimum=(0, 0)):
    """Return a stepper of one step: the figure itself is not drawn yet."""
    scene = Scene(400, 60)
    scene.text(200, 30, "Gradient descent")
    return Stepper(scene, [[Frame("This figure is not drawn yet.")]], title="Gradient descent")
