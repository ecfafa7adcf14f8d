"""Gradients by layer."""

from minires.show.steps.scene import Scene
from minires.show.steps.stepper import Frame, Stepper


def gradients(norms, *, layers=None, ylabel="gradient norm"):
    """Return a stepper of one step: the figure itself is not drawn yet."""
    scene = Scene(400, 60)
    scene.text(200, 30, "Gradients by layer")
    return Stepper(scene, [[Frame("This figure is not drawn yet.")]], title="Gradients by layer")
