"""Things to look at: the graph of a tensor, a walk back through one, the source of an op, what a backward saves, runs,
images, layers, small arrays.

Pictures are matplotlib Figures: a notebook shows them, picture.save("name.png") writes them.
"""

from minires.show.curves import curves, overlay
from minires.show.graph import graph
from minires.show.images import images, predictions
from minires.show.layers import layers
from minires.show.numbers import numbers, ways
from minires.show.outcome import confusion, depths, filters
from minires.show.picture import Picture
from minires.show.source import Saved, Source, saved, source
from minires.show.walk import walk

__all__ = [
    "Picture",
    "Saved",
    "Source",
    "confusion",
    "curves",
    "depths",
    "filters",
    "graph",
    "images",
    "layers",
    "numbers",
    "overlay",
    "predictions",
    "saved",
    "source",
    "walk",
    "ways",
]
