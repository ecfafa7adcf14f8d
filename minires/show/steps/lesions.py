"""A residual net with one block's branch left out at a time, and the accuracy that is left."""

from itertools import groupby

from minires.backend import to_host
from minires.show.steps.percent import percent_axis
from minires.show.steps.scene import Scene, shift
from minires.show.steps.stepper import Frame, Stepper

MOST = 60
WIDE, LEFT = 486, 46
MAIN, UP, BOX = (
    88,
    40,
    26,
)  # pixels: y of the shortcuts, from there up to the middle of a block, height of a block
LEGEND, TOP, TALL, FOOT = (
    122,
    148,
    150,
    24,
)  # y of the legend and of 100 %, height of the axis, room below it
STYLE = """
.minires-svg .gone{fill:none;stroke:currentColor;stroke-opacity:.3;stroke-dasharray:3 4}
.minires-svg .bypass{fill:none;stroke:#d55e00;stroke-width:5}
.minires-svg .bar{fill:#2b8cc4;fill-opacity:.5;stroke:#2b8cc4}
.minires-svg .current .bar{fill:#e69f00;fill-opacity:.5;stroke:#d55e00;stroke-width:2}
.minires-svg .whole{fill:none;stroke:#009e73;stroke-width:2.5}
.minires-svg .chance{fill:none;stroke:currentColor;stroke-width:1.5;stroke-dasharray:6 4}
"""


def lesions(correct, total, *, whole, names=None, chance=0.1):
    """Return a stepper: a residual net from which each step leaves out the branch of one block, and the accuracy that is left.

    correct  for each block, the first one first, how many images are classified correctly without its branch
    total  how many images there are    whole  how many of them the whole net classifies correctly
    names  of the blocks; by default 1, 2, 3, ... Blocks whose names begin alike up to a dot, as in "2.0", are a stage
    chance  the accuracy of random guessing, a fraction

    If total is 1, the numbers are accuracies.

    Raises  ValueError: no or more than 60 blocks, not one name for each block, or a number that is not between 0 and total.
    """
    numbers = _floats(correct, "correct")
    total, whole, chance = (_floats([value], name)[0] for value, name in [(total, "total"), (whole, "whole"), (chance, "chance")])  # fmt: skip
    n = len(numbers)
    if not 1 <= n <= MOST:
        raise ValueError(f"lesions: expected 1 to {MOST} blocks, got {n}")
    if not 0 < total < float("inf"):
        raise ValueError(f"lesions: expected a total above 0, got {total:g}")
    for value in (*numbers, whole):
        if not 0 <= value <= total:
            raise ValueError(f"lesions: expected numbers from 0 to {total:g}, got {value:g}")
    if not 0 <= chance <= 1:
        raise ValueError(f"lesions: expected a chance from 0 to 1, got {chance:g}")
    names = [str(name) for name in (range(1, n + 1) if names is None else names)]
    if len(names) != n:
        raise ValueError(f"lesions: expected {n} names of blocks, got {len(names)}")
    pitch = (WIDE - LEFT) / n
    scene = Scene(WIDE + 4, TOP + TALL + FOOT, STYLE)
    _net(scene, names, pitch)
    _bars(scene, names, pitch, [value / total for value in numbers], whole / total, chance)
    first = Frame(f"The whole net classifies {_said(whole, total)} correctly.")
    frames = [first]
    for k, value in enumerate(numbers):
        changes = {f"bar{i}.class": "seen" for i in range(k)} | {
            f"bar{k}.class": "current",
            f"branch{k}.class": "gone",
            f"box{k}.class": "gone",
            "bypass.style": shift(k * pitch, 0),
            "bypass.class": "bypass",
        }
        frames.append(Frame(_sentence(names[k], value, whole, total), changes))
    summary = _summary(names, numbers, whole, total)
    frames.append(Frame(summary, {f"bar{i}.class": "seen" for i in range(n)}))
    return Stepper(scene, [frames], title=f"A residual net of {n} block{'s' * (n != 1)}, one branch left out at a time")  # fmt: skip


def _net(scene, names, pitch):
    """Draw the row of blocks, each with its branch and its shortcut, and above them the names of the stages."""
    half, middle = min(22, 0.33 * pitch), MAIN - UP
    scene.add("path", "edge", d=f"M{LEFT - 16} {MAIN}H{WIDE}")
    scene.add(
        "path",
        "bypass off",
        name="bypass",
        d=f"M{LEFT + 0.06 * pitch:.1f} {MAIN}h{0.88 * pitch:.1f}",
    )
    scene.text(LEFT - 24, MAIN, "x")
    for k, name in enumerate(names):
        x = LEFT + (k + 0.5) * pitch
        fork, add = x - 0.44 * pitch, x + 0.44 * pitch
        d = f"M{fork:.1f} {MAIN}V{middle}H{x - half:.1f}M{x + half:.1f} {middle}H{add:.1f}V{MAIN}"
        scene.add("path", "edge", name=f"branch{k}", d=d)
        scene.rect(x - half, middle - BOX / 2, 2 * half, BOX, "node", name=f"box{k}")
        if _fits(names, 2 * half):
            scene.text(x, middle, name, "small")
    if all("." in name for name in names):
        start = 0
        for stage, blocks in groupby(name.partition(".")[0] for name in names):
            count = len(list(blocks))
            left, right = (LEFT + at * pitch for at in (start + 0.06, start + count - 0.06))
            scene.add("path", "cell", d=f"M{left:.1f} 26v-5H{right:.1f}v5")
            scene.text((left + right) / 2, 10, f"stage {stage}" if stage.isdigit() else stage)
            start += count


def _bars(scene, names, pitch, fractions, whole, chance):
    """Draw the bars, hidden as yet, under their blocks, and lines for the whole net and for chance."""
    base = TOP + TALL
    y = percent_axis(scene, LEFT, WIDE, base, TALL, 1.0)
    wide = 0.6 * pitch
    for k, fraction in enumerate(fractions):
        group = scene.add("g", "off", name=f"bar{k}")
        x = LEFT + (k + 0.5) * pitch
        scene.rect(x - wide / 2, y(fraction), wide, base - y(fraction), "bar", inside=group)
        if pitch >= 34:
            at = y(fraction) + (11 if fraction > 0.25 else -9)  # in the bar, if it is high enough
            scene.text(x, at, f"{100 * fraction:.0f}", "small", inside=group)
    for value, kind, x, text in [
        (whole, "whole", LEFT, "whole net"),
        (chance, "chance", 250, "chance"),
    ]:
        scene.add("path", kind, d=f"M{LEFT} {y(value):.1f}H{WIDE}")
        scene.add("path", kind, d=f"M{x} {LEGEND}h26")
        scene.text(x + 34, LEGEND, f"{text}: {_percent(value)}", "left")
    if not _fits(names, 2 * min(22, 0.33 * pitch)):
        every = -(-len(names) * (max(map(len, names)) + 1) // 54)
        for k in range(0, len(names), every):
            scene.text(LEFT + (k + 0.5) * pitch, base + 13, names[k], "small")


def _fits(names, wide):
    return 7 * max(map(len, names)) + 4 <= wide


def _sentence(name, value, whole, total):
    less = 100 * (whole - value) / total
    change = f"{abs(less):.1f} points {'less' if less > 0 else 'more'} than the whole net" if round(less, 1) else "as many as with it"  # fmt: skip
    return f"Without the branch of block {name}, the net classifies {_said(value, total)} correctly: {change}."


def _summary(names, numbers, whole, total):
    """Return the ends of the range, in words."""
    low, high = min(numbers), max(numbers)
    return (
        f"Without one branch, from {_percent(low / total)} (block {names[numbers.index(low)]}) to {_percent(high / total)} "
        f"(block {names[numbers.index(high)]}) are classified correctly; with all of them, {_percent(whole / total)}."
    )


def _said(value, total):
    if total == 1:
        return f"{_percent(value)} of the images"
    return f"{value:,.10g} of {total:,.10g} images ({_percent(value / total)})"


def _percent(fraction):
    return f"{100 * fraction:.1f} %"


def _floats(values, name):
    """Return the numbers of a list or an array as floats."""
    try:
        values = to_host(values).tolist() if hasattr(values, "dtype") else list(values)
        return [float(to_host(value) if hasattr(value, "dtype") else value) for value in values]
    except (TypeError, ValueError):
        raise ValueError(f"lesions: expected numbers for {name}, got {values!r}") from None
