"""Small arrays as tables of numbers, and the paths of a gradient between two of them."""

import math

from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.path import Path

from minires.backend import to_device, to_host
from minires.show.curves import RUNS
from minires.show.picture import Picture

MOST = 1200  # cells in a picture
GAP = 1.0  # cells
# Above 0; below 0; not finite.
ABOVE, BELOW, OTHER = ((0xE6, 0x8A, 0x45), (0x4F, 0x8F, 0xC4), "#e4e4e4")
GRADIENT = "#a03020"
UPPER = 0.6  # of a cell with two numbers: the part with the first


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

    The arrows run between the rows, so that they cross no number.

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

    g_x, received = back(gs), []
    for k in range(count):
        shares = back([1.0 if i == k else 0.0 for i in range(count)])
        received.append(
            [(i, j) for i, row in enumerate(shares) for j, share in enumerate(row) if share]
        )
    # Below each row of x, a lane for each result that sends it something; below each row of results, one for each of them.
    lanes = [[k for k in range(count) if any(i == row for i, _ in received[k])] for row in range(len(table))]  # fmt: skip
    own = [list(range(i * wide, (i + 1) * wide)) for i in range(high)]
    g_out = [[gs[k] for k in row] for row in own]

    (title, above), (other, below) = (_room(text, cell) for text in titles)
    above, tall = max(above, below), [_height(rows) for rows in (lanes, own)]
    right = max(len(table[0]) + 1.6, title + 0.5)
    down = above + max(0, (tall[0] - tall[1]) / 2)
    axes = _paper(right + max(wide, other), max(above + tall[0], down + tall[1]), cell)
    tops = _draw_with_lanes(axes, table, (0, above), titles[0], cell, g_x, lanes)
    out_tops = _draw_with_lanes(axes, out, (right, down), titles[1], cell, g_out, own)
    for k, pixels in enumerate(received):
        colour, row = RUNS[k % len(RUNS)], k // wide
        x, y = right + k % wide + 0.5, out_tops[row] + 1
        axes.plot(x, y, marker="o", markersize=4, color=colour, zorder=4)
        for i, j in pixels:
            leave = y + _lane(own[row].index(k))
            arrive = tops[i] + 1 + _lane(lanes[i].index(k))
            # Heads from several results stand next to each other.
            end = j + 0.5 + 0.14 * (lanes[i].index(k) - (len(lanes[i]) - 1) / 2)
            corners = [(x, y), (x, leave), (right - 0.15, leave), (len(table[0]) + 0.15, arrive)]
            _arrow(axes, [*corners, (end, arrive), (end, tops[i] + 1)], colour)
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


def _draw(axes, table, place, title, cell):
    """Draw a table with its upper left corner at `place`."""
    x, y = place
    axes.text(x, y - 0.12, title, fontsize=8.5, va="bottom")
    most = _most(table)
    for i, row in enumerate(table):
        for j, number in enumerate(row):
            _cell(axes, (x + j, y + i), 1, _colour(number, most))
            _number(axes, (x + j + 0.5, y + i + 0.5), number, fontsize=17 * cell)


def _draw_with_lanes(axes, table, place, title, cell, below, lanes):
    """Draw a table with a gap below each row for its lanes, and return the top of each row.

    below  numbers in small print under those of the table, on white    lanes  for each row, the results with a lane
    """
    x, y = place
    axes.text(x, y - 0.12, title, fontsize=8.5, va="bottom")
    most, tops = _most(table), []
    for i, row in enumerate(table):
        tops.append(y)
        for j, number in enumerate(row):
            _cell(axes, (x + j, y), UPPER, _colour(number, most))
            _cell(axes, (x + j, y + UPPER), 1 - UPPER, "white")
            _number(axes, (x + j + 0.5, y + UPPER / 2), number, fontsize=17 * cell)
            if below[i][j]:
                style = {"fontsize": 13 * cell, "color": GRADIENT, "weight": "bold"}
                _number(axes, (x + j + 0.5, y + (1 + UPPER) / 2), below[i][j], **style)
        y += _height(lanes[i : i + 1])
    return tops


def _height(lanes):
    """Return the height of rows with these lanes below them."""
    return sum(1.06 + (_lane(len(row)) if row else 0) for row in lanes)


def _lane(i):
    """Return how far the i-th lane is below its row."""
    return 0.26 + 0.11 * i


def _most(table):
    sizes = [abs(number) for row in table for number in row if math.isfinite(number)]
    return max(sizes, default=0) or 1


def _cell(axes, corner, height, colour):
    axes.add_patch(
        Rectangle(corner, 1, height, facecolor=colour, edgecolor="#9a9a9a", linewidth=0.6)
    )


def _number(axes, middle, number, **style):
    axes.text(*middle, _written(number), ha="center", va="center", zorder=5, **style)


def _outline(axes, place, window, i):
    """Outline the i-th window, slightly smaller than the one before, so that you can distinguish overlapping windows."""
    (x, y), (top, left, height, width) = place, window
    inner = 0.05 + 0.05 * (i % 4)
    corner, size = (x + left + inner, y + top + inner), (width - 2 * inner, height - 2 * inner)
    axes.add_patch(
        Rectangle(corner, *size, fill=False, edgecolor=RUNS[i % len(RUNS)], linewidth=2, zorder=3)
    )


def _arrow(axes, corners, colour):
    path = Path(corners)
    style = {"arrowstyle": "-|>", "mutation_scale": 7, "joinstyle": "round", "capstyle": "round"}
    axes.add_patch(FancyArrowPatch(path=path, color=colour, linewidth=1.5, zorder=2, **style))


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
