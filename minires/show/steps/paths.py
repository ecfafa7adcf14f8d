"""The paths through residual blocks: each block of a path is its branch or its shortcut."""

import math
from itertools import product

from minires.show.steps.percent import percent_axis
from minires.show.steps.scene import Scene, grid, shift
from minires.show.steps.stepper import Choice, Frame, Stepper

MOST, DRAWN, MOST_GAINS = 120, 5, 8  # blocks, blocks whose paths are drawn one by one, gains
WIDE, LEFT = 470, 46
ROW, BOX = 112, 30  # pixels: height of the row of blocks, and of a block
TALL, HEAD, FOOT = 130, 44, 46  # of the bars, above them and below them
SURE = 0.95
STYLE = """
.minires-svg .way{fill:none;stroke:#d55e00;stroke-width:4;stroke-linejoin:round}
.minires-svg .taken{fill:#e69f00;fill-opacity:.3;stroke:#d55e00;stroke-width:3}
.minires-svg .through{fill:#8c8c8c;fill-opacity:.55}
.minires-svg .column{fill:none;stroke:#d55e00;stroke-width:3}
.minires-svg .count{fill:#2b8cc4;fill-opacity:.5;stroke:#2b8cc4}
.minires-svg .share{fill:#e69f00;fill-opacity:.5;stroke:#d55e00}
.minires-svg .right{text-anchor:end}
"""


def paths(blocks, gain=(0.25, 0.5, 1, 2)):
    """Return a stepper: the 2^n paths through n residual blocks, how many have each length, and how much of the gradient they carry.

    blocks  n; up to 5 blocks are drawn, and a step shows each path    gain  a number, or several from which a slider chooses:
        what the branch of a block multiplies the gradient by, in size. The shortcut multiplies it by 1

    A path's length is the number of branches on it.

    Raises  TypeError: blocks is not an int. ValueError: fewer than 1 or more than 120 blocks, more than 8 gains, or one that
    is negative or not finite.
    """
    if not isinstance(blocks, int) or isinstance(blocks, bool):
        raise TypeError(f"paths: expected an int for blocks, got {blocks!r}")
    if not 1 <= blocks <= MOST:
        raise ValueError(f"paths: expected 1 to {MOST} blocks, got {blocks}")
    try:
        gains = tuple(dict.fromkeys(float(r) for r in (gain if hasattr(gain, "__iter__") else [gain])))  # fmt: skip
    except (TypeError, ValueError):
        raise ValueError(f"paths: expected a number or several for gain, got {gain!r}") from None
    if not 1 <= len(gains) <= MOST_GAINS or not all(0 <= r < math.inf for r in gains):
        raise ValueError(f"paths: expected 1 to {MOST_GAINS} finite gains of at least 0, got {list(gains)}")  # fmt: skip
    counts = [math.comb(blocks, k) / 2**blocks for k in range(blocks + 1)]
    shares = {r: _shares(blocks, r) for r in gains}
    drawn = blocks <= DRAWN
    above = ROW + 24 + 13 * blocks + 16 if drawn else 0
    scene = Scene(WIDE + 4, above + HEAD + TALL + FOOT, STYLE)
    bars = _Bars(scene, above, blocks, max(map(max, [counts, *shares.values()])))
    scene.add("path", "count", d=bars.path(counts, 0))
    scene.add("path", "share", name="shares", d="")
    if drawn:
        for k in range(blocks + 1):
            bars.label(k, 0, counts[k], text=f"{math.comb(blocks, k)}")
            bars.label(k, 1, 0, name=f"t{k}")
        routes = _routes(scene, blocks)
    runs = []
    for r in gains:
        fixed = {"shares.d": bars.path(shares[r], 1)}
        if not drawn:
            runs.append([Frame(_summary(blocks, r, counts, shares[r]), fixed)])
            continue
        for k, share in enumerate(shares[r]):
            fixed |= {f"t{k}.text": _percent(share), f"t{k}.y": f"{bars.top(share) - 9:.0f}"}
        runs.append(
            [Frame(_sentence(i, path, r, shares[r]), fixed | changes) for i, (path, changes) in enumerate(routes)]
        )  # fmt: skip
    choices = [Choice("gain of a branch", tuple(f"{r:g}" for r in gains), slider=True)] if len(gains) > 1 else []  # fmt: skip
    title = f"The 2^{blocks} paths through {blocks} residual block{'s' * (blocks != 1)}"
    return Stepper(scene, runs, choices, title=title, at_end=True)


def _shares(blocks, r):
    """Return the fraction of the gradient that the paths of each length carry."""
    through, past = r / (1 + r), 1 / (1 + r)
    return [math.comb(blocks, k) * through**k * past ** (blocks - k) for k in range(blocks + 1)]


class _Bars:
    """Two bars for each length, on an axis in per cent."""

    def __init__(self, scene, y, blocks, most):
        self.scene, self.base = scene, y + HEAD + TALL
        self.pitch = (WIDE - LEFT) / (blocks + 1)
        self.wide = self.pitch * (0.38 if blocks <= DRAWN else 0.45)
        self.top = percent_axis(scene, LEFT, WIDE, self.base, TALL, most)
        for x, kind, of in [(2, "count", "paths"), (200, "share", "gradient")]:
            scene.rect(x, y + 6, 14, 14, kind)
            scene.text(x + 21, y + 14, f"fraction of the {of}", "left")
        for k in range(0, blocks + 1, -(-blocks // 12)):
            scene.text(LEFT + (k + 0.5) * self.pitch, self.base + 14, k)
        scene.text((LEFT + WIDE) / 2, self.base + 34, "length: branches on the path")

    def left(self, k, which):
        """Return the left edge of a bar of length k: of the left one (0) or of the right one (1)."""
        return LEFT + (k + 0.5) * self.pitch + (which - 1) * self.wide

    def path(self, values, which):
        """Return the bars as a path."""
        return "".join(
            f"M{self.left(k, which):.1f} {self.base}V{self.top(value):.1f}h{self.wide:.1f}V{self.base}z"
            for k, value in enumerate(values)
            if self.base - self.top(value) >= 0.05
        )

    def label(self, k, which, value, text="", name=None):
        """Write a text above a bar."""
        x = self.left(k, which) + self.wide / 2
        self.scene.text(x, self.top(value) - 9, text, "small", name=name)


def _routes(scene, blocks):
    """Draw the row of blocks and a column for each path; return (path, changes that show it) for each, the shortest first."""
    found = sorted(product((False, True), repeat=blocks), key=lambda path: (sum(path), [not at for at in path]))  # fmt: skip
    pitch, y = (WIDE - 60) / blocks, 74
    half = min(26, 0.27 * pitch)
    starts = [30 + i * pitch for i in range(blocks)]
    scene.add("path", "edge", d=f"M16 {y}H{WIDE - 16}")
    scene.text(8, y, "x")
    scene.text(WIDE - 8, y, "y")
    for x in starts:
        middle, add = x + pitch / 2 - 5, x + pitch - 10
        scene.add(
            "path",
            "edge",
            d=f"M{x:.0f} {y}V{y - 42}H{middle - half:.0f}M{middle + half:.0f} {y - 42}H{add:.0f}V{y + 9}",
        )
        scene.add("circle", "node", cx=add, cy=y, r=9)
        scene.rect(middle - half, y - 42 - BOX / 2, 2 * half, BOX, "node")
    scene.add("path", "way", name="route", d="")
    scene.add("path", "taken", name="taken", d="")
    for i, x in enumerate(starts):
        scene.text(x + pitch / 2 - 5, y - 42, f"F{i + 1}", "bold")
    cell = min(13, (WIDE - LEFT) / len(found))
    top = ROW + 20
    scene.text(2, ROW + 4, f"all {len(found)} paths, a column each", "title")
    scene.add("path", "through", d="".join(
        f"M{LEFT + j * cell:g} {top + 13 * i}h{cell:g}v13h{-cell:g}z"
        for j, path in enumerate(found) for i, taken in enumerate(path) if taken
    ))  # fmt: skip
    for i in range(blocks):
        scene.text(LEFT - 6, top + 13 * i + 7, f"F{i + 1}", "right small")
        scene.add("path", "cell", d=grid(1, len(found), 13, LEFT, top + 13 * i))
    scene.rect(LEFT, top - 2, cell, 13 * blocks + 4, "column", name="column")
    routes = []
    for j, path in enumerate(found):
        route, taken = f"M16 {y}", ""
        for x, through in zip(starts, path):
            if through:
                middle, add = x + pitch / 2 - 5, x + pitch - 10
                route += f"H{x:.0f}V{y - 42}H{middle - half:.0f}M{middle + half:.0f} {y - 42}H{add:.0f}V{y}"
                taken += f"M{middle - half:.0f} {y - 42 - BOX // 2}h{2 * half:.0f}v{BOX}h{-2 * half:.0f}z"
        changes = {
            "route.d": f"{route}H{WIDE - 16}",
            "taken.d": taken,
            "column.style": shift(j * cell, 0),
        }
        routes.append((path, changes))
    return routes


def _sentence(i, path, r, shares):
    """Return what a path does, and what the paths of its length carry."""
    n, length = len(path), sum(path)
    through = [f"F{k + 1}" for k, taken in enumerate(path) if taken]
    count = math.comb(n, length)
    takes = f"goes through {_listed(through)}" if through else "takes every shortcut"
    say = f"Path {i + 1} of {2**n} {takes}: length {length}. "
    say += "It is the only path of this length, and carries" if count == 1 else f"The {count} paths of this length together carry"  # fmt: skip
    return f"{say} {_percent(shares[length])} of the gradient if the gain is {r:g}."


def _summary(blocks, r, counts, shares):
    """Return the lengths that nearly all paths have, and those that nearly all of the gradient comes from."""
    return (
        f"{blocks} blocks make 2^{blocks} paths, {2**blocks:.2g} in all. {100 * SURE:g} % of them have {_lengths(counts)}. "
        f"With gain {r:g}, {100 * SURE:g} % of the gradient comes from {_lengths(shares)}."
    )


def _lengths(fractions):
    """Return the central lengths that make up at least 95 %, in words."""
    ends, total = [], 0.0
    for k, fraction in enumerate(fractions):
        total += fraction
        while len(ends) < 2 and total >= ((1 - SURE) / 2, (1 + SURE) / 2)[len(ends)] - 1e-12:
            ends.append(k)
    low, high = ends
    return f"length {low}" if low == high else f"lengths {low} to {high}"


def _listed(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _percent(share):
    return f"{100 * share:.0f} %" if share >= 0.095 or share == 0 else f"{100 * share:.1g} %"
