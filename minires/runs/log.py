"""The file log.csv, with a row of numbers for each epoch of a run."""

import csv
import io

from minires import files

COLUMNS = (
    *("epoch", "step", "lr", "train_loss", "train_accuracy"),
    *("validation_loss", "validation_accuracy", "seconds"),
)


def read(path):
    """Return the rows, as dicts of numbers (None for an empty field).

    Raises  ValueError: a field is not a number, or the columns are different.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [
                {name: _number(text) for name, text in row.items()} for row in csv.DictReader(file)
            ]
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): expected rows of numbers") from None
    if rows and "train_loss" not in rows[0]:
        raise ValueError(f"{path} is damaged: it has the columns {', '.join(map(str, rows[0]))}")
    return rows


def write(path, rows):
    """Write all rows atomically, with their columns in order."""
    names = [name for name in COLUMNS if rows and name in rows[0]]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names or ["epoch"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.write(path, text.getvalue().encode())


def curves(rows):
    """Return the columns as lists, for show.curves: "train loss", "validation accuracy", ..."""
    names = [
        f"{part} {quantity}"
        for part in ("train", "validation")
        for quantity in ("loss", "accuracy")
    ]
    return {
        name: [row[name.replace(" ", "_")] for row in rows]
        for name in names
        if rows and rows[0].get(name.replace(" ", "_")) is not None
    }


def _number(text):
    if text == "":
        return None
    return float(text) if "." in text or "n" in text or "e" in text else int(text)
