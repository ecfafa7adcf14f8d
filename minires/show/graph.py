"""A drawing of the graph below a tensor: a box for each op and leaf, an arrow from each operand to its op."""

from itertools import pairwise

from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from minires.show.picture import Picture
from minires.tensor import Tensor

LEAF, PARAMETER, OP = "#e8eef7", "#f7e9d7", "#ffffff"


def graph(tensor, *, names=None):
    """Draw the graph below a tensor: operands above, results below, an arrow from each operand to its op.

    names  tensors to name, such as {"x": x}, or a module, whose parameters are named

    Raises  ValueError: the graph has more than 400 nodes, or backward() has released it.
    """
    named = (
        dict(names.named_parameters()) if hasattr(names, "named_parameters") else dict(names or {})
    )
    labels = {id(leaf): name for name, leaf in named.items()}
    order = in_order(tensor if tensor.node is None else tensor.node)
    faces = {id(node): _face(node, labels) for node in order}
    places, routes = laid_out(order)

    inches = 0.3 + 0.075 * max(len(line) for text, _ in faces.values() for line in text.split("\n"))
    left, right = (end(x for x, _ in places.values()) for end in (min, max))
    high = 1 - min(y for _, y in places.values())
    figure = Picture(figsize=((right - left + 1) * inches, 0.85 * high), layout="constrained")
    axes = figure.add_subplot(xlim=(left - 0.5, right + 0.5), ylim=(0.5 - high, 0.5))
    axes.axis("off")
    for route in routes:
        twins = [other for other in routes if (other[0], other[-1]) == (route[0], route[-1])]
        aside = 0.12 * (
            next(i for i, twin in enumerate(twins) if twin is route) - (len(twins) - 1) / 2
        )
        path = curve([(places[stop][0] + aside, places[stop][1]) for stop in route])
        axes.add_patch(
            FancyArrowPatch(
                path=path, arrowstyle="-|>", mutation_scale=9, color="#555555", fill=False
            )
        )
    for node in order:
        text, colour = faces[id(node)]
        box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "#777777"}
        axes.text(*places[id(node)], text, ha="center", va="center", fontsize=8, bbox=box)
    return figure


def in_order(root, most=400):
    """Return all nodes and leaves below the root, each after its operands. A leaf has no `parents`."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            if not _is_leaf(node) and node.backward is None:
                raise ValueError(
                    "backward() has released this graph: draw it before calling backward()"
                )
            stack.append((node, True))
            stack.extend((parent, False) for parent in reversed(_operands(node)))
        if len(seen) > most:
            raise ValueError(
                f"the graph has more than {most} nodes: draw part of it, or a smaller model"
            )
    return order


def laid_out(order):
    """Return (id of each node -> (x, y), routes), with the first row at y = 0.

    A route is a list of stops from operand to op; stops are keys of the places.
    """
    rows, routes = _rows(order)
    return _places(rows, routes), routes


def _is_leaf(node):
    return not hasattr(node, "parents")


def _operands(node):
    return [] if _is_leaf(node) else [parent for parent in node.parents if parent is not None]


def _rows(order):
    """Return (rows of stops from top to bottom, routes). A route has a stop in each row between its operand and its op."""
    depth, users = {}, {}
    for node in order:
        depth[id(node)] = max((depth[id(parent)] + 1 for parent in _operands(node)), default=0)
        for parent in _operands(node):
            users.setdefault(id(parent), []).append(id(node))
    for leaf in (node for node in order if _is_leaf(node) and id(node) in users):
        depth[id(leaf)] = min(depth[user] for user in users[id(leaf)]) - 1
    rows = [[] for _ in range(max(depth.values()) + 1)]
    for node in order:
        rows[depth[id(node)]].append(id(node))
    routes = []
    for node in order:
        for i, parent in enumerate(_operands(node)):
            between = [
                (id(parent), id(node), i, row)
                for row in range(depth[id(parent)] + 1, depth[id(node)])
            ]
            for stop in between:
                rows[stop[-1]].append(stop)
            routes.append([id(parent), *between, id(node)])
    return rows, routes


def _places(rows, routes, sweeps=12):
    """Return stop -> (x, y). Stops move to the mean of their neighbours, back and forth; in a row they stay 1 apart.

    Source  Sugiyama, Tagawa and Toda 1981: rows, stops on long edges, and the barycentre method.
    """
    above, below = {}, {}
    for route in routes:
        for upper, lower in pairwise(route):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    x = {stop: float(i) for row in rows for i, stop in enumerate(row)}
    for sweep in range(sweeps):
        neighbours = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wish = {
                stop: _mean([x[other] for other in neighbours.get(stop, [stop])]) for stop in row
            }
            row.sort(key=wish.get)
            for i, stop in enumerate(row):
                x[stop] = max(wish[stop], x[row[i - 1]] + 1) if i else wish[stop]
            shift = _mean([wish[stop] - x[stop] for stop in row])
            x.update((stop, x[stop] + shift) for stop in row)
    return {stop: (x[stop], -float(y)) for y, row in enumerate(rows) for stop in row}


def _mean(values):
    return sum(values) / len(values)


def curve(points, box=0.24):
    """Return a smooth path through the points, from the lower edge of the first box to the upper edge of the last."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    points = [(x0, y0 - box), *points[1:-1], (x1, y1 + box)]
    vertices, codes = [points[0]], [Path.MOVETO]
    for (xa, ya), (xb, yb) in pairwise(points):
        middle = (ya + yb) / 2
        vertices += [(xa, middle), (xb, middle), (xb, yb)]
        codes += [Path.CURVE4] * 3
    return Path(vertices, codes)


def _face(node, labels):
    """Return (text, colour) of a node's box."""
    shape = " x ".join(map(str, node.shape)) or "number"
    if not isinstance(node, Tensor):
        return f"{node.op}\n{shape}", OP
    return f"{labels.get(id(node), 'tensor')}\n{shape}", PARAMETER if id(node) in labels else LEAF
