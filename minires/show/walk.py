"""A backward pass through a small graph, step by step: a panel each time a node runs."""

from matplotlib.patches import FancyArrowPatch

from minires.show.graph import LEAF, OP, curve, in_order, laid_out
from minires.show.picture import Picture

RUNNING, DONE, WAY = "#f3c06b", "#dddddd", "#c1553b"


def walk(root, walk, g=1.0, *, columns=5, title=""):
    """Run walk(root, g) and draw what it did: a panel for each run of a node, with the numbers that it received and sent.

    root  a node: its `parents` are nodes, leaves (without `parents`) or None; its `backward` takes one number and returns
        one for each parent; nodes and leaves have a `name`. For readable numbers, use graphs of at most about ten nodes
    walk  any function that calls the nodes' backward, right or wrong

    The node that runs is orange, and those that have run are grey. The numbers that it sends are written at its arrows,
    and a leaf shows the sum of what it has received. The alt text says the same in words.
    """
    nodes, leaves, places, routes, runs = recorded(root, walk, g)
    columns = min(columns, len(runs))
    xs, ys = zip(*places.values())
    wide, high = 0.45 * (max(xs) - min(xs) + 1.2), 0.42 * (1.5 - min(ys))
    lines = -(-len(runs) // columns)
    figure = Picture(
        figsize=(wide * columns, high * lines + 0.4 * bool(title)), layout="constrained"
    )
    for i, axes in enumerate(figure.subplots(lines, columns, squeeze=False).flat):
        axes.axis("off")
        if i < len(runs):
            axes.set(xlim=(min(xs) - 0.6, max(xs) + 0.6), ylim=(min(ys) - 0.35, 0.45))
            axes.set_title(f"{i + 1}", fontsize=8, loc="left", pad=2)
            _draw(axes, nodes, leaves, places, routes, runs[: i + 1])
    figure.suptitle(title, fontsize=11)
    return figure.described(_in_words(leaves, runs))


def _in_words(leaves, runs):
    """Return what each panel shows, and what each leaf ends with."""
    said = []
    for i, (node, got, parts) in enumerate(runs, 1):
        sent = [
            f"{number(part)} to {parent.name}"
            for parent, part in zip(node.parents, parts)
            if parent is not None
        ]
        said.append(f"{i}: {node.name} receives {number(got)} and sends {', '.join(sent)}.")
    ends = [f"{leaf.name} ends with {number(g)}." for leaf, g in sums_so_far(leaves, runs).items()]
    return " ".join([*said, *ends])


def recorded(root, walk, g):
    """Run walk(root, g) and return (nodes, leaves, places, routes, runs): the graph as laid_out() has it, and what each run did.

    runs  a list of (node, the upstream gradient, what its `backward` returned)

    Raises  ValueError: no node ran.
    """
    order = in_order(root)
    nodes, leaves = [
        [node for node in order if hasattr(node, "parents") == inner] for inner in (True, False)
    ]
    runs = []
    try:
        for node in nodes:
            node.backward = _noted(node, node.backward, runs)
        walk(root, g)
    finally:
        for node in nodes:
            del node.backward  # which uncovers the method of its class
    if not runs:
        raise ValueError("walk: expected at least one node to run, got none")
    return nodes, leaves, *laid_out(order), runs


def _noted(node, backward, runs):
    """Wrap a node's backward so that it records (node, what it received, what it returned)."""

    def noted(g):
        parts = backward(g)
        runs.append((node, g, parts))
        return parts

    return noted


def _draw(axes, nodes, leaves, places, routes, runs):
    """Draw the last of these runs, and the result of the others."""
    running, got, parts = runs[-1]
    done = [node for node, _, _ in runs]
    sent = {
        i: part
        for i, part in enumerate(
            part for part, parent in zip(parts, running.parents) if parent is not None
        )
    }
    mine = 0
    for route in routes:
        stops, bold = [places[stop] for stop in route], route[-1] == id(running)
        twins = [other for other in routes if (other[0], other[-1]) == (route[0], route[-1])]
        aside = 0.3 * (
            next(i for i, twin in enumerate(twins) if twin is route) - (len(twins) - 1) / 2
        )
        path = curve([(x + aside, y) for x, y in stops])
        arrow = (
            {"arrowstyle": "<|-", "color": WAY, "linewidth": 1.4}
            if bold
            else {"arrowstyle": "-", "color": "#bbbbbb"}
        )
        axes.add_patch(FancyArrowPatch(path=path, mutation_scale=7, fill=False, **arrow))
        if bold:
            (x0, y0), (x1, y1) = stops[-2:]
            axes.text((x0 + x1) / 2 + aside, (y0 + y1) / 2, number(sent[mine]), color=WAY, fontsize=7.5, fontweight="bold",
                      ha="center", va="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
            mine += 1
    sums = sums_so_far(leaves, runs)
    for node in [*nodes, *leaves]:
        text, colour = node.name, OP
        if node is running:
            text, colour = f"{node.name}: {number(got)}", RUNNING
        elif node in done:
            colour = DONE
        elif node in leaves:
            text = f"{node.name}: {number(sums[node])}" if node in sums else node.name
            colour = LEAF
        box = {"boxstyle": "round,pad=0.3", "facecolor": colour, "edgecolor": "#777777"}
        axes.text(*places[id(node)], text, ha="center", va="center", fontsize=7.5, bbox=box)


def sums_so_far(leaves, runs):
    """Return leaf -> the sum of what has been sent to it so far."""
    sums = {}
    for node, _, parts in runs:
        for parent, part in zip(node.parents, parts):
            if parent in leaves:
                sums[parent] = sums[parent] + part if parent in sums else part
    return sums


def number(value):
    """Return a gradient as short text."""
    return f"{float(value):.4g}"
