"""Figures and listings: a tensor's graph, a backward pass step by step, an op's source, saved arrays, runs, images,
layers, small arrays.

Figures are matplotlib Figures: a notebook shows them, and figure.save("name.png") writes them. Those of show.steps move.
"""

from minires.show import steps
from minires.show.curves import curves, overlay
from minires.show.graph import graph
from minires.show.images import images, predictions
from minires.show.layers import layers
from minires.show.maps import feature_maps
from minires.show.memory import memory
from minires.show.numbers import numbers, ways
from minires.show.outcome import confusion, depths, filters
from minires.show.picture import Picture
from minires.show.plots import bars, heatmaps, histograms, lines, table
from minires.show.source import Saved, Source, saved, source
from minires.show.trophy import trophy
from minires.show.walk import walk

__all__ = [
    "Picture",
    "Saved",
    "Source",
    "bars",
    "confusion",
    "curves",
    "depths",
    "feature_maps",
    "filters",
    "graph",
    "heatmaps",
    "histograms",
    "images",
    "layers",
    "lines",
    "memory",
    "numbers",
    "overlay",
    "predictions",
    "saved",
    "source",
    "steps",
    "table",
    "trophy",
    "walk",
    "ways",
]
