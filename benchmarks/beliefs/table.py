"""Shared by the experiments: a table under way, to which values are added seed by seed, and which is written as JSON."""

import json
import math

from minires import files
from minires.course.measured import parse


class Making:
    """A table under way.

    columns  name -> decimals, or a format such as ".1e"    seeds  a list of ints
    """

    def __init__(self, title, setting, command, seeds, columns):
        self.head = {"title": title, "setting": setting, "command": command, "seeds": list(seeds)}
        self.columns, self.rows = dict(columns), {}

    def add(self, row, seed, **values):
        """Add the values of a row for a seed; columns are keyword arguments, or **{name: value}."""
        cells = self.rows.setdefault(
            row, {column: [None] * len(self.head["seeds"]) for column in self.columns}
        )
        for column, value in values.items():
            cells[column][self.head["seeds"].index(seed)] = _written(value)

    @property
    def written(self):
        """The table as its JSON file has it."""
        rows = {
            row: {name: None if set(values) == {None} else values for name, values in cells.items()}
            for row, cells in self.rows.items()
        }
        return {**self.head, "columns": self.columns, "rows": rows}

    def save(self, path):
        """Check the table and write it: a line for each list of values."""
        parse(self.written, str(path))
        files.write(path, (_text(self.written) + "\n").encode())


def _written(value):
    """Return a number for JSON: six digits are more than a mean over seeds needs."""
    if value is None:
        return None
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf"
    short = float(f"{value:.6g}")
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def _text(written):
    """Return JSON in which each list of values is on one line."""
    head = [
        f"  {json.dumps(key)}: {json.dumps(written[key], ensure_ascii=False)}"
        for key in ("title", "setting", "command", "seeds", "columns")
    ]
    rows = []
    for row, cells in written["rows"].items():
        lines = [
            f"      {json.dumps(name, ensure_ascii=False)}: {json.dumps(values)}"
            for name, values in cells.items()
        ]
        rows.append(
            f"    {json.dumps(row, ensure_ascii=False)}: {{\n" + ",\n".join(lines) + "\n    }"
        )
    return "{\n" + ",\n".join([*head, '  "rows": {\n' + ",\n".join(rows) + "\n  }"]) + "\n}"
