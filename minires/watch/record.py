"""The record of a layer at a step, and its CSV file."""

import csv
import io
import math
from typing import NamedTuple

from minires import files


class Row(NamedTuple):
    """One layer at one step: mean, standard deviation and fraction of zeros of its activation, and of the loss's gradient.

    The gradient is with respect to that activation; its three numbers are None if none reached the layer.
    """

    step: int
    layer: str
    depth: int  # its position in the forward pass, from 0
    activation_mean: float
    activation_std: float
    activation_zeros: float
    gradient_mean: float | None
    gradient_std: float | None
    gradient_zeros: float | None

    @property
    def gradient_rms(self):
        """The gradient's root mean square, which is comparable between layers of different sizes; or None."""
        return (
            None if self.gradient_std is None else math.hypot(self.gradient_mean, self.gradient_std)
        )


def write(path, rows):
    """Write rows as CSV: a header, and numbers with all their digits.

    Raises  OSError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows)
    files.write(path, text.getvalue().encode())


def read(path, *, before=None):
    """Read the rows that write() wrote. before  a step: leave out its rows and later ones, to resume a run from there.

    Raises  FileNotFoundError: there is no such file. ValueError: it contains something else; the message names the line.
    """
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    if not lines or tuple(lines[0]) != Row._fields:
        raise ValueError(
            f"{path}: expected rows of layers, with the first line {','.join(Row._fields)}"
        )
    rows = []
    for number, line in enumerate(lines[1:], 2):
        try:
            step, layer, depth, *numbers = line
            rows.append(
                Row(
                    int(step),
                    layer,
                    int(depth),
                    *(float(text) if text else None for text in numbers),
                )
            )
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{path} is damaged in line {number} ({error}): expected {len(Row._fields)} values"
            ) from None
    return [row for row in rows if before is None or row.step < before]
