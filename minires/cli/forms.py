"""The faster forms in use, as `minires info` and the cards of runs show them."""

from minires.ops import forms


def in_use():
    """A line per function that has faster forms here: "conv2d: winograd, pointwise".

    They are in the order in which they are tried.
    """
    found = [f"{name}: {', '.join(faster)}" for name, faster in forms.in_use().items()]
    return found or ["none: the plain forms run"]
