"""Lines of memory: which positions an access reads, and where it jumps."""

from itertools import cycle

from minires.show.curves import RUNS
from minires.show.picture import Picture

LONGEST = 160  # elements that are wide enough to be distinguished


def memory(lines, *, size):
    """Draw lines of memory, one per title, with the positions that are read in colour, each under the letter of its group.

    lines  title -> {name of a group -> positions, ints from 0}    size  number of elements in a line

    Raises  ValueError: no lines, a size out of range, or a position that is not in the line.
    """
    if not lines or not 1 <= size <= LONGEST:
        raise ValueError(
            f"memory: expected at least one line, of 1 to {LONGEST} elements, got {len(lines)} of {size}"
        )
    figure = Picture(figsize=(9, 0.95 * len(lines)), layout="constrained")
    for axes, (title, groups) in zip(
        figure.subplots(len(lines), 1, squeeze=False).flat, lines.items()
    ):
        axes.set(xlim=(0, size), ylim=(0, 1.6), yticks=[], xticks=range(0, size + 1, 15))
        axes.set_title(title, fontsize=9, loc="left")
        axes.bar(
            [i + 0.5 for i in range(size)],
            1,
            width=1,
            color="#f2f2f2",
            edgecolor="#b0b0b0",
            linewidth=0.4,
        )
        for (name, positions), colour in zip(groups.items(), cycle(RUNS)):
            outside = [int(i) for i in positions if not 0 <= i < size]
            if outside:
                raise ValueError(
                    f"memory: expected positions from 0 to {size - 1}, got {outside[0]} in {name!r}"
                )
            middles = [int(i) + 0.5 for i in positions]
            axes.bar(
                middles, 1, width=1, color=colour, edgecolor="#b0b0b0", linewidth=0.4, label=name
            )
            for x in middles:
                axes.text(x, 1.25, str(name)[:1], ha="center", va="center", fontsize=6.5)
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
    return figure
