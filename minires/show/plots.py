"""Plain plots: lines, bars, histograms and small matrices as colours. Several panels stand next to each other."""

from itertools import cycle

from minires.show.curves import MARKS, RUNS
from minires.show.picture import Picture

HIGH = 2.8  # inches, a panel


def lines(
    panels,
    *,
    x=None,
    x_label="",
    y_label="",
    log="",
    marks=False,
    points=False,
    x_ticks=None,
    y_limits=None,
):
    """Draw lines, each with a name in the legend.

    panels  title -> {name -> its y values, or a pair (x values, y values)}; for one panel without a title, {name -> ...}
    x  the x values of all lines that bring none; by default 0, 1, 2, ...    log  "x", "y" or "xy": logarithmic axes
    marks  draw a marker at each value    points  draw only markers

    Raises  ValueError: no lines, or x and y values of different lengths.
    """
    panels = _panels(panels, "lines")
    figure, axes = _figure(panels)
    for place, named in zip(axes, panels.values()):
        for (name, values), colour, mark in zip(named.items(), cycle(RUNS), cycle(MARKS)):
            across, values = values if isinstance(values, tuple) else (x, values)
            across = range(len(values)) if across is None else across
            if len(across) != len(values):
                raise ValueError(
                    f"lines: {name!r} has {len(across)} x values and {len(values)} y values; expected as many of each"
                )
            style = {
                "marker": mark if marks or points else "",
                "markersize": 4,
                "linestyle": "" if points else "-",
            }
            place.plot(across, values, color=colour, label=name, linewidth=1.5, **style)
        place.set_xscale("log" if "x" in log else "linear")
        place.set_yscale("log" if "y" in log else "linear")
        place.set(xlabel=x_label, ylabel=y_label if place is axes[0] else "")
        place.grid(alpha=0.3)
        if x_ticks is not None:
            place.set_xticks(x_ticks)
        if y_limits is not None:
            place.set_ylim(*y_limits)
        if any(named):
            place.legend(
                framealpha=0.85, edgecolor="none", fontsize=8
            )  # legible where lines cross it
    return figure


def bars(panels, *, names=None, x_label="", y_label="", y_limits=None):
    """Draw bars, one for each value, with the value above it.

    panels  title -> values; for one panel without a title, the values    names  of the bars; by default 0, 1, 2, ...

    Raises  ValueError: no values, or not one name per bar.
    """
    panels = _panels(panels, "bars", inner=list)
    figure, axes = _figure(panels, sharey=True)
    for place, values in zip(axes, panels.values()):
        values = [float(value) for value in values]
        shown = (
            [str(i) for i in range(len(values))] if names is None else [str(name) for name in names]
        )
        if len(shown) != len(values):
            raise ValueError(
                f"bars: expected a name for each of {len(values)} bars, got {len(shown)}"
            )
        place.bar_label(place.bar(shown, values, color=RUNS[0]), fmt="%.3g", fontsize=7)
        place.set(xlabel=x_label, ylabel=y_label if place is axes[0] else "")
        place.margins(y=0.12)
        if y_limits is not None:
            place.set_ylim(*y_limits)
    return figure


def histograms(panels, *, bins=40, limits=None, x_label="", log=False):
    """Draw how often values occur.

    panels  title -> array; for one panel without a title, the array    limits  (lowest, highest), the same for all panels
    log  count on a logarithmic axis

    Raises  ValueError: no values.
    """
    panels = _panels(panels, "histograms", inner=list)
    figure, axes = _figure(panels, sharey=True)
    for place, values in zip(axes, panels.values()):
        place.hist(
            [float(value) for value in _flat(values)],
            bins=bins,
            range=limits,
            color=RUNS[0],
            log=log,
        )
        place.set(xlabel=x_label, ylabel="count" if place is axes[0] else "")
    return figure


def heatmaps(matrices, *, limits=None, columns=10, colours="RdBu_r"):
    """Draw small matrices as colours: red is positive, blue negative, white 0.

    matrices  title -> (H, W)    limits  (lowest, highest); by default, plus and minus the largest size of all
    columns  maximum number in a row    colours  a colour map of matplotlib

    Raises  ValueError: no matrices, or one that is not 2-D.
    """
    if not matrices:
        raise ValueError("heatmaps: expected at least one matrix, got none")
    shapes = {title: getattr(matrix, "shape", ()) for title, matrix in matrices.items()}
    for title, shape in shapes.items():
        if len(shape) != 2:
            raise ValueError(
                f"heatmaps: expected matrices of shape (H, W), got {shape} for {title!r}"
            )
    if limits is None:
        largest = max(float(abs(matrix).max()) for matrix in matrices.values()) or 1.0
        limits = (-largest, largest)
    columns = min(columns, len(matrices))
    rows = -(-len(matrices) // columns)
    figure = Picture(figsize=(1.15 * columns + 0.9, 1.35 * rows), layout="constrained")
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for place in places:
        place.axis("off")
    for place, (title, matrix) in zip(places, matrices.items()):
        drawn = place.imshow(matrix, cmap=colours, vmin=limits[0], vmax=limits[1])
        place.set_title(title, fontsize=9)
    figure.colorbar(drawn, ax=figure.axes, shrink=0.8)
    return figure


def _panels(panels, function, inner=dict):
    """Return title -> content; one panel without a title has the title ""."""
    if (
        inner is dict
        and isinstance(panels, dict)
        and panels
        and not isinstance(next(iter(panels.values())), dict)
    ):
        panels = {"": panels}
    elif not isinstance(panels, dict):
        panels = {"": panels}
    if not panels or not all(len(content) for content in panels.values()):
        raise ValueError(f"{function}: expected at least one in each panel, got {panels!r}")
    return panels


def _figure(panels, **options):
    """Return (figure, axes), a panel for each, with its title."""
    figure = Picture(figsize=(min(4.6, 12 / len(panels)) * len(panels), HIGH), layout="constrained")
    axes = list(figure.subplots(1, len(panels), squeeze=False, **options).flat)
    for place, title in zip(axes, panels):
        place.set_title(title, fontsize=10)
    return figure, axes


def _flat(values):
    return values.ravel() if hasattr(values, "ravel") else values
