"""python -m benchmarks.shapes: what augmentation, label smoothing and averaged weights gain on drawn shapes.

A small residual network is trained on 1,500 shapes with one of them at a time, and tested on 1,000 others. The table is written to
minires/course/measured/shapes.json after each run; --resume keeps what is there.
"""

import argparse
import json
from pathlib import Path

from benchmarks.beliefs.table import Making
from minires import data, nn, optim
from minires.course.measured import parse
from minires.models.resnet import BasicBlock, ResNet
from minires.train import evaluate, train_epoch

OUT = Path(__file__).parents[1] / "minires" / "course" / "measured" / "shapes.json"
IMAGES, TESTED, EPOCHS, BATCH, LR, DECAY = 1500, 1000, 10, 32, 0.1, 5e-4
BASE = "base"
ROWS = {
    BASE: {},
    "+ flips": {"flip": True},
    "+ label smoothing": {"smoothing": 0.1},
    "+ averaged weights": {"average": 5},
}
COLUMNS = {"test accuracy, %": 1, "test loss": 3, "training accuracy, %": 1}
TITLE = "What each trick gains on shapes"
SETTING = (
    f"ResNet(BasicBlock, (1, 1, 1), (16, 32, 64)) with option A on {IMAGES:,} shapes of seed 0, {EPOCHS} epochs in batches of {BATCH}, "
    f"learning rate {LR} (triangle), weight decay {DECAY}; tested on {TESTED:,} shapes of seed 1. Flips mirror half of the images; "
    "label smoothing 0.1; Lookahead averages every 5 steps. The training accuracy is that of the last epoch, as it was trained."
)


def trained(train, test, seed, *, epochs=EPOCHS, smoothing=0.0, average=0, **augment):
    """Train once. Return {column: value}."""
    nn.manual_seed(seed)
    model = ResNet(BasicBlock, (1, 1, 1), (16, 32, 64), shortcut="A")
    steps = epochs * len(data.batches(train, BATCH))
    schedule = optim.triangle(LR, steps=steps, peak=0.2, start=0.05)
    optimizer = optim.SGD(model.parameters(), schedule, momentum=0.9, nesterov=True, weight_decay=DECAY)  # fmt: skip
    if average:
        optimizer = optim.Lookahead(optimizer, model, steps=steps, every=average)
    for epoch in range(epochs):
        batches = data.batches(train, BATCH, seed=seed, epoch=epoch, **augment)
        last = train_epoch(model, batches, optimizer, label_smoothing=smoothing)
    score = evaluate(model, data.batches(test, 250))
    values = (100 * score.accuracy, score.loss, 100 * last.accuracy)
    return dict(zip(COLUMNS, values))


def main(arguments=None):
    """Train them all seed by seed, print the table and what it decides, and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapes", description=__doc__.partition(": ")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="seeds 0 to N - 1 (default: 5)")  # fmt: skip
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE")
    parser.add_argument("--resume", action="store_true", help="train only what is missing in the file")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="100 images and one epoch, to see that it runs")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.quick and options.out == OUT:
        parser.error("--quick needs --out FILE: its figures mean nothing")
    images, epochs = (100, 1) if options.quick else (IMAGES, EPOCHS)
    train, test = data.shapes(images, 0), data.shapes(images if options.quick else TESTED, 1)
    seeds = list(range(options.seeds))
    table = Making(TITLE, SETTING, "python -m benchmarks.shapes", seeds, COLUMNS)
    before = json.loads(options.out.read_text(encoding="utf-8")) if options.resume else None
    for i, seed in enumerate(seeds):
        for row, changes in ROWS.items():
            found = _known(before, row, i) or trained(train, test, seed, epochs=epochs, **changes)
            table.add(row, seed, **found)
            table.save(options.out)
            print(f"seed {seed}, {row:30} {found['test accuracy, %']:5.1f} %", flush=True)
    made = parse(table.written, "shapes")
    print(made)
    for row in list(ROWS)[1:]:
        print(f"{row}: {made.compare(row, BASE, 'test accuracy, %')}")


def _known(before, row, i):
    """Return the values that a written table has of a row and its i-th seed, or None."""
    cells = (before or {"rows": {}})["rows"].get(row, {})
    values = {name: column[i] for name, column in cells.items() if column and i < len(column)}
    return values if values and None not in values.values() else None


if __name__ == "__main__":
    main()
