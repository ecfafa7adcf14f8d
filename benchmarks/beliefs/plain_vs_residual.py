"""The training losses of four networks by epoch, from their committed logs: 20 and 56 layers, with shortcuts and without."""

import csv
import json
from pathlib import Path

from benchmarks.beliefs.table import Making

RESULTS = Path(__file__).parents[2] / "docs" / "results"
ROWS = {
    f"{kind} {depth}": f"plain-vs-residual-{kind}{depth}"
    for kind in ("plain", "residual")
    for depth in (20, 56)
}
SETTING = (
    "The mean training loss of each of six epochs of CIFAR-10 (JPEG images), with crops and flips; at each depth the first "
    "weights, the images, their order and the learning rates are the same with shortcuts (option A) and without. One run each."
)


def tables(seeds, *, quick):
    """Yield (name, table); nothing is trained."""
    logs = {}
    for row, folder in ROWS.items():
        with open(RESULTS / folder / "log.csv", encoding="utf-8") as file:
            logs[row] = [float(epoch["train_loss"]) for epoch in csv.DictReader(file)]
    ends = {
        row: json.loads((RESULTS / folder / "result.json").read_text(encoding="utf-8"))
        for row, folder in ROWS.items()
    }
    epochs = [f"epoch {i + 1}" for i in range(len(next(iter(logs.values()))))]
    columns = {**dict.fromkeys(epochs, 3), "test accuracy, %": 2}
    made = Making("Four networks, by epoch", SETTING, "python -m benchmarks.beliefs plain_vs_residual",
                  [0], columns)  # fmt: skip
    for row, losses in logs.items():
        accuracy = 100 * ends[row]["test_accuracy"]
        made.add(row, 0, **dict(zip(epochs, losses)), **{"test accuracy, %": accuracy})
    yield "plain_vs_residual", made
