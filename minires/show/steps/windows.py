"""The positions of a kernel on an image, for each choice of kernel, stride and padding."""

from itertools import product

from minires.ops.windows import output_size, pair
from minires.show.steps.scene import Scene, grid
from minires.show.steps.stepper import Choice, Frame, Stepper

LARGEST, MOST = 10, 600  # size of the image; positions of all choices together
CELL, TOP, GAP, FOOT = 28, 34, 46, 34  # pixels
# A step has two numbers, the output's row --i and column --j; --s is the stride, --n the output's size.
STYLE = """
.minires-svg text{font-size:17px}
.minires-svg .ring{fill:#8c8c8c;fill-opacity:.22;stroke:currentColor;stroke-opacity:.5;stroke-dasharray:4 3}
.minires-svg .seen{fill:#2b8cc4;fill-opacity:.4}
.minires-svg .out{fill:#e69f00;fill-opacity:.35;stroke:#d55e00;stroke-width:3}
.minires-svg .fine{fill:none;stroke:#d55e00}
.minires-svg .kernel{transform:translate(calc(var(--j)*var(--s)*28px),calc(var(--i)*var(--s)*28px))}
.minires-svg .out{transform:translate(calc(var(--j)*28px),calc(var(--i)*28px))}
.minires-svg .above{width:calc(var(--n)*28px);height:calc(var(--i)*28px)}
.minires-svg .before{width:calc(var(--j)*28px);transform:translate(0,calc(var(--i)*28px))}
""".replace("28px", f"{CELL}px")


def windows(size, kernels=(2, 3), strides=(1, 2, 3), paddings=(0, 1, 2)):
    """Return a stepper: a square kernel moves over a size x size image, and each position gives one element of the output.

    kernels, strides, paddings  what there is to choose from, each with a menu of its own

    Raises  TypeError: not ints. ValueError: no choices, a kernel larger than a padded image, or too many positions.
    """
    size = pair(size, "windows: size", 1)[0]
    if size > LARGEST:
        raise ValueError(f"windows: expected a size of at most {LARGEST}, got {size}")
    choices = [
        Choice("kernel", _ints(kernels, "kernels", 1)),
        Choice("stride", _ints(strides, "strides", 1)),
        Choice("padding", _ints(paddings, "paddings", 0)),
    ]
    kernels, strides, paddings = (choice.values for choice in choices)
    outs = {
        (k, s, p): output_size((size, size), (k, k), (s, s), (p, p))[0]
        for k, s, p in product(kernels, strides, paddings)
    }
    if (positions := sum(out**2 for out in outs.values())) > MOST:
        raise ValueError(
            f"windows: expected at most {MOST} positions of the kernel in all, got {positions}: "
            "use a smaller image or fewer choices"
        )
    most, largest = max(paddings), max(outs.values())
    edge = 2 + most * CELL, TOP + most * CELL  # of the image
    across = 2 + (size + 2 * most) * CELL
    right = across + GAP
    down = TOP + max(size + 2 * most, largest) * CELL
    scene = Scene(max(right + max(largest * CELL, 120), 330) + 3, down + FOOT, STYLE)
    stage = scene.add("g", name="stage", style="--i:0;--j:0;--s:1;--n:0")
    scene.text(2, 14, f"image {size}x{size}", "title")
    scene.text(right, 14, "", "title", name="title", inside=stage)
    scene.text(2, down + 20, "", "left", name="formula", inside=stage)
    scene.add("path", "ring", name="ring", d="", inside=stage)
    scene.add("path", "grid", name="lines", d="", inside=stage)
    scene.add("path", "cell", d=grid(size, size, CELL, *edge), inside=stage)
    scene.rect(right, TOP, 0, 0, "seen above", inside=stage)
    scene.rect(right, TOP, 0, CELL, "seen before", inside=stage)
    scene.add("path", "cell", name="cells", d="", inside=stage)
    scene.rect(right, TOP, CELL, CELL, "out move", inside=stage)
    kernel = scene.add("g", "kernel move", inside=stage)
    scene.add("path", "now", inside=kernel, name="frame", d="")
    scene.add("path", "fine", inside=kernel, name="weights", d="")
    runs = [_run(size, *choice, out, edge, right) for choice, out in outs.items()]
    return Stepper(scene, runs, choices, title=f"Positions of a kernel on a {size}x{size} image")


def _run(size, k, s, p, out, edge, right):
    """Return a frame for each position of a kernel."""
    wide = size + 2 * p
    x, y = (place - p * CELL for place in edge)
    left = wide - (out - 1) * s - k  # rows and columns at the end that no position reaches
    fixed = {
        "title.text": f"output {out}x{out}",
        "formula.text": f"size = floor(({size} + 2·{p} - {k}) / {s}) + 1 = {out}",
        "ring.d": f"M{x} {y}h{wide * CELL}v{wide * CELL}h{-wide * CELL}z"
        f"M{edge[0]} {edge[1]}v{size * CELL}h{size * CELL}v{-size * CELL}z"
        if p
        else "",
        "lines.d": grid(wide, wide, CELL, x, y) if p else "",
        "cells.d": grid(out, out, CELL, right, TOP),
        "frame.d": f"M{x} {y}h{k * CELL}v{k * CELL}h{-k * CELL}z",
        "weights.d": grid(k, k, CELL, x, y),
    }
    uncovered = ""
    if left:
        uncovered = f" The last {_counted(left)} of the {'padded ' if p else ''}image {'is' if left == 1 else 'are'} never covered."  # fmt: skip
    frames = []
    for i, j in product(range(out), repeat=2):
        rows, columns = (_range(what, at * s, k) for what, at in (("row", i), ("column", j)))
        say = f"Output ({i}, {j}): the kernel covers {rows} and {columns}{' of the padded image' if p else ''}."
        if i == j == out - 1:
            say += f" The output has {out} x {out} elements.{uncovered}"
        frames.append(Frame(say, fixed | {"stage.style": f"--i:{i};--j:{j};--s:{s};--n:{out}"}))
    return frames


def _range(what, start, count):
    return f"{what} {start}" if count == 1 else f"{what}s {start} to {start + count - 1}"


def _ints(values, name, least):
    """Return the choices as ints, without repetitions.

    Raises  TypeError: not ints. ValueError: none, or one below `least`.
    """
    values = [values] if isinstance(values, int) else list(values)
    if not values:
        raise ValueError(f"windows: expected at least one of {name}, got none")
    return tuple(dict.fromkeys(pair(value, f"windows: {name}", least)[0] for value in values))


def _counted(count):
    return "row and column" if count == 1 else f"{count} rows and columns"
