"""The file steps.csv, with a row for each step of a run: its number, which starts at 1, its learning rate and its loss."""

import csv
import io

from minires import files

COLUMNS = ("step", "lr", "loss")


class Steps:
    """The file, open for the rows of later steps.

    before  the step at which the run resumes; rows of later steps are removed, because the run writes them again

    Raises  OSError: it cannot be written.
    """

    def __init__(self, path, before):
        self.path, self._waiting = path, []
        kept = [row for row in _rows(path) if row["step"] <= before]
        files.write(path, _text(kept, header=True))

    def add(self, row):
        """Add a row, a dict of the three columns, which flush() writes."""
        self._waiting.append(row)

    def flush(self):
        """Append the rows that were added since the last flush().

        Raises  OSError: it names the path and the size.
        """
        text = _text(self._waiting)
        with files.explained(self.path, len(text)), open(self.path, "ab") as file:
            file.write(text)
        self._waiting.clear()


def read(path):
    """Return the rows as a list of dicts of a whole number and two numbers.

    Raises  ValueError: the steps don't count from 1, or a row is damaged. OSError: there is no such file.
    """
    with open(path, newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        try:
            rows = [_row(row) for row in table]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is damaged in line {table.line_num}: {error}") from None
    if [row["step"] for row in rows] != list(range(1, len(rows) + 1)):
        raise ValueError(f"{path} is damaged: expected the steps 1 to {len(rows)}, in order")
    return rows


def _rows(path):
    """Return the rows up to the first damaged one: a kill may have cut off the last."""
    rows = []
    if path.exists():
        with open(path, newline="", encoding="utf-8", errors="replace") as file:
            for row in csv.DictReader(file):
                try:
                    rows.append(_row(row))
                except (TypeError, ValueError):
                    break
    return rows


def _row(row):
    if set(row) != {*COLUMNS}:
        raise ValueError(
            f"expected the columns {', '.join(COLUMNS)}, got {', '.join(map(str, row))}"
        )
    return {"step": int(row["step"]), "lr": float(row["lr"]), "loss": float(row["loss"])}


def _text(rows, header=False):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
