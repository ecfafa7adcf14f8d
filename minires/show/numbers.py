"""Small arrays as tables of numbers, and the paths of a gradient between two of them."""

import math

from matplotlib.patches import FancyArrowPatch, Rectangle

from minires.backend import to_device, to_host
from minires.show.curves import RUNS
from minires.show.picture import Picture

MOST = 1200  # cells in a picture
GAP = 1.0  # cells
# Above 0; below 0; not finite.
ABOVE, BELOW, OTHER = ((0xE6, 0x8A, 0x45), (0x4F, 0x8F, 0xC4), "#e4e4e4")
GRADIENT = "#a03020"


def numbers(*arrays, titles=None, outlines=None, columns=None, cell=0.5):
    """Draw arrays as tables of numbers, side by side. Above 0 is orange, below 0 blue; darker is further from 0.

    arrays  numbers, vectors, matrices, or images of one channel (1, H, W, 1)    titles  a text for each
    outlines  for each array a list of windows (top, left, height, width); the i-th of each array has the same colour
    columns  number of arrays side by side    cell  the width of a cell in inches

    Raises  ValueError: an array that is not a table, more than 1,200 cells, or not one title and one list of outlines per
    array.
    """
    tables = [_table(array, f"array {i}") for i, array in enumerate(arrays)]
    titles, outlines = titles or [""] * len(tables), outlines or [()] * len(tables)
    if not len(tables) == len(titles) == len(outlines) >= 1:
        raise ValueError(f"numbers: expected a title and a list of outlines for each of {len(tables)} arrays, "
                         f"got {len(titles)} and {len(outlines)}")  # fmt: skip
    if sum(len(table) * len(table[0]) for table in tables) > MOST:
        raise ValueError(
            f"numbers: expected at most {MOST:,} cells in all: show part of the arrays"
        )
    columns = min(columns or len(tables), len(tables))
    places, width, height = [], 0, 0
    for first in range(0, len(tables), columns):
        line, x = range(first, min(first + columns, len(tables))), 0
        above = max(_room(titles[i], cell)[1] for i in line)
        for i in line:
            places.append((x, height + above))
            x += max(len(tables[i][0]), _room(titles[i], cell)[0]) + GAP
        width = max(width, x - GAP)
        height = height + above + max(len(tables[i]) for i in line) + GAP / 2

    axes = _paper(width, height - GAP / 2, cell)
    for table, title, windows, place in zip(tables, titles, outlines, places):
        _draw(axes, table, place, title, cell)
        for i, window in enumerate(windows):
            _outline(axes, place, window, i)
    return axes.figure


def ways(
    op,
    x,
    g=None,
    *,
    titles=("x, and below its gradient", "result, and below g"),
    cell=0.62,
    **options,
):
    """Draw the gradient's paths through an op: from each result an arrow to every pixel that receives some of its g.

    op  from x to (result, backward), such as ops.max_pool2d or yours    x  an image of one channel (H, W)
    g  the upstream gradient, one number for each result; by default 1, 2, 3, ...
    options  passed on to the op, which takes x as (1, H, W, 1)

    Raises  ValueError: x is not a table, g does not fit, or there are more than 64 results.
    """
    table = _table(x, "x")
    images = to_device(x).reshape(1, len(table), len(table[0]), 1)
    result, backward = op(images, **options)
    shape, count = result.shape, math.prod(result.shape)
    if not 1 <= count <= 64:
        raise ValueError(
            f"ways: expected 1 to 64 results of the op, got {count}: take a smaller image"
        )
    out = _table(result.reshape(shape[1:3] if len(shape) == 4 else (1, count)), "the result")
    high, wide = len(out), len(out[0])
    gs = (
        [float(i + 1) for i in range(count)]
        if g is None
        else [number for row in _table(g, "g") for number in row]
    )
    if len(gs) != count:
        raise ValueError(f"ways: expected {count} numbers in g, one per result, got {len(gs)}")

    def back(numbers):
        device = to_device(numbers).astype(result.dtype).reshape(shape)
        return _table(backward(device)[0].reshape(images.shape), "the gradient")

    g_x = back(gs)
    (title, above), (other, below) = (_room(text, cell) for text in titles)
    above, between = max(above, below), 2.2
    right, down = max(len(table[0]) + between, title + 0.5), above + max(0, (len(table) - high) / 2)
    axes = _paper(right + max(wide, other), above + max(len(table), high), cell)
    _draw(axes, table, (0, above), titles[0], cell, below=g_x)
    _draw(
        axes,
        out,
        (right, down),
        titles[1],
        cell,
        below=[gs[i * wide : (i + 1) * wide] for i in range(high)],
    )
    for k in range(count):
        shares = back([1.0 if i == k else 0.0 for i in range(count)])
        most = max(abs(share) for row in shares for share in row)
        start, colour = (right + k % wide + 0.13, down + k // wide + 0.55), RUNS[k % len(RUNS)]
        axes.plot(*start, marker="o", markersize=4, color=colour, zorder=2)
        for i, row in enumerate(shares):
            for j, share in enumerate(row):
                if share:
                    _arrow(
                        axes,
                        start,
                        (j + 0.8, above + i + 0.55),
                        colour,
                        0.4 + 1.2 * abs(share) / most,
                    )
    return axes.figure


def _table(array, name):
    """Return the rows of a table, as lists of Python floats."""
    array = to_host(array) if hasattr(array, "dtype") else to_host(to_device(array))
    if array.ndim == 4 and array.shape[0] == array.shape[3] == 1:
        array = array[0, :, :, 0]
    if array.ndim > 2 or not array.size:
        raise ValueError(
            f"{name}: expected a table (H, W), a vector, or one image (1, H, W, 1), got shape {array.shape}"
        )
    return array.reshape((1,) * (2 - array.ndim) + array.shape).astype(float).tolist()


def _room(title, cell):
    """Return the width and the height of a title, in cells."""
    lines = title.split("\n") if title else []
    return 0.078 * max(map(len, lines), default=0) / cell, 0.15 + 0.16 * len(lines) / cell


def _paper(width, height, cell):
    """Make axes in which a cell is 1 wide and y grows downwards."""
    figure = Picture(figsize=((width + 0.2) * cell, (height + 0.2) * cell))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1))
    axes.axis("off")
    return axes


def _draw(axes, table, place, title, cell, below=None):
    """Draw a table with its upper left corner at `place`; `below` are numbers in small print below those of the table."""
    x, y = place
    sizes = [abs(number) for row in table for number in row if math.isfinite(number)]
    most = max(sizes, default=0) or 1
    axes.text(x, y - 0.12, title, fontsize=8.5, va="bottom")
    for i, row in enumerate(table):
        for j, number in enumerate(row):
            axes.add_patch(
                Rectangle(
                    (x + j, y + i),
                    1,
                    1,
                    facecolor=_colour(number, most),
                    edgecolor="#9a9a9a",
                    linewidth=0.6,
                )
            )
            middle = 0.5 if below is None else 0.34
            axes.text(
                x + j + 0.5,
                y + i + middle,
                _written(number),
                ha="center",
                va="center",
                fontsize=17 * cell,
                zorder=5,
            )
            if below is not None and below[i][j]:
                axes.text(x + j + 0.5, y + i + 0.76, _written(below[i][j]), ha="center", va="center", fontsize=12 * cell,
                          color=GRADIENT, weight="bold", zorder=5)  # fmt: skip


def _outline(axes, place, window, i):
    """Outline the i-th window, slightly smaller than the one before, so that you can distinguish overlapping windows."""
    (x, y), (top, left, height, width) = place, window
    inner = 0.05 + 0.05 * (i % 4)
    corner, size = (x + left + inner, y + top + inner), (width - 2 * inner, height - 2 * inner)
    axes.add_patch(
        Rectangle(corner, *size, fill=False, edgecolor=RUNS[i % len(RUNS)], linewidth=2, zorder=3)
    )


def _arrow(axes, start, end, colour, width):
    style = {
        "arrowstyle": "-|>",
        "mutation_scale": 8,
        "shrinkA": 0,
        "shrinkB": 0,
        "connectionstyle": "arc3,rad=0.08",
    }
    axes.add_patch(FancyArrowPatch(start, end, color=colour, linewidth=width, zorder=2, **style))


def _colour(number, most):
    if not math.isfinite(number):
        return OTHER
    strength = 0.75 * min(abs(number) / most, 1)
    return tuple(1 - strength * (1 - part / 255) for part in (ABOVE if number > 0 else BELOW))


def _written(number):
    """Write a number with at most three digits; infinity as its symbol."""
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    text = (
        f"{number:.0f}"
        if 1000 <= abs(number) < 1e5
        else f"{number:.3g}"
        if abs(number) < 100
        else f"{number:.4g}"
    )
    return (
        text.replace("-0.", "-.").removeprefix("0")
        if 0 < abs(number) < 1
        else "0"
        if number == 0
        else text
    )
