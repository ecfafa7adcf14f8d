"""Numbers by layer on logarithmic axes, for each of several choices: one panel, or one under another."""

import math

from minires.backend import to_host
from minires.show.steps.scene import Scene
from minires.show.steps.stepper import Choice, Frame, Stepper

MOST, MOST_LAYERS, MOST_PANELS = 12, 2000, 3
POINTS = 100  # of a line, or in all panels of a line in each
WIDE, LEFT, TOP, GAP = 440, 74, 30, 8
HIGH, LOW = 240, 150  # of a panel: alone, and above or below another
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
    return _stepper("gradients", {ylabel: dict(norms)}, layers, "show")


def depth(panels, *, layers=None):
    """Return a stepper: for a chosen net, a line by layer in each panel, on a logarithmic axis of its own.

    panels  a dict from what is measured, such as "gradient norm" and "variance", to one as for gradients(): from the name of
        a net to a list with a number for each layer. All panels have the same nets    layers  as for gradients()

    0 is at the lower edge of its panel, inf and NaN at the upper. Of many layers, every second, third, ... is drawn.

    Raises  ValueError: no or more than three panels, panels of different nets, and what gradients() rejects.
    """
    panels = {str(name): dict(nets) for name, nets in dict(panels).items()}
    if not 1 <= len(panels) <= MOST_PANELS:
        raise ValueError(f"depth: expected 1 to {MOST_PANELS} panels, got {len(panels)}")
    names = [list(nets) for nets in panels.values()]
    if any(other != names[0] for other in names):
        raise ValueError(f"depth: expected the same nets in each panel, got {names}")
    return _stepper("depth", panels, layers, "net")


def _stepper(function, panels, layers, label):
    """Return the stepper: a choice among the lines, and a panel for each quantity."""
    panels = {
        ylabel: {str(name): _floats(function, name, values) for name, values in lines.items()}
        for ylabel, lines in panels.items()
    }
    names = tuple(next(iter(panels.values())))
    if not 1 <= len(names) <= MOST:
        raise ValueError(f"{function}: expected 1 to {MOST} choices, got {len(names)}")
    counts = {len(values) for lines in panels.values() for values in lines.values()}
    if len(counts) > 1 or not 2 <= max(counts) <= MOST_LAYERS:
        raise ValueError(
            f"{function}: expected the same number of layers for each choice, 2 to {MOST_LAYERS}, got {sorted(counts)}"
        )
    count = max(counts)
    layers = [str(layer) for layer in (range(1, count + 1) if layers is None else layers)]
    if len(layers) != count:
        raise ValueError(f"{function}: expected {count} names of layers, got {len(layers)}")
    high = HIGH if len(panels) == 1 else LOW
    scene = Scene(LEFT + WIDE + 6, len(panels) * (TOP + high + GAP) - GAP + 52, STYLE)
    every = -(-(count - 1) // (POINTS // len(panels) - 1))
    kept = [*range(0, count - 1, every), count - 1]
    changes, say = {name: {} for name in names}, dict.fromkeys(names, "")
    for i, (ylabel, lines) in enumerate(panels.items()):
        foot = layers if i == len(panels) - 1 else []
        drawn = _panel(
            scene, i, (i * (TOP + high + GAP), high, kept), lines, ylabel, foot, function
        )
        for name in names:
            changes[name] |= drawn[name]
            say[name] += " " + _sentence(name if i == 0 else "", lines[name], layers, ylabel)
    runs = [[Frame(say[name].strip(), changes[name] | {"name.text": name})] for name in names]
    choice = Choice(label, names, slider=all(map(_is_number, names)) and len(names) > 1)
    title = " and ".join(panels)
    return Stepper(scene, runs, [choice], title=f"{title[:1].upper()}{title[1:]} by layer")


def _across(i, count):
    return LEFT + 14 + i * (WIDE - 28) / (count - 1)


def _panel(scene, index, place, lines, ylabel, foot, function):
    """Draw a panel at (y, height), for these layers, with all its lines, and layers below it if `foot` names some; return name -> changes that make its line bold."""
    shown = [value for values in lines.values() for value in values if 0 < value < math.inf]
    if not shown:
        raise ValueError(f"{function}: expected at least one finite number above 0, got none")
    low, high = math.floor(math.log10(min(shown))), math.ceil(math.log10(max(shown)))
    high = max(high, low + 1)
    y, tall, kept = place

    def down(power):
        return y + TOP + tall * (high - power) / (high - low)

    def power(value):
        return math.log10(value) if 0 < value < math.inf else low if value == 0 else high

    scene.text(2, y + 14, ylabel, "title")
    for at in range(low, high + 1, -(-(high - low) // (7 if tall == HIGH else 5))):
        scene.add("path", "grid", d=f"M{LEFT} {down(at):.1f}h{WIDE}")
        scene.text(LEFT - 8, down(at), f"{float(f'1e{at}'):g}" if at < 309 else f"1e+{at}", "right")
    scene.rect(LEFT, y + TOP, WIDE, tall, "cell")
    if foot:
        _foot(scene, foot, y + TOP + tall)
    points = {
        name: [(_across(i, len(values)), down(power(values[i]))) for i in kept]
        for name, values in lines.items()
    }
    for line in points.values():
        scene.add("polyline", "other", points=_joined(line))
    for name, (x, at, side) in _labels(points, 0 if tall == HIGH else 24).items():
        scene.text(x, at, name, f"small {side}")
    number = index or ""  # of the parts with a name, unless this is the first panel
    scene.add("polyline", "line", name=f"line{number}", points="")
    scene.add("path", "dots", name=f"dots{number}", d="")
    if index == 0:
        scene.text(LEFT + WIDE, 14, "", "right bold", name="name")
    return {
        name: {
            f"line{number}.points": _joined(line),
            f"dots{number}.d": "".join(f"M{x:.0f} {at:.0f}h0" for x, at in line),
        }
        for name, line in points.items()
    }


def _foot(scene, layers, y):
    """Write the names of the layers, as many as there is room for."""
    every = -(-len(layers) * max(map(len, layers)) // 40)
    for i in range(0, len(layers), every):
        scene.text(_across(i, len(layers)), y + 16, layers[i])
    scene.text(LEFT + WIDE / 2, y + 38, "layer")


def _labels(lines, least=0):
    """Return name -> (x, y, class) of its label: above its line, where the other lines are furthest away.

    A name gets no label where no other line is at least `least` pixels away.
    """
    places = {}
    for name, points in lines.items():
        inner = range(len(points) // 5, len(points) - len(points) // 5)
        others = [other for other in lines if other != name]

        def room(i, points=points, others=others):
            return min((abs(lines[other][i][1] - points[i][1]) for other in others), default=least)

        at = max(inner, key=room)
        (x, y), (_, before), (_, after) = (
            points[at],
            points[max(at - 1, 0)],
            points[min(at + 1, len(points) - 1)],
        )
        if room(at) >= least:
            places[name] = x, y - 12, "right" if after < before else "left"
    return places


def _joined(points):
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in points)


def _sentence(name, values, layers, ylabel):
    """Return what a line says in words: both ends, and the factor between them."""
    first, last = values[0], values[-1]
    say = f"{f'{name}: the' if name else 'The'} {ylabel} is {first:.3g} in layer {layers[0]} and {last:.3g} in layer {layers[-1]}"
    if 0 < first < math.inf and 0 < last < math.inf:
        more = max(first / last, last / first)
        where = layers[0] if first < last else layers[-1]
        say += f", {more:.3g} times smaller in layer {where}" if more >= 1.05 else ", nearly the same"  # fmt: skip
    return say + "."


def _floats(function, name, values):
    try:
        numbers = to_host(values).tolist() if hasattr(values, "dtype") else list(values)
        numbers = [float(to_host(value) if hasattr(value, "dtype") else value) for value in numbers]
    except (TypeError, ValueError):
        raise ValueError(f"{function}: expected a list of numbers for {name!r}, got {values!r}") from None  # fmt: skip
    if any(value < 0 for value in numbers):
        raise ValueError(f"{function}: expected no negative numbers for {name!r}, got {min(numbers)}")  # fmt: skip
    return numbers


def _is_number(name):
    try:
        float(name)
    except ValueError:
        return False
    return True
