"""Figures of layer statistics by depth and step: where activations or gradients vanish, explode or die."""

import math
import re
from itertools import cycle

from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator

from minires.show.curves import RUNS
from minires.show.picture import Picture

SIDES = ("activation", "gradient")
QUANTITIES = {"mean": "mean", "std": "standard deviation", "zeros": "zeros, %"}
COLOURS = {"mean": "PuOr", "std": "viridis", "zeros": "magma"}
NOTHING, NOT_FINITE, ZERO = "#dddddd", "#e3120b", "#000000"  # colours of values outside every scale
LABELS, UPRIGHT = 30, 22  # names that fit next to a map, and under lines
LETTERS = 22


def layers(rows, *, title=""):
    """Draw what watch recorded: maps by depth (the input on top) and step; for a single step, lines by depth.

    rows  with the fields of watch.Row

    On a map, grey means that nothing was recorded, red that a number is not finite, and black a standard deviation of 0.
    The colours of the mean cover 95 % of the numbers.
    Raises  ValueError: no rows.
    """
    rows = list(rows)
    if not rows:
        raise ValueError(
            "layers: expected at least one row, got none: no forward pass of the model was watched"
        )
    depths = {}
    for row in rows:
        depths[row.layer] = min(row.depth, depths.get(row.layer, row.depth))
    names, steps = sorted(depths, key=depths.get), sorted({row.step for row in rows})
    sides = [side for side in SIDES if any(getattr(row, f"{side}_std") is not None for row in rows)]
    maps = len(steps) > 1

    high = min(max(0.14 * len(names), 2.2), 4.2) if maps else 2.6
    figure = Picture(figsize=(13, high * len(sides) + 1), layout="constrained")
    panels = figure.subplots(len(sides), 3, squeeze=False, sharex=True, sharey=maps)
    for side, line in zip(sides, panels):
        for quantity, axes in zip(QUANTITIES, line):
            axes.set_title(f"{side}: {QUANTITIES[quantity]}", fontsize=10)
            table = _table(
                rows, names, steps, f"{side}_{quantity}", 100 if quantity == "zeros" else 1
            )
            _map(axes, table, quantity) if maps else _lines(
                axes, [values[0] for values in table], names, quantity
            )
    _name(panels, names, steps)
    if not maps:
        figure.legend(
            handles=panels[0][0].lines, loc="outside right upper", frameon=False, fontsize=9
        )
    figure.suptitle(title)
    return figure


def _table(rows, names, steps, field, factor):
    """Return the numbers by layer and step; None where there is none."""
    table = [[None] * len(steps) for _ in names]
    places = {name: i for i, name in enumerate(names)}
    columns = {step: i for i, step in enumerate(steps)}
    for row in rows:
        value = getattr(row, field)
        table[places[row.layer]][columns[row.step]] = None if value is None else factor * value
    return table


def _map(axes, table, quantity):
    axes.set_facecolor(NOTHING)
    norm, fits = _scale(
        [
            value
            for values in table
            for value in values
            if value is not None and math.isfinite(value)
        ],
        quantity,
    )
    style = {"aspect": "auto", "interpolation": "nearest"}
    shown = [
        [value if value is not None and fits(value) else math.nan for value in values]
        for values in table
    ]
    image = axes.imshow(shown, norm=norm, cmap=COLOURS[quantity], **style)
    special = {
        NOT_FINITE: lambda value: not math.isfinite(value),
        ZERO: lambda value: quantity == "std" and value == 0,
    }
    for colour, chosen in special.items():
        cells = [
            [1 if value is not None and chosen(value) else math.nan for value in values]
            for values in table
        ]
        if any(cell == 1 for line in cells for cell in line):
            axes.imshow(cells, cmap=ListedColormap([colour]), **style)
    axes.figure.colorbar(
        image, ax=axes, extend="both" if quantity == "mean" else "neither", pad=0.02
    )


def _scale(values, quantity):
    """Return (norm, a function that tells if a number is on its scale) for the finite `values` of a map."""
    if quantity == "std":
        positive = [value for value in values if value > 0] or [1]
        low, high = min(positive), max(positive)
        low, high = (low, high) if high > 2 * low else (low / 2, high * 2)
        return LogNorm(low, high), lambda value: 0 < value < math.inf
    if quantity == "zeros":
        return Normalize(0, 100), math.isfinite
    sizes = sorted(abs(value) for value in values) or [0]
    limit = sizes[int(0.95 * (len(sizes) - 1))] or sizes[-1] or 1
    return Normalize(-limit, limit), math.isfinite


def _lines(axes, values, names, quantity):
    """Draw numbers by depth, a line for each kind of layer; a value that is not finite is a red vertical bar."""
    # Layer1.0.conv2 is a conv.
    kinds = [re.match(r"[^\W\d]*", name.rpartition(".")[2]).group() for name in names]
    finite = [
        place for place, value in enumerate(values) if value is not None and math.isfinite(value)
    ]
    for kind, colour in zip(dict.fromkeys(kinds), cycle(RUNS)):
        places = [place for place in finite if kinds[place] == kind]
        axes.plot(
            places,
            [values[place] for place in places],
            color=colour,
            marker=".",
            linewidth=1,
            label=kind,
        )
    for place, value in enumerate(values):
        if value is not None and not math.isfinite(value):
            axes.axvspan(place - 0.5, place + 0.5, color=NOT_FINITE, linewidth=0)
    axes.grid(alpha=0.3)
    if quantity == "std":
        axes.set_yscale("log")
    elif quantity == "zeros":
        axes.set_ylim(-4, 104)


def _name(panels, names, steps):
    """Label the axes with the steps and the names of layers, thinned out if there are many."""
    places = range(0, len(names), -(-len(names) // (UPRIGHT if len(steps) == 1 else LABELS)))
    labels = [
        name if len(name) <= LETTERS else "…" + name[1 - LETTERS :]
        for name in (names[i] for i in places)
    ]
    if len(steps) == 1:
        for axes in panels[-1]:
            axes.set_xticks(places, labels, rotation=90, fontsize=7)
        return
    for line in panels:
        line[0].set_yticks(places, labels, fontsize=7)
    for axes in panels[-1]:
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda x, _: str(steps[round(x)]) if 0 <= round(x) < len(steps) else "")
        )
