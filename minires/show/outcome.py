"""What a trained net has become: its first filters, which classes it takes for which, and how gradients fare in its depth."""

from collections import Counter
from itertools import cycle

from minires.backend import to_host
from minires.show.curves import MARKS, RUNS
from minires.show.images import RIGHT, images
from minires.show.picture import Picture
from minires.tensor import Tensor

DARK = 0.6  # of the colour's range: from there on a number in a cell is white


def filters(weight, *, columns=16):
    """The filters of a first convolution as small images, each stretched over all of grey, or of colour.

    weight  (KH, KW, C, F), an array or a tensor, where C is 1 or 3

    Raises  ValueError: a weight of another shape.
    """
    weight = to_host(weight.data if isinstance(weight, Tensor) else weight)
    if weight.ndim != 4 or weight.shape[2] not in (1, 3):
        raise ValueError(
            f"filters: weight has shape {weight.shape}, wanted (KH, KW, C, F) with C 1 or 3"
        )
    small, large = (end(axis=(0, 1, 2), keepdims=True) for end in (weight.min, weight.max))
    stretched = 255 * (weight - small) / (large - small + (large == small))
    return images(stretched.round().astype("uint8").transpose(3, 0, 1, 2), columns=columns)


def confusion(labels, guesses, classes, *, title=""):
    """A table of which class was taken for which: a row for each right class, a column for each guess, in per cent of the row.

    labels, guesses  ints (N,)    classes  K names

    Raises  ValueError: nothing to count, lists of two lengths, or a class without a name.
    """
    labels, guesses = (
        values if isinstance(values, (list, tuple)) else to_host(values).tolist()
        for values in (labels, guesses)
    )
    if not labels or len(labels) != len(guesses):
        raise ValueError(
            f"confusion: there are {len(labels)} labels and {len(guesses)} guesses, wanted one for one"
        )
    k, counts, rows = len(classes), Counter(zip(labels, guesses)), Counter(labels)
    if min(*labels, *guesses) < 0 or max(*labels, *guesses) >= k:
        raise ValueError(
            f"confusion: labels run to {max(labels)}, guesses to {max(guesses)}, there are {k} classes"
        )
    shares = [[100 * counts[i, j] / max(rows[i], 1) for j in range(k)] for i in range(k)]
    wrong = [
        [0 if i == j else share for j, share in enumerate(line)] for i, line in enumerate(shares)
    ]
    most = max(1.0, *map(max, wrong))

    side = max(0.48 * k + 2.0, 4.0)
    figure = Picture(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    # Colour for the errors alone: the diagonal would drown them.
    axes.imshow(wrong, cmap="Oranges", vmin=0, vmax=most)
    if k <= 20:
        for i, j in sorted(counts):
            text = f"{shares[i][j]:.0f}" if shares[i][j] >= 9.5 else f"{shares[i][j]:.1f}"
            colour = RIGHT if i == j else "white" if wrong[i][j] > DARK * most else "black"
            axes.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                fontsize=8,
                color=colour,
                weight="bold" if i == j else "normal",
            )
        axes.set_xticks(range(k), classes, rotation=45, ha="right", fontsize=8)
        axes.set_yticks(range(k), classes, fontsize=8)
    axes.set(xlabel="taken for", ylabel="is")
    right = sum(counts[i, i] for i in range(k))
    axes.set_title(title or f"in % of each row; {right:,} of {len(labels):,} right", fontsize=10)
    return figure


LABELS = {"gradient_rms": "gradient's norm / √size"}


def depths(runs, field="gradient_rms", *, kind="conv", title=""):
    """A number by depth, a line for each run: at its first step dashed, at its last one solid.

    runs  name -> watch.Rows    field  a number of theirs
    kind  how the names of the layers begin that are drawn, after the last dot: layer1.0.conv2 is a conv

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
            f"depths: no layer named {kind} has a {field} in {', '.join(runs) or 'no runs'}"
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
