"""Plain plots: lines, bars, histograms, small matrices as colours, coloured tables. Several panels stand next to each other."""

from itertools import cycle
from math import isfinite
from statistics import fmean, stdev

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
        y values may also be a list of such lists, one for each seed: the line is their mean, in a band from the lowest to the
        highest
    x  the x values of all lines that bring none; by default 0, 1, 2, ...    log  "x", "y" or "xy": logarithmic axes
    marks  draw a marker at each value    points  draw only markers

    Raises  ValueError: no lines, or x and y values of different lengths.
    """
    panels = _panels(panels, "lines")
    figure, axes = _figure(panels)
    for place, named in zip(axes, panels.values()):
        for (name, values), colour, mark in zip(named.items(), cycle(RUNS), cycle(MARKS)):
            across, values = values if isinstance(values, tuple) else (x, values)
            values, band = _mean(values, f"lines: {name!r}")
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
            if band:
                place.fill_between(across, *band, color=colour, alpha=0.2, linewidth=0)
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


def bars(panels, *, names=None, x_label="", y_label="", y_limits=None, log=False, horizontal=False):
    """Draw bars, one for each value, with the value above it.

    panels  title -> values; for one panel without a title, the values. A value may be a list with a number for each seed: the
        bar is their mean, with a dot for each of them and a line from one standard deviation below to one above
    names  of the bars; by default 0, 1, 2, ...    y_limits  of the values    log  values on a logarithmic axis
    horizontal  draw from left to right, the first bar at the top, which leaves room for long names; the panels then have value
        axes of their own

    Raises  ValueError: no values, or not one name per bar.
    """
    panels = _panels(panels, "bars", inner=list)
    high = max(HIGH, 0.8 + 0.3 * max(map(len, panels.values()))) if horizontal else HIGH
    figure, axes = _figure(panels, high, sharey=True)
    value, name = ("x", "y") if horizontal else ("y", "x")
    for place, values in zip(axes, panels.values()):
        seeds = [_seeds(each) for each in values]
        shown = [str(i) for i in range(len(seeds))] if names is None else [str(name) for name in names]  # fmt: skip
        if len(shown) != len(seeds):
            raise ValueError(
                f"bars: expected a name for each of {len(seeds)} bars, got {len(shown)}"
            )
        means, spreads = zip(*map(_spread, seeds))
        several = {f"{value}err": spreads, "capsize": 3} if any(spreads) else {}
        draw = place.barh if horizontal else place.bar
        drawn = draw(range(len(seeds)), means, color=RUNS[0], **several)
        if not several and all(map(isfinite, means)):
            place.bar_label(drawn, fmt="%.3g", fontsize=7, padding=2 if horizontal else 0)
        else:
            for i, (each, mean, spread) in enumerate(zip(seeds, means, spreads)):
                _beyond(place, i, each, mean, spread, horizontal)
        place.set(**{f"{name}ticks": range(len(seeds)), f"{name}ticklabels": shown})
        place.set(**{f"{value}label": y_label, f"{name}label": x_label})
        if place is not axes[0]:
            place.set_ylabel("")
        if log:
            place.set(**{f"{value}scale": "log"})
        place.margins(**{value: 0.12})
        if y_limits is not None:
            place.set(**{f"{value}lim": y_limits})
    if horizontal:
        axes[0].invert_yaxis()  # of all panels: they share it
    return figure


def _beyond(place, i, seeds, mean, spread, horizontal):
    """Draw the dots of a bar, and write its mean beyond them."""
    if len(seeds) > 1:
        dots = [i] * len(seeds), seeds
        place.plot(*(dots[::-1] if horizontal else dots), ".", color="black", markersize=3)
    known = isfinite(mean)
    end, where = (max([mean + spread, *seeds]), "data") if known else (0, "axes fraction")
    at, offset, coords = (i, end), (0, 3), ("data", where)
    if horizontal:
        at, offset, coords = at[::-1], offset[::-1], coords[::-1]
    aligned = {"ha": "left", "va": "center"} if horizontal else {"ha": "center", "va": "bottom"}
    text = f"{mean:.3g}" if known else "NaN"
    place.annotate(text, at, offset, xycoords=coords, textcoords="offset points", fontsize=7, **aligned)  # fmt: skip


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


def table(
    values, rows, columns, *, format=".3g", limits=None, colours="RdBu_r", x_label="", y_label=""
):
    """Draw a table of numbers, each cell in a colour: red is above 0, blue below, white 0; more is darker.

    values  for each row a list with a number for each column    rows, columns  their names    format  of the numbers
    limits  (lowest, highest); by default, plus and minus the largest size    colours  a colour map of matplotlib

    A number that is not finite has no colour.

    Raises  ValueError: no numbers, or not as many as the names.
    """
    values = [_seeds(row) for row in values]
    rows, columns = [str(name) for name in rows], [str(name) for name in columns]
    if (
        not values
        or not columns
        or len(values) != len(rows)
        or {len(row) for row in values} != {len(columns)}
    ):
        raise ValueError(
            f"table: expected {len(rows)} rows of {len(columns)} numbers, got {[len(row) for row in values]}"
        )
    if limits is None:
        largest = max((abs(value) for row in values for value in row if isfinite(value)), default=0)
        limits = (-(largest or 1.0), largest or 1.0)
    texts = [[f"{value:{format}}" for value in row] for row in values]
    wide = max(0.45, 0.085 * max(len(text) for row in [columns, *texts] for text in row) + 0.15)
    figure = Picture(
        figsize=(wide * len(columns) + 0.085 * max(map(len, rows)) + 0.5, 0.32 * len(rows) + 0.7),
        layout="constrained",
    )
    place = figure.subplots()
    shown = [[value if isfinite(value) else float("nan") for value in row] for row in values]
    drawn = place.imshow(shown, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")
    for i, row in enumerate(texts):
        for j, text in enumerate(row):
            red, green, blue, _ = drawn.cmap(drawn.norm(values[i][j])) if isfinite(values[i][j]) else (1, 1, 1, 1)  # fmt: skip
            dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
            place.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")  # fmt: skip
    place.set_xticks(range(len(columns)), columns, fontsize=8)
    place.set_yticks(range(len(rows)), rows, fontsize=8)
    place.set(xlabel=x_label, ylabel=y_label)
    place.tick_params(length=0)
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


def _figure(panels, high=HIGH, **options):
    """Return (figure, axes), a panel for each, with its title."""
    figure = Picture(figsize=(min(4.6, 12 / len(panels)) * len(panels), high), layout="constrained")
    axes = list(figure.subplots(1, len(panels), squeeze=False, **options).flat)
    for place, title in zip(axes, panels):
        place.set_title(title, fontsize=10)
    return figure, axes


def _seeds(value):
    """Return a number, or one for each seed, as a list."""
    if getattr(value, "ndim", 1) == 0 or not hasattr(value, "__len__"):
        return [float(value)]
    return [float(each) for each in value]


def _spread(seeds):
    """Return (mean, standard deviation) of one number or of several; the latter is 0 where there is none."""
    if not all(map(isfinite, seeds)):
        return float("nan"), 0.0
    return fmean(seeds), stdev(seeds) if len(seeds) > 1 else 0.0


def _mean(values, name):
    """Return (the line, None), or of a line for each seed (the mean, (the lowest, the highest))."""
    if not len(values) or getattr(values[0], "ndim", 1) == 0 or not hasattr(values[0], "__len__"):
        return values, None
    lengths = {len(line) for line in values}
    if len(lengths) > 1:
        raise ValueError(f"{name}: expected as many y values for each seed, got {sorted(lengths)}")
    places = [[float(value) for value in at] for at in zip(*values)]
    return [fmean(at) for at in places], ([min(at) for at in places], [max(at) for at in places])


def _flat(values):
    return values.ravel() if hasattr(values, "ravel") else values
