"""Gradient descent on a loss of two weights: its contours, and the path at each learning rate."""

import math
import warnings
from itertools import pairwise

from matplotlib.figure import Figure

from minires.backend import to_host, xp
from minires.show.steps.scene import Scene, shift
from minires.show.steps.stepper import Choice, Frame, Stepper

MOST_RATES, MOST_STEPS = 24, 100
WIDE, FAR = 440, 30  # width in pixels; half-widths of the picture after which a path is not drawn
RINGS, FINE = 9, 48  # contours, and points of the grid that they are found on
STYLE = """
.minires-svg .ring{fill:none;stroke:#3c8fc4;stroke-opacity:.85}
.minires-svg .way{fill:none;stroke:#d55e00;stroke-width:2.5;stroke-linejoin:round}
.minires-svg .dots{fill:none;stroke:#d55e00;stroke-width:6;stroke-linecap:round}
.minires-svg .here{fill:#e69f00;stroke:currentColor;stroke-width:2}
.minires-svg .goal{fill:none;stroke:currentColor;stroke-width:2.5}
.minires-svg .frame{fill:none;stroke:currentColor;stroke-opacity:.45}
"""


def valley(loss, start, rates, *, steps=30, momentum=0.0, minimum=(0, 0)):
    """Return a stepper: the contours of a loss of two weights, and the path of SGD from `start` at each learning rate.

    loss  a function of w, an array (2,) in float64, that returns (value, gradient)    start, minimum  two numbers each
    rates  learning rates, from which a slider chooses    steps  updates per rate; a path stops early if it overflows

    v = momentum * v + gradient; w -= rate * v.

    Raises  ValueError: no rates, too many rates or steps, points that are not two numbers, or a loss that is not finite
    at the start or does not return (value, gradient).
    """
    start, minimum = _point(start, "start"), _point(minimum, "minimum")
    rates = [float(rate) for rate in rates]
    if not 1 <= len(rates) <= MOST_RATES or not all(map(math.isfinite, rates)):
        raise ValueError(f"valley: expected 1 to {MOST_RATES} finite learning rates, got {rates}")
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"valley: expected 1 to {MOST_STEPS} steps, got {steps}")
    if start == minimum:
        raise ValueError(f"valley: expected a start away from the minimum, got {start} for both")
    half = _halves(start, minimum)
    high = round(WIDE * half[1] / half[0])

    def place(w):
        x, y = ((at - middle) / far for at, middle, far in zip(w, minimum, half))
        return WIDE / 2 * (1 + x), high / 2 * (1 - y)

    scene = Scene(WIDE + 34, high + 40, STYLE)
    # A drawing inside the drawing cuts off what passes its edge.
    plot = scene.add("svg", x=30, y=4, width=WIDE, height=high)
    scene.add("path", "ring", inside=plot, d=_contours(loss, minimum, half, place))
    x, y = place(minimum)
    scene.add("path", "goal", inside=plot, d=f"M{x - 6:g} {y:g}h12M{x:g} {y - 6:g}v12")
    scene.add("polyline", "way", inside=plot, name="way", points="")
    scene.add("path", "dots", inside=plot, name="dots", d="")
    scene.add("circle", "here move", inside=plot, name="here", r=7)
    scene.rect(30, 4, WIDE, high, "frame")
    scene.text(30 + WIDE / 2, high + 22, "w[0]")
    scene.text(14, 4 + high / 2, "w[1]")
    runs = [_run(loss, start, rate, steps, momentum, place, (WIDE, high)) for rate in rates]
    of = f" with momentum {momentum:g}" if momentum else ""
    title = f"Gradient descent{of} from ({start[0]:g}, {start[1]:g})"
    values = tuple(f"{rate:g}" for rate in rates)
    return Stepper(scene, runs, [Choice("learning rate", values, slider=True)], title=title, at_end=True)  # fmt: skip


def _run(loss, w, rate, steps, momentum, place, size):
    """Return the frames of one learning rate: the start, and one after each update."""
    value, gradient = _at(loss, w)
    if not math.isfinite(value):
        raise ValueError(f"valley: expected a finite loss at the start, got {value}")
    path, values, v = [w], [value], (0.0, 0.0)
    for _ in range(steps):
        v = [momentum * old + slope for old, slope in zip(v, gradient)]
        w = [at - rate * speed for at, speed in zip(w, v)]
        value, gradient = _at(loss, w)
        if not all(map(math.isfinite, (*w, value, *gradient))):
            break
        path.append(w)
        values.append(value)
    drawn = []
    for x, y in map(place, path):
        drawn.append((round(x), round(y)))
        if max(abs(x) / size[0], abs(y) / size[1]) > FAR:
            break
    lengths = [0.0]
    for before, after in pairwise(drawn):
        lengths.append(lengths[-1] + math.dist(before, after))
    fixed = {
        "way.points": " ".join(f"{x},{y}" for x, y in drawn),
        "dots.d": "".join(f"M{x} {y}h0" for x, y in dict.fromkeys(drawn)),
        "way.stroke-dasharray": f"{lengths[-1]:.0f}",
    }
    frames = []
    for k, (w, value) in enumerate(zip(path, values)):
        at = min(k, len(drawn) - 1)
        say = f"{_after(k)}: w = ({_rounded(w[0])}, {_rounded(w[1])}), loss {value:.3g}."
        if k == len(path) - 1:
            say += _ending(rate, len(path) <= steps, value, values[0])
        # One dash as long as the path, pulled back by what is still to come.
        moved = {"here.style": shift(*drawn[at]), "way.stroke-dashoffset": f"{lengths[-1] - lengths[at]:.0f}"}  # fmt: skip
        frames.append(Frame(say, fixed | moved))
    return frames


def _after(count):
    return f"After {count} update{'s' * (count != 1)}" if count else "At the start"


def _rounded(value):
    return f"{round(value, 2) + 0.0:.4g}"  # not -0


def _ending(rate, overflow, last, first):
    if overflow:
        return f" The next loss is not finite: learning rate {rate:g} diverges."
    if last > first:
        return f" The loss is larger than at the start, {first:.3g}: learning rate {rate:g} diverges."  # fmt: skip
    return f" At the start the loss was {first:.3g}."


def _halves(start, minimum):
    """Return half the width and half the height of what is drawn, in units of w; none is less than a third of the other."""
    far = [1.35 * abs(at - middle) for at, middle in zip(start, minimum)]
    return max(far[0], 1.0 * far[1]), max(far[1], 0.4 * max(far))


def _contours(loss, minimum, half, place):
    """Return the path of the contours at equal steps of the root of the loss, which a quadratic loss spaces evenly."""
    steps = [2 * i / FINE - 1 for i in range(FINE + 1)]
    xs, ys = ([middle + far * t for t in steps] for middle, far in zip(minimum, half))
    values = [[_at(loss, (x, y))[0] for x in xs] for y in ys]
    lowest = _at(loss, minimum)[0]
    most = max(value for row in values for value in row if math.isfinite(value)) - lowest
    if not most > 0:
        raise ValueError(f"valley: expected a loss that is smallest at the minimum, {lowest:g}")
    levels = [lowest + most * (i / (RINGS + 1)) ** 2 for i in range(1, RINGS + 1)]
    found = Figure().add_subplot().contour(xs, ys, values, levels)
    return "".join(
        "M" + "L".join("{:.0f} {:.0f}".format(*place(point)) for point in _thinned(line))
        for lines in found.allsegs
        for line in lines
        if len(line) > 1
    )


def _thinned(line):
    """Return every other point of a long line, and its last."""
    return [*line[:-1:2], line[-1]] if len(line) > 40 else line


def _at(loss, w):
    """Return the loss and its gradient at w, as Python numbers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # a rate may diverge, and the figure says so
            value, gradient = loss(xp.array([float(at) for at in w], dtype="float64"))
        value, gradient = _number(value), _point(gradient, "the gradient")
    except (TypeError, ValueError) as error:
        raise ValueError(f"valley: expected loss(w) to return (value, gradient of shape (2,)): {error}") from error  # fmt: skip
    return value, gradient


def _number(value):
    return float(to_host(value) if hasattr(value, "dtype") else value)


def _point(values, name):
    """Return two numbers as a tuple of floats."""
    try:
        numbers = to_host(values).tolist() if hasattr(values, "dtype") else list(values)
        x, y = map(_number, numbers)
    except (TypeError, ValueError):
        raise ValueError(f"valley: expected two numbers for {name}, got {values!r}") from None
    return x, y
