"""What is noted of a layer at a step, and the CSV file of it."""

import csv
import io
import math
from typing import NamedTuple

from minires import files


class Row(NamedTuple):
    """One layer at one step: of its activation, and of the loss's gradient with respect to it, the mean, the standard
    deviation and the share of zeros. Where no gradient came back the last three are None.
    """

    step: int
    layer: str
    depth: int  # its place in the forward pass, from 0
    activation_mean: float
    activation_std: float
    activation_zeros: float
    gradient_mean: float | None
    gradient_std: float | None
    gradient_zeros: float | None

    @property
    def gradient_rms(self):
        """The gradient's norm divided by the square root of its size, so that layers of different sizes compare; or None."""
        return (
            None if self.gradient_std is None else math.hypot(self.gradient_mean, self.gradient_std)
        )


def write(path, rows):
    """Write rows as CSV: a header, and every digit of the numbers.

    Raises  OSError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows)
    files.write(path, text.getvalue().encode())


def read(path, *, before=None):
    """The rows that write() wrote. before  a step: rows from it on are left out, for a run that goes on from there.

    Raises  FileNotFoundError: there is no such file. ValueError: it holds something else; the message names the line.
    """
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    if not lines or tuple(lines[0]) != Row._fields:
        raise ValueError(
            f"{path} does not hold rows of layers: its first line should be {','.join(Row._fields)}"
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
                f"{path} is damaged in line {number} ({error}): wanted {len(Row._fields)} values"
            ) from None
    return [row for row in rows if before is None or row.step < before]
