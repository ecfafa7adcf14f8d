"""The pixels that one element of a feature map depends on, layer by layer, along one axis."""

from minires.show.steps.scene import Scene
from minires.show.steps.stepper import Frame, Stepper

MOST, MOST_PIXELS = 8, 60
LEFT, WIDE, RIGHT = 94, 350, 70  # pixels: names of the layers, what is drawn, widths
ROW, HIGH, TOP = 50, 22, 6  # from one layer to the next; height of an element
STYLE = """
.minires-svg .cone{fill:#e69f00;fill-opacity:.16;stroke:#d55e00;stroke-opacity:.7}
.minires-svg .other{fill:#2b8cc4;fill-opacity:.14;stroke:#2b8cc4;stroke-opacity:.8;stroke-dasharray:4 3}
.minires-svg .seen{fill:#e69f00;fill-opacity:.4}
.minires-svg .neighbour{fill:#2b8cc4;fill-opacity:.3;stroke:#2b8cc4;stroke-width:2}
.minires-svg .span{fill:none;stroke:#d55e00;stroke-width:3}
.minires-svg .twin{fill:none;stroke:#2b8cc4;stroke-width:3}
.minires-svg .right{text-anchor:end}
"""


def receptive_field(layers):
    """Return a stepper: after each layer, the pixels of a row that one element depends on, and those of its right neighbour.

    layers  pairs (kernel, stride), the first layer first, along one axis and without padding

    Raises  TypeError: not pairs of ints. ValueError: no or more than 8 layers, an int below 1, or more than 60 pixels.
    """
    layers = [_layer(layer) for layer in layers]
    last = len(layers)
    if not 1 <= last <= MOST:
        raise ValueError(f"receptive_field: expected 1 to {MOST} layers, got {last}")
    field = _below(layers, last, 0)
    wide = 1 + max(_below(layers, last, 1)[0] | field[0])
    _check(wide)
    drawn = _Rows(layers, wide)
    scene = Scene(LEFT + WIDE + RIGHT, drawn.tops[0] + HIGH + 32, STYLE)
    for kind in ("other", "cone"):
        scene.add("path", kind, name=kind, d="")
    for depth, middles in enumerate(drawn.middles):
        y = drawn.tops[depth] + HIGH / 2
        name = "image" if depth == 0 else _name(*layers[depth - 1])
        scene.text(LEFT - 10, y, name, "right small")
        scene.text(LEFT + WIDE + 8, y, "", "left small", name=f"wide{depth}")
        scene.add("path", "cell", d=drawn.boxes(depth, range(len(middles))))
        scene.add("path", "seen", name=f"seen{depth}", d="")
    for kind in ("neighbour", "now", "span", "twin"):
        scene.add("path", kind, name=kind, d="")
    frames, written = [], {}
    for depth in range(last + 1):
        chosen = sorted(field[depth])[(len(field[depth]) - 1) // 2]
        mine, twin = _below(layers, depth, chosen), _below(layers, depth, chosen + 1)
        size, moved = 1 + max(mine[0]) - min(mine[0]), min(twin[0]) - min(mine[0])
        written = written | {f"wide{depth}.text": _pixels(size)}
        changes = {
            "now.d": drawn.boxes(depth, [chosen]),
            "neighbour.d": drawn.boxes(depth, [chosen + 1]),
            "cone.d": drawn.cone(mine),
            "other.d": drawn.cone(twin),
            "span.d": drawn.bracket(mine[0], 8),
            "twin.d": drawn.bracket(twin[0], 20),
        }
        seen = {f"seen{below}.d": drawn.boxes(below, sorted(mine[below])) for below in range(depth)}
        say = _sentence(depth, size, moved, len(mine[0]))
        frames.append(Frame(say, written | changes | seen))
    return Stepper(scene, [frames], title=f"The receptive field after each of {last} layer{'s' * (last != 1)}")  # fmt: skip


def _below(layers, depth, i):
    """Return, for each depth down to the pixels (0), the set of elements that element i at this depth depends on."""
    found = {depth: {i}}
    for at in range(depth, 0, -1):
        kernel, stride = layers[at - 1]
        _check(kernel, len(found[at]))  # neither can be more than the pixels are
        found[at - 1] = {j * stride + t for j in found[at] for t in range(kernel)}
    return found


def _check(*counts):
    if max(counts) > MOST_PIXELS:
        raise ValueError(
            f"receptive_field: expected at most {MOST_PIXELS} pixels under two neighbours, got at least {max(counts)}: "
            "use fewer or smaller layers"
        )


class _Rows:
    """The positions of the elements: a row for each layer, each element above the middle of its pixels."""

    def __init__(self, layers, wide):
        self.cell = min(HIGH, WIDE / wide)
        left = LEFT + (WIDE - wide * self.cell) / 2
        self.edges = [left + i * self.cell for i in range(wide + 1)]
        self.tops = [TOP + (len(layers) - depth) * ROW for depth in range(len(layers) + 1)]
        self.middles = []
        for depth in range(len(layers) + 1):
            row, i = [], 0
            while max(pixels := _below(layers, depth, i)[0]) < wide:
                row.append(left + (min(pixels) + max(pixels) + 1) / 2 * self.cell)
                i += 1
            self.middles.append(row)

    def boxes(self, depth, elements):
        """Return the path of some elements of a row."""
        cell, y = self.cell, self.tops[depth]
        return "".join(
            f"M{self.middles[depth][i] - cell / 2:.1f} {y}h{cell:.1f}v{HIGH}h{-cell:.1f}z"
            for i in elements
        )

    def cone(self, found):
        """Return the outline of what an element depends on, from its row down to the pixels."""
        down, up = [], []
        for depth in sorted(found, reverse=True):
            y = self.tops[depth]
            left, right = (self.middles[depth][end(found[depth])] for end in (min, max))
            half = self.cell / 2
            down += [f"{left - half:.1f} {y}", f"{left - half:.1f} {y + HIGH}"]
            up += [f"{right + half:.1f} {y}", f"{right + half:.1f} {y + HIGH}"]
        return f"M{'L'.join([*down, *reversed(up)])}z"

    def bracket(self, pixels, under):
        """Return the path of a bracket under the first to the last of these pixels."""
        y = self.tops[0] + HIGH + under
        return f"M{self.edges[min(pixels)]:.1f} {y - 5}v5H{self.edges[max(pixels) + 1]:.1f}v-5"


def _sentence(depth, size, moved, count):
    """Return what an element sees, and how far its neighbour's field is from its own."""
    if depth == 0:
        return "Before the first layer, an element is a pixel, and its neighbour is the next pixel."
    say = f"After layer {depth}, the receptive field of an element is {_pixels(size)} wide"
    if count < size:
        say += f", of which it depends on {count}"
    return f"{say}. That of its neighbour begins {_pixels(moved)} further to the right."


def _pixels(count):
    return f"{count} pixel{'s' * (count != 1)}"


def _name(kernel, stride):
    return f"{kernel}x{kernel}, stride {stride}" if stride > 1 else f"{kernel}x{kernel}"


def _layer(layer):
    """Return (kernel, stride)."""
    if not isinstance(layer, (tuple, list)) or len(layer) != 2 or not all(isinstance(n, int) for n in layer):  # fmt: skip
        raise TypeError(f"receptive_field: expected pairs of ints (kernel, stride), got {layer!r}")
    if min(layer) < 1:
        raise ValueError(f"receptive_field: expected a kernel and a stride of at least 1, got {layer}")  # fmt: skip
    return tuple(layer)
