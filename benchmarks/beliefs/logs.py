"""Tables from the committed training runs: the ablation, and one network on schedules of 5 and of 12 epochs."""

import csv
import json
from pathlib import Path

from benchmarks.beliefs.table import Making

ROOT = Path(__file__).parents[2]
COMMAND = "python -m benchmarks.beliefs logs"
RUNS = {"12 epochs": "fast-seed0", "5 epochs": "5epochs-seed0", "5 epochs, again": "5epochs-seed1"}


def tables(seeds, *, quick):
    """Yield (name, table)."""
    found = json.loads((ROOT / "benchmarks/results/ablation.json").read_text(encoding="utf-8"))
    setting = (
        "The recipe cpu-30min, with one part left out at a time: a ResNet of 8 layers, 6 epochs of 10,000 images of CIFAR-10 (JPEG), "
        "5,000 for validation, each also mirrored. Without the shifts of batch norms that learn faster, their rate is that of the rest."
    )
    made = Making(
        "What each part of a recipe gains",
        setting,
        COMMAND,
        seeds[:3],
        {"validation accuracy, %": 1},
    )
    for name, values in found["rows"].items():
        for seed in seeds[:3]:
            made.add(name, seed, **{"validation accuracy, %": 100 * values[seed][1]})
    yield "logs_ablation", made
    setting = (
        "Training accuracy of ResNet-18 on CIFAR-10 (JPEG), epoch by epoch: the recipe resnet18-fast for 12 epochs, and for 5 (with two "
        "seeds). The rate rises, and then falls to 0 at the end of each run. From the logs in docs/results."
    )
    columns = {f"epoch {epoch}, %": 1 for epoch in (1, 2, 3, 4, 5, 12)}
    made = Making("One network, two lengths", setting, COMMAND, seeds[:1], columns)
    for name, run in RUNS.items():
        path = ROOT / f"docs/results/resnet18-{run}/log.csv"
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if (column := f"epoch {row['epoch']}, %") in columns:
                    made.add(name, seeds[0], **{column: 100 * float(row["train_accuracy"])})
    yield "logs_resnet18", made
