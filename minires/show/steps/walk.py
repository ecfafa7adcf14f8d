"""A backward pass through a small graph, a step each time a node runs."""

from collections import Counter

from minires.show.graph import curve
from minires.show.steps.scene import Scene
from minires.show.steps.stepper import Frame, Stepper
from minires.show.walk import number, recorded, sums_so_far

MOST = 60  # steps
COLUMN, ROW, HALF = 118, 92, 21  # pixels: between nodes, between rows, half the height of a box
STYLE = """
.minires-svg .way{fill:none;stroke:#d55e00;stroke-width:3}
.minires-svg .head{fill:#d55e00}
.minires-svg .pill{fill:#b34700}
.minires-svg .sent{fill:#fff;font-weight:700;font-size:13px}
.minires-svg .leaf{stroke-dasharray:5 3}
"""
TIMES = {1: "once", 2: "twice"}


def walk(root, walk, g=1.0, *, title=""):
    """Run walk(root, g) and return a stepper of what it did: a step for each run of a node.

    root, walk  as for show.walk(): nodes with `parents`, `backward` and `name`; and any function that calls their backward

    The node that runs is orange; the numbers that it sends are at its arrows. A leaf shows the sum of what it has received.

    Raises  ValueError: no node ran, or there were more than 60 runs.
    """
    nodes, leaves, places, routes, runs = recorded(root, walk, g)
    if len(runs) > MOST:
        raise ValueError(f"walk: expected at most {MOST} runs of nodes, got {len(runs)}")
    xs, ys = zip(*places.values())
    longest = max(
        (len(number(part)) for node, _, parts in runs for _, part in _sent(node, parts)), default=1
    )
    words = max(len(node.name) for node in [*nodes, *leaves])
    wide = max(88, 8 * words + 20, 7 * (len("grad = ") + longest) + 16)
    column = max(COLUMN, wide + 30)
    left = min(xs)
    places = {
        stop: ((x - left) * column + wide / 2 + 10, -y * ROW + HALF + 8)
        for stop, (x, y) in places.items()
    }
    scene = Scene((max(xs) - left) * column + wide + 20, -min(ys) * ROW + 2 * HALF + 16, STYLE)
    names = {id(node): f"n{i}" for i, node in enumerate([*nodes, *leaves])}
    arrows = _arrows(scene, routes, places, 9 * longest + 18)
    for node in [*nodes, *leaves]:
        _box(scene, node, names[id(node)], places[id(node)], wide)
    frames = [
        Frame(_sentence(leaves, runs[: i + 1]), _changes(nodes, leaves, names, arrows, runs[: i + 1]))
        for i in range(len(runs))
    ]  # fmt: skip
    return Stepper(scene, [frames], title=title or "A backward pass, node by node")


def _arrows(scene, routes, places, wide):
    """Draw the edges, hidden arrows over them and places for numbers; return op's id -> names of its arrows, operand by operand."""
    arrows = {}
    for i, route in enumerate(routes):
        twins = [other for other in routes if (other[0], other[-1]) == (route[0], route[-1])]
        place = next(at for at, twin in enumerate(twins) if twin is route)
        aside = (wide + 6) * (place - (len(twins) - 1) / 2)
        points = [(places[stop][0] + aside, places[stop][1]) for stop in route]
        way = _path(curve(points, box=-HALF))  # y grows downwards here
        scene.add("path", "edge", d=way)
        group = scene.add("g", "off", name=f"w{i}")
        scene.add("path", "way", inside=group, d=way)
        x, y = points[0][0], points[0][1] + HALF
        scene.add("path", "head", inside=group, d=f"M{x:.1f} {y:.1f}l-6 11h12z")
        (x0, y0), (x1, y1) = points[-2:]
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        scene.rect(x - wide / 2, y - 11, wide, 22, "pill", inside=group, rx=11)
        scene.text(x, y, "", "sent", inside=group, name=f"v{i}")
        arrows.setdefault(route[-1], []).append(i)
    return arrows


def _path(path):
    """Return a path of matplotlib (a start and cubic curves) as SVG."""
    points = [f"{x:.1f} {y:.1f}" for x, y in path.vertices]
    return f"M{points[0]}C{' '.join(points[1:])}"


def _box(scene, node, name, place, wide):
    x, y = place
    kind = "node" if hasattr(node, "parents") else "leaf"
    scene.rect(x - wide / 2, y - HALF, wide, 2 * HALF, kind, name=name, rx=8)
    scene.text(x, y - 8, node.name, "bold")
    scene.text(x, y + 10, "", "small", name=f"{name}t")


def _changes(nodes, leaves, names, arrows, runs):
    """Return what differs from the graph at rest after these runs, the last of which is shown running."""
    running, got, parts = runs[-1]
    counts, sums = Counter(id(node) for node, _, _ in runs), sums_so_far(leaves, runs)
    changes = {}
    for node in nodes:
        name, count = names[id(node)], counts[id(node)]
        if node is running:
            changes |= {f"{name}.class": "node now", f"{name}t.text": f"g = {number(got)}"}
        elif count:
            changes |= {f"{name}.class": "node done", f"{name}t.text": f"ran {_times(count)}"}
    for leaf in leaves:
        if leaf in sums:
            name = names[id(leaf)]
            changes |= {f"{name}.class": "leaf done", f"{name}t.text": f"grad = {number(sums[leaf])}"}  # fmt: skip
    for i, (_, part) in zip(arrows.get(id(running), []), _sent(running, parts)):
        changes |= {f"w{i}.class": "", f"v{i}.text": number(part)}
    return changes


def _sentence(leaves, runs):
    node, got, parts = runs[-1]
    before = sum(other is node for other, _, _ in runs[:-1])
    again = f" again ({_times(before + 1)} now)" if before else ""
    sums, sent = sums_so_far(leaves, runs), []
    for parent, part in _sent(node, parts):
        total = f", whose gradient is now {number(sums[parent])}" if parent in leaves else ""
        sent.append(f"{number(part)} to {parent.name}{total}")
    sends = f" and sends {'; '.join(sent)}" if sent else ""
    return f"{node.name} runs{again}: it receives the upstream gradient {number(got)}{sends}."


def _sent(node, parts):
    """Return (parent, gradient) for each parent that gets one."""
    return [(parent, part) for parent, part in zip(node.parents, parts) if parent is not None]


def _times(count):
    return TIMES.get(count, f"{count} times")
