"""Loss and accuracy by epoch, of one run or of several in one figure."""

from itertools import cycle

from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from minires import names
from minires.show.picture import Picture

KEYS = ("train loss", "validation loss", "train accuracy", "validation accuracy")
PARTS = {"train": "#c1553b", "validation": "#2f6f9f"}
# One for each run, colour-blind-safe; grey instead of yellow, which is hard to see on white. Source  Okabe and Ito 2008.
RUNS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8c8c8c")
MARKS = "os^Dv<>P"


def curves(log, *, title=""):
    """Draw the loss and the accuracy of a run by epoch.

    log  a dict of lists with a number for each epoch: "train loss", "validation loss", "train accuracy" and
        "validation accuracy" (any of them); accuracies are fractions; None if an epoch has no number

    Raises  ValueError: an unknown key.
    """
    figure, panels = _panels()
    for name, values in log.items():
        part, axes, epochs, numbers = _line(name, values, panels)
        if numbers:
            axes.plot(epochs, numbers, color=PARTS[part], label=part, marker=".", linewidth=1.5)
    for axes in panels.values():
        if axes.lines:
            axes.legend(frameon=False)
    _scale(panels["loss"])
    figure.suptitle(title)
    return figure


def overlay(logs, *, title=""):
    """Draw several runs in one figure, each with a colour and a marker of its own.

    If a run has both, the line for validation is solid and the one for training dashed.

    logs  name of a run -> its log, as for curves(); the runs may have different lengths

    Raises  ValueError: no runs, or an unknown key in a log.
    """
    if not logs:
        raise ValueError("overlay: expected at least one run, got none")
    figure, panels = _panels(figsize=(11, 4.2))
    drawn = {
        name.split()[0]
        for log in logs.values()
        for name, values in log.items()
        if any(value is not None for value in values)
    }
    dashes = {"train": "--" if "validation" in drawn else "-", "validation": "-"}
    keys = []
    for (run, log), colour, mark in zip(logs.items(), cycle(RUNS), cycle(MARKS)):
        style = {"color": colour, "linewidth": 1.5, "marker": mark, "markersize": 4}
        for name, values in log.items():
            part, axes, epochs, numbers = _line(name, values, panels)
            axes.plot(
                epochs,
                numbers,
                dashes[part],
                label=f"{run}, {part}",
                markevery=max(len(epochs) // 8, 1),
                alpha=0.85,
                **style,
            )
        keys.append(Line2D([], [], label=run, **style))
    keys += [
        Line2D([], [], label=part, linestyle=dashes[part], color="#555555")
        for part in dashes
        if part in drawn
    ]
    _scale(panels["loss"])
    figure.legend(handles=keys, loc="outside right upper", frameon=False, fontsize=9)
    figure.suptitle(title)
    return figure


def _panels(figsize=(9, 3.6)):
    """Make a figure with axes for the loss and for the accuracy."""
    figure = Picture(figsize=figsize, layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    loss.set(xlabel="epoch", ylabel="cross entropy, nats")
    accuracy.set(xlabel="epoch", ylabel="accuracy, %")
    for axes in (loss, accuracy):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure, {"loss": loss, "accuracy": accuracy}


def _scale(axes):
    """Make the axis logarithmic, labelled at 1, 2 and 5 of each decade, if the numbers span more than a factor of 5."""
    numbers = [value for line in axes.lines for value in line.get_ydata()]
    if numbers and 0 < 5 * min(numbers) < max(numbers):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _line(name, values, panels):
    """Return (part, axes, epochs, numbers) of one list of a log, without the epochs that have no number."""
    part, quantity = names.check("key of a log", name, KEYS).split()
    factor = 1 if quantity == "loss" else 100
    points = [(epoch, factor * value) for epoch, value in enumerate(values, 1) if value is not None]
    return part, panels[quantity], [epoch for epoch, _ in points], [value for _, value in points]
