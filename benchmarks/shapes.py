"""python -m benchmarks.shapes: what augmentation, label smoothing and averaged weights gain on drawn shapes.

A small residual network is trained on a few shapes, until it knows nearly all of them, with one trick at a time, and tested on 1,000 others.
The table is written to minires/course/measured/shapes.json after each run; --resume keeps what is there. Runs have processes of
their own, with one thread each.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
from pathlib import Path

from benchmarks.beliefs.table import Making
from minires import data, nn, optim
from minires.course.measured import parse
from minires.models.resnet import BasicBlock, ResNet
from minires.train import evaluate, train_epoch

OUT = Path(__file__).parents[1] / "minires" / "course" / "measured" / "shapes.json"
IMAGES, TESTED, EPOCHS, BATCH, LR, DECAY, DIFFICULTY = 480, 1000, 28, 16, 0.05, 5e-4, 0.3
BASE, SHIFTED, SMOOTHED = "base", "+ flips and shifts", "+ label smoothing"
STEADY, AVERAGED = "constant rate", "constant rate, averaged weights"
ROWS = {
    BASE: {},
    SHIFTED: {"flip": True, "crop": 3},
    SMOOTHED: {"smoothing": 0.1},
    STEADY: {"steady": True},
    AVERAGED: {"steady": True, "average": 5},
}
PAIRS = ((SHIFTED, BASE), (SMOOTHED, BASE), (AVERAGED, STEADY), (AVERAGED, BASE))  # to compare
COLUMNS = {"test accuracy, %": 1, "test loss": 3, "training accuracy, %": 1}
TITLE = "What each trick gains on shapes"
SETTING = (
    f"ResNet(BasicBlock, (1, 1, 1), (16, 32, 64)) with option A on {IMAGES:,} shapes of seed 0 and difficulty {DIFFICULTY}, {EPOCHS} "
    f"epochs in batches of {BATCH}, learning rate {LR} (triangle, or constant after 20 steps), weight decay {DECAY}; tested on "
    f"{TESTED:,} shapes of seed 1. Flips mirror half of the images, shifts move each by up to 3 pixels; label smoothing 0.1; Lookahead "
    "averages every 5 steps. The training accuracy is that of the last epoch, as it was trained."
)


def trained(train, test, seed, *, epochs=EPOCHS, smoothing=0.0, steady=False, average=0, **augment):
    """Train once. Return {column: value}."""
    nn.manual_seed(seed)
    model = ResNet(BasicBlock, (1, 1, 1), (16, 32, 64), shortcut="A")
    steps = epochs * len(data.batches(train, BATCH))
    falling = optim.triangle(LR, steps=steps, peak=0.2, start=0.05)
    schedule = optim.constant(LR, warmup=20) if steady else falling
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
    """Train them all row by row, print the table and what it decides, and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapes", description=__doc__.partition(": ")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="seeds 0 to N - 1 (default: 5)")  # fmt: skip
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="runs at a time (default: one per core)")  # fmt: skip
    parser.add_argument("--resume", action="store_true", help="train only what is missing in the file")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="100 images and one epoch, to see that it runs")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.quick and options.out == OUT:
        parser.error("--quick needs --out FILE: its figures mean nothing")
    images, epochs = (100, 1) if options.quick else (IMAGES, EPOCHS)
    drawn = ((images, 0), (images if options.quick else TESTED, 1))
    train, test = [data.shapes(n, seed, difficulty=DIFFICULTY) for n, seed in drawn]
    seeds = list(range(options.seeds))
    table = Making(TITLE, SETTING, "python -m benchmarks.shapes", seeds, COLUMNS)
    before = json.loads(options.out.read_text(encoding="utf-8")) if options.resume else None
    wanted = []
    for row, changes in ROWS.items():
        for i, seed in enumerate(seeds):
            found = _known(before, row, i)
            table.add(row, seed, **(found or dict.fromkeys(COLUMNS)))
            if not found:
                wanted.append((row, seed, {"epochs": epochs, **changes}))
    for row, seed, found in _trained(train, test, wanted, options.jobs):
        table.add(row, seed, **found)
        table.save(options.out)
        print(f"seed {seed}, {row:30} {found['test accuracy, %']:5.1f} %", flush=True)
    made = parse(table.written, "shapes")
    print(made)
    for ours, other in PAIRS:
        for column in list(COLUMNS)[:2]:
            print(f"{ours} next to {other}, {column}: {made.compare(ours, other, column)}")


def _trained(train, test, wanted, jobs):
    """Yield (row, seed, {column: value}) of the wanted runs, each when it ends."""
    if jobs == 1:
        for row, seed, changes in wanted:
            yield row, seed, trained(train, test, seed, **changes)
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read by the processes that start from here on
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        runs = {
            pool.submit(trained, train, test, seed, **changes): (row, seed)
            for row, seed, changes in wanted
        }
        for run in concurrent.futures.as_completed(runs):
            yield *runs[run], run.result()


def _known(before, row, i):
    """Return the values that a written table has of a row and its i-th seed, or None."""
    cells = (before or {"rows": {}})["rows"].get(row, {})
    values = {name: column[i] for name, column in cells.items() if column and i < len(column)}
    return values if values and None not in values.values() else None


if __name__ == "__main__":
    main()
