"""Figures of a trained network: its first filters, its confusion matrix, and its gradients by depth."""

from collections import Counter
from itertools import cycle

from minires.backend import to_host
from minires.show.curves import MARKS, RUNS
from minires.show.images import images
from minires.show.picture import Picture
from minires.tensor import Tensor

CORRECT = "#00674a"  # numbers of the diagonal
DARK = 0.6  # fraction of the colour range above which the number in a cell is white


def filters(weight, *, columns=16):
    """Draw the filters of a first convolution as small images, each stretched to the full range of grey or colour.

    weight  (KH, KW, C, F), an array or a tensor, where C is 1 or 3

    Raises  ValueError: a weight of a different shape.
    """
    weight = to_host(weight.data if isinstance(weight, Tensor) else weight)
    if weight.ndim != 4 or weight.shape[2] not in (1, 3):
        raise ValueError(
            f"filters: expected a weight of shape (KH, KW, C, F) with C 1 or 3, got {weight.shape}"
        )
    small, large = (end(axis=(0, 1, 2), keepdims=True) for end in (weight.min, weight.max))
    stretched = 255 * (weight - small) / (large - small + (large == small))
    return images(stretched.round().astype("uint8").transpose(3, 0, 1, 2), columns=columns)


def confusion(labels, guesses, classes, *, title=""):
    """Draw the confusion matrix: a row for each true class, a column for each prediction, in per cent of the row.

    labels, guesses  ints (N,)    classes  K names

    Raises  ValueError: nothing to count, lists of different lengths, or a class without a name.
    """
    labels, guesses = (
        values if isinstance(values, (list, tuple)) else to_host(values).tolist()
        for values in (labels, guesses)
    )
    if not labels or len(labels) != len(guesses):
        raise ValueError(
            f"confusion: expected one guess per label, and at least one, got {len(guesses)} guesses and {len(labels)} labels"
        )
    k = len(classes)
    if min(*labels, *guesses) < 0 or max(*labels, *guesses) >= k:
        raise ValueError(
            f"confusion: expected 0 to {k - 1} for {k} classes, got labels {min(labels)} to {max(labels)} and guesses {min(guesses)} to {max(guesses)}"
        )
    side = max(0.4 * k + 1.2, 4.0)
    figure = Picture(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    confusion_matrix(axes, labels, guesses, classes)
    right = sum(label == guess for label, guess in zip(labels, guesses))
    axes.set_title(title or f"in % of each row; {right:,} of {len(labels):,} correct", fontsize=10)
    return figure


def confusion_matrix(axes, labels, guesses, classes, *, rotation=45):
    """Draw the matrix into axes. Only the errors are coloured: the diagonal would drown them out."""
    k, counts, rows = len(classes), Counter(zip(labels, guesses)), Counter(labels)
    shares = [[100 * counts[i, j] / max(rows[i], 1) for j in range(k)] for i in range(k)]
    wrong = [
        [0 if i == j else share for j, share in enumerate(line)] for i, line in enumerate(shares)
    ]
    most = max(1.0, *map(max, wrong))
    axes.imshow(wrong, cmap="Oranges", vmin=0, vmax=most)
    if k <= 20:
        for i, j in sorted(counts):
            text = f"{shares[i][j]:.0f}" if shares[i][j] >= 9.5 else f"{shares[i][j]:.1f}"
            colour = CORRECT if i == j else "white" if wrong[i][j] > DARK * most else "black"
            weight = "bold" if i == j else "normal"
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color=colour, weight=weight)
        aligned = "right" if rotation else "center"
        axes.set_xticks(range(k), classes, rotation=rotation, ha=aligned, fontsize=8)
        axes.set_yticks(range(k), classes, fontsize=8)
    axes.set(xlabel="predicted class", ylabel="true class")


LABELS = {"gradient_rms": "gradient's norm / √size"}


def depths(runs, field="gradient_rms", *, kind="conv", title=""):
    """Draw a statistic by depth, two lines for each run: dashed at its first step, solid at its last.

    runs  name -> watch.Rows    field  the statistic, a field of the rows
    kind  layers whose names begin like this after the last dot are drawn: layer1.0.conv2 is a conv

    Raises  ValueError: no runs, or none with such layers.
    """
    figure = Picture(figsize=(8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for (run, rows), colour, mark in zip(runs.items(), cycle(RUNS), cycle(MARKS)):
        rows = [
            row
            for row in rows
            if row.layer.rpartition(".")[2].startswith(kind) and getattr(row, field) is not None
        ]
        steps = sorted({row.step for row in rows})
        for step, dashes in dict(zip([*steps[:1], *steps[-1:]], ("--", "-"))).items():
            line = sorted((row.depth, getattr(row, field)) for row in rows if row.step == step)
            places = [i / max(len(line) - 1, 1) for i in range(len(line))]
            axes.plot(places, [value for _, value in line], dashes, color=colour, marker=mark, markersize=3, linewidth=1.2,
                      markevery=max(len(line) // 10, 1), label=f"{run}, step {step:,}")  # fmt: skip
    if not axes.lines:
        raise ValueError(
            f"depths: expected a layer named {kind} with a {field}, got none in {', '.join(runs) or 'no runs'}"
        )
    axes.set_yscale("log")
    axes.set(
        xlabel="depth: 0 is the first convolution, 1 the last",
        ylabel=LABELS.get(field, field.replace("_", ", ")),
        title=title,
    )
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return figure
