"""The committed tables of measurements for the chapters, with several seeds, and the rule that decides a comparison.

    course.measured("depth")                            a table; a notebook shows it
    course.measured("depth").part(rows=[...])           some of its rows, or columns
    course.measured("depth").values("skip", "loss")     one value per seed
    course.compare(ours, theirs)                        is the first higher, lower, or is it undecided?

The tables are JSON files next to this one. benchmarks.beliefs writes them.
"""

import json
import math
import statistics
from dataclasses import dataclass, replace
from importlib.resources import files

from minires import names

__all__ = ["Comparison", "Table", "compare", "measured", "parse"]

_SEEDS, _DEVIATIONS = 5, 2  # what a decision takes


def measured(name):
    """Return a committed table by its name.

    Raises  ValueError: an unknown name; the message suggests the nearest.
    """
    known = sorted(
        path.name.removesuffix(".json")
        for path in files("minires.course.measured").iterdir()
        if path.name.endswith(".json")
    )
    path = files("minires.course.measured") / f"{names.check('measured table', name, known)}.json"
    return parse(json.loads(path.read_text(encoding="utf-8")), name)


@dataclass(frozen=True)
class Table:
    """A measured table: a value for each row, column and seed.

    setting  what was trained or computed, and how    command  what repeats it
    seeds  a list of ints; with one seed, nothing can be decided
    columns  name -> decimals, or a format such as ".1e"
    rows  name -> {column: one value per seed}; None where there is no value, nan where a training run diverged
    """

    title: str
    setting: str
    command: str
    seeds: list
    columns: dict
    rows: dict

    def values(self, row, column):
        """Return a list of one value per seed: a number, nan if it diverged, None if it was not measured.

        Raises  ValueError: an unknown row or column; the message suggests the nearest.
        """
        names.check("column", column, self.columns)
        cells = self.rows[names.check("row", row, self.rows)] or {}
        return list(cells.get(column) or [None] * len(self.seeds))

    def compare(self, row_a, row_b, column):
        """Return the Comparison of two rows: is the first higher, seed by seed?"""
        return compare(self.values(row_a, column), self.values(row_b, column))

    def part(self, *, rows=None, columns=None):
        """Return the table with some of its rows and columns, in the given order; by default all.

        Raises  ValueError: an unknown row or column; the message suggests the nearest.
        """
        rows = [names.check("row", row, self.rows) for row in (self.rows if rows is None else rows)]
        columns = self.columns if columns is None else columns
        some = {name: self.columns[names.check("column", name, self.columns)] for name in columns}
        cells = {
            row: self.rows[row] and {name: self.rows[row][name] for name in some} for row in rows
        }
        return replace(self, columns=some, rows=cells)

    def cell(self, row, column):
        """Return mean ± standard deviation over the seeds as text; if some are missing or diverged, it says how many."""
        values = self.values(row, column)
        there = [value for value in values if value is not None]
        finite = [value for value in there if math.isfinite(value)]
        notes = []
        if len(there) < len(values):
            notes.append(f"{len(there)} seed{'' if len(there) == 1 else 's'}")
        if len(finite) < len(there):
            notes.append(f"diverged in {len(there) - len(finite)} of {len(there)}")
        if not finite:
            return "diverged" if there else ""
        spec = self.columns[column]
        spec = spec if isinstance(spec, str) else f",.{spec}f"
        numbers = [statistics.fmean(finite)]
        if len(finite) > 1:
            numbers.append(statistics.stdev(finite))
        text = " ± ".join(_unsigned_zero(format(number, spec)) for number in numbers)
        return f"{text} ({', '.join(notes)})" if notes else text

    def lines(self):
        """Return the lines of a Markdown table: mean ± standard deviation over the seeds."""
        lines = [f"| | {' | '.join(self.columns)} |", f"| --- |{' --- |' * len(self.columns)}"]
        for row, cells in self.rows.items():
            if cells is not None:
                lines.append(
                    f"| {row} | {' | '.join(self.cell(row, name) for name in self.columns)} |"
                )
        return lines

    def footer(self):
        """Return the setting, the seeds and the command that repeats it, as Markdown."""
        count = len(self.seeds)
        seeds = f" ({count} seeds, mean ± standard deviation.)" if count > 1 else ""
        return f"{self.setting}{seeds} To repeat it: `{self.command}`"

    def markdown(self):
        """Return the title, the table and the footer, as Markdown."""
        return "\n".join([f"**{self.title}**", "", *self.lines(), "", self.footer()])

    __str__ = __repr__ = _repr_markdown_ = markdown


@dataclass(frozen=True)
class Comparison:
    """Paired differences a - b over seeds, and what they decide.

    differences  a list of numbers; nan where one of the two diverged, None where one was not measured
    """

    differences: list

    @property
    def paired(self):
        """The differences of the seeds in which both were measured and neither diverged."""
        return [each for each in self.differences if each is not None and math.isfinite(each)]

    @property
    def mean(self):
        """The mean difference; nan without any."""
        return statistics.fmean(self.paired) if self.paired else math.nan

    @property
    def std(self):
        """The standard deviation of the differences (n - 1); nan with fewer than two."""
        return statistics.stdev(self.paired) if len(self.paired) > 1 else math.nan

    @property
    def verdict(self):
        """ "higher", "lower" or "undecided".

        Decided takes at least five seeds, all with the same sign, and a mean of at least two standard deviations. A seed in
        which one of the two diverged decides nothing.
        """
        there = [each for each in self.differences if each is not None]
        if len(self.paired) < max(_SEEDS, len(there)):
            return "undecided"
        if abs(self.mean) < _DEVIATIONS * self.std:
            return "undecided"
        if all(each > 0 for each in self.paired):
            return "higher"
        return "lower" if all(each < 0 for each in self.paired) else "undecided"

    def __str__(self):
        there = [each for each in self.differences if each is not None]
        if not self.paired:
            return f"no seed has both numbers ({len(there)} diverged): undecided"
        word = "higher" if self.mean > 0 else "lower" if self.mean < 0 else "equal"
        same = sum(
            (each > 0) - (each < 0) == (self.mean > 0) - (self.mean < 0) for each in self.paired
        )
        text = f"{word} in {same} of {len(there)} seed{'' if len(there) == 1 else 's'}"
        if word != "equal":
            spread = [] if math.isnan(self.std) else [self.std]
            smallest = min([abs(self.mean), *(value for value in spread if value)])
            decimals = min(max(1 - math.floor(math.log10(smallest)), 0), 8)
            text += f", by {' ± '.join(f'{value:,.{decimals}f}' for value in [abs(self.mean), *spread])}"
        if len(self.paired) < len(there):
            text += f", diverged in {len(there) - len(self.paired)}"
        return f"{text}: {'undecided' if self.verdict == 'undecided' else 'decided'}"

    __repr__ = __str__


def compare(a, b):
    """Return the Comparison of paired values, one of each per seed: is a higher than b?

    a, b  lists of numbers of equal length; nan is a training run that diverged, None one that does not exist

    Raises  ValueError: lists of different lengths, or none.
    """
    a, b = list(a), list(b)
    if len(a) != len(b) or not a:
        raise ValueError(
            f"compare: expected one value of each per seed, got {len(a)} and {len(b)} values"
        )
    return Comparison(
        [None if None in pair else float(pair[0]) - float(pair[1]) for pair in zip(a, b)]
    )


def parse(written, name="table"):
    """Return the Table of what a JSON file has: "nan" and "inf" are written as strings.

    Raises  ValueError: a key is missing or unknown, or a value is not what its key asks for; the message says which.
    """

    def expect(true, what):
        if not true:
            raise ValueError(f"{name}: expected {what}")

    keys = ("title", "setting", "command", "seeds", "columns", "rows")
    expect(isinstance(written, dict) and set(written) == set(keys), f"the keys {', '.join(keys)}")
    for key in keys[:3]:
        expect(isinstance(written[key], str) and written[key], f"{key} to be a text")
    seeds, columns, rows = (written[key] for key in keys[3:])
    expect(
        isinstance(seeds, list) and seeds and len(set(map(repr, seeds))) == len(seeds)
        and all(type(seed) is int for seed in seeds), "seeds to be different ints, at least one")  # fmt: skip
    expect(isinstance(columns, dict) and columns, "columns to be {name: decimals}")
    for column, spec in columns.items():
        expect((type(spec) is int and spec >= 0) or (isinstance(spec, str) and spec.startswith(".")),
               f"decimals, or a format such as '.1e', for column {column!r}, got {spec!r}")  # fmt: skip
    expect(isinstance(rows, dict) and rows, "rows to be {row: {column: values}}")
    read = {}
    for row, cells in rows.items():
        expect(cells is None or (isinstance(cells, dict) and set(cells) == set(columns)),
               f"row {row!r} to be null, or to have the columns {', '.join(columns)}")  # fmt: skip
        read[row] = cells
        for column, values in (cells or {}).items():
            expect(values is None or (isinstance(values, list) and len(values) == len(seeds)),
                   f"null or a list of {len(seeds)} values, one per seed, in row {row!r}, column {column!r}")  # fmt: skip
            for value in values or ():
                expect(value is None or type(value) in (int, float) or value in ("nan", "inf"),
                       f"a number, null, \"nan\" or \"inf\" in row {row!r}, column {column!r}, got {value!r}")  # fmt: skip
        if cells is not None:
            read[row] = {
                column: [None if value is None else float(value) for value in values]
                if values is not None
                else None
                for column, values in cells.items()
            }
    return Table(written["title"], written["setting"], written["command"], seeds, columns, read)


def _unsigned_zero(text):
    """Return the text of a number, where -0.00 is 0.00."""
    return text.removeprefix("-") if not text.strip("-0.,e+") else text
