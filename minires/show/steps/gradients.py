"""A number per layer on a logarithmic axis, for each of several choices."""

import math

from minires.backend import to_host
from minires.show.steps.scene import Scene
from minires.show.steps.stepper import Choice, Frame, Stepper

MOST, MOST_LAYERS = 12, 100
WIDE, HIGH, LEFT, TOP = 440, 240, 74, 30
STYLE = """
.minires-svg .other{fill:none;stroke:currentColor;stroke-opacity:.4;stroke-width:1.5}
.minires-svg .line{fill:none;stroke:#d55e00;stroke-width:3;stroke-linejoin:round}
.minires-svg .dots{fill:none;stroke:#d55e00;stroke-width:8;stroke-linecap:round}
.minires-svg .right{text-anchor:end}
"""


def gradients(norms, *, layers=None, ylabel="gradient norm"):
    """Return a stepper: one line by layer on a logarithmic axis for each choice; the chosen one is bold.

    norms  a dict from the name of a choice, such as an initialisation or a gain, to a list with a number for each layer,
        the first layer first    layers  the names of the layers; by default 1, 2, 3, ...
    If all names are numbers a slider chooses, otherwise a menu.

    Raises  ValueError: no choices, lists of different lengths, negative numbers, or nothing above 0.
    """
    norms = {str(name): _floats(name, values) for name, values in dict(norms).items()}
    if not 1 <= len(norms) <= MOST:
        raise ValueError(f"gradients: expected 1 to {MOST} choices, got {len(norms)}")
    counts = {len(values) for values in norms.values()}
    if len(counts) > 1 or not 2 <= max(counts) <= MOST_LAYERS:
        raise ValueError(
            f"gradients: expected the same number of layers for each choice, 2 to {MOST_LAYERS}, got {sorted(counts)}"
        )
    count = max(counts)
    layers = [str(layer) for layer in (range(1, count + 1) if layers is None else layers)]
    if len(layers) != count:
        raise ValueError(f"gradients: expected {count} names of layers, got {len(layers)}")
    shown = [value for values in norms.values() for value in values if 0 < value < math.inf]
    if not shown:
        raise ValueError("gradients: expected at least one finite number above 0, got none")
    low, high = math.floor(math.log10(min(shown))), math.ceil(math.log10(max(shown)))
    high = max(high, low + 1)

    def place(i, value):
        size = math.log10(value) if 0 < value < math.inf else low if value == 0 else high
        return LEFT + 14 + i * (WIDE - 28) / (count - 1), TOP + HIGH * (high - size) / (high - low)

    scene = Scene(LEFT + WIDE + 6, TOP + HIGH + 52, STYLE)
    _axes(scene, low, high, layers, place, ylabel)
    lines = {name: [place(i, value) for i, value in enumerate(values)] for name, values in norms.items()}  # fmt: skip
    for points in lines.values():
        scene.add("polyline", "other", points=_joined(points))
    for name, (x, y, side) in _labels(lines).items():
        scene.text(x, y, name, f"small {side}")
    scene.add("polyline", "line", name="line", points="")
    scene.add("path", "dots", name="dots", d="")
    scene.text(LEFT + WIDE, 14, "", "right bold", name="name")
    runs = [
        [
            Frame(
                _sentence(name, norms[name], layers, ylabel),
                {
                    "line.points": _joined(points),
                    "dots.d": "".join(f"M{x:.0f} {y:.0f}h0" for x, y in points),
                    "name.text": name,
                },
            )
        ]
        for name, points in lines.items()
    ]
    choice = Choice("show", tuple(norms), slider=all(map(_is_number, norms)) and len(norms) > 1)
    return Stepper(scene, runs, [choice], title=f"{ylabel[:1].upper()}{ylabel[1:]} by layer")


def _axes(scene, low, high, layers, place, ylabel):
    """Draw the frame, a line for each power of ten (at most about seven), and the names of the layers."""
    scene.text(2, 14, ylabel, "title")
    every = -(-(high - low) // 7)
    for power in range(low, high + 1, every):
        _, y = place(0, 10.0**power)
        scene.add("path", "grid", d=f"M{LEFT} {y:.1f}h{WIDE}")
        scene.text(LEFT - 8, y, f"{10.0**power:g}", "right")
    scene.rect(LEFT, TOP, WIDE, HIGH, "cell")
    every = -(-len(layers) * max(map(len, layers)) // 40)
    for i in range(0, len(layers), every):
        scene.text(place(i, 1.0)[0], TOP + HIGH + 16, layers[i])
    scene.text(LEFT + WIDE / 2, TOP + HIGH + 38, "layer")


def _labels(lines):
    """Return name -> (x, y, class) of its label: above its line, where the other lines are furthest away."""
    places = {}
    for name, points in lines.items():
        inner = range(len(points) // 5, len(points) - len(points) // 5)
        others = [other for other in lines if other != name]

        def room(i, points=points, others=others):
            return min((abs(lines[other][i][1] - points[i][1]) for other in others), default=0)

        at = max(inner, key=room)
        (x, y), (_, before), (_, after) = (
            points[at],
            points[max(at - 1, 0)],
            points[min(at + 1, len(points) - 1)],
        )
        places[name] = x, y - 12, "right" if after < before else "left"
    return places


def _joined(points):
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in points)


def _sentence(name, values, layers, ylabel):
    """Return what a line says in words: both ends, and the factor between them."""
    first, last = values[0], values[-1]
    say = f"{name}: the {ylabel} is {first:.3g} in layer {layers[0]} and {last:.3g} in layer {layers[-1]}"
    if 0 < first < math.inf and 0 < last < math.inf:
        more = max(first / last, last / first)
        where = layers[0] if first < last else layers[-1]
        say += f", {more:.3g} times smaller in layer {where}" if more >= 1.05 else ", nearly the same"  # fmt: skip
    return say + "."


def _floats(name, values):
    try:
        numbers = to_host(values).tolist() if hasattr(values, "dtype") else list(values)
        numbers = [float(to_host(value) if hasattr(value, "dtype") else value) for value in numbers]
    except (TypeError, ValueError):
        raise ValueError(f"gradients: expected a list of numbers for {name!r}, got {values!r}") from None  # fmt: skip
    if any(value < 0 for value in numbers):
        raise ValueError(f"gradients: expected no negative numbers for {name!r}, got {min(numbers)}")  # fmt: skip
    return numbers


def _is_number(name):
    try:
        float(name)
    except ValueError:
        return False
    return True
