"""python -m benchmarks.ablation --data-dir DIR: what each trick of the recipe cpu-30min gains.

Short training runs on a part of CIFAR-10's training images, tested on other training images and never on the test images: the recipe
unchanged, without one trick at a time, without any, and with one that it leaves out. The figures are written to
benchmarks/results/ablation.json after each run; --resume runs what is missing there, and --table prints the table again.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy

from benchmarks import host
from benchmarks.table import spread
from minires import files, nn
from minires.cli import recipes, settings
from minires.cli.loop import Loop
from minires.cli.stop import Stop
from minires.runs import Run

IMAGES, HELD, EPOCHS, SEEDS = 10_000, 5_000, 6, (0, 1, 2)
RESULTS = Path("benchmarks/results/ablation.json")
WITHOUT = {
    "whitening": {"whiten": False},
    "the identity as a start": {"dirac": False},
    "faster shifts": {"bias_lr": 1},
    "scales that stay": {"freeze_scales": False},
    "label smoothing": {"label_smoothing": 0.0},
    "flips that take turns": {"augment": "crop=2,flip"},
}
WITHOUT["all of these"] = {
    name: value for changes in WITHOUT.values() for name, value in changes.items()
}
WHOLE = "the recipe"
ROWS = {
    WHOLE: {},
    **{f"without {name}": changes for name, changes in WITHOUT.items()},
    "with averaged weights": {"average": 5},
}


def parts(config):
    """Return (training, held out): two disjoint subsets of the training images, always the same."""
    train, _, _ = settings.datasets(config)
    order = numpy.random.default_rng(0).permutation(len(train))
    return train.part(numpy.sort(order[:IMAGES])), train.part(numpy.sort(order[-HELD:]))


def trained(config, train, held):
    """Train once, and return (accuracy, accuracy with test-time flips).

    Raises  KeyboardInterrupt: it was stopped; an unfinished run gives no figure.
    """
    nn.manual_seed(config.seed)
    loop = Loop(config, (train, None, held))
    with tempfile.TemporaryDirectory() as folder, Stop() as stop:
        with contextlib.redirect_stdout(io.StringIO()):
            loop.go(Run.new(f"{folder}/run", config.to_config()), stop, save_every=1e9)
        found = [loop.evaluated(held, stop, flips).accuracy for flips in (False, True)]
        if stop.asked:
            raise KeyboardInterrupt
    return found


def markdown(figures):
    """Return the lines of a table; differences are from the unchanged recipe, seed by seed."""
    rows = {name: found for name, found in figures["rows"].items() if found}
    whole = [plain for plain, _ in rows[WHOLE]]
    lines = ["| trained | accuracy | difference |", "| --- | --- | --- |"]
    for name, found in rows.items():
        apart = [accuracy - before for (accuracy, _), before in zip(found, whole)]
        lines.append(
            f"| {name} | {spread(plain for plain, _ in found)} % | {'' if name == WHOLE else spread(apart, '+')} |"
        )
    mirrored = [both - plain for plain, both in rows[WHOLE]]
    return [
        *lines,
        f"| {WHOLE}, each test image also mirrored | {spread(both for _, both in rows[WHOLE])} % | {spread(mirrored, '+')} |",
    ]


def main(arguments=None):
    """Train them all, print the table and save the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__.partition(": ")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--data-dir", metavar="DIR")
    parser.add_argument("--data-label", metavar="TEXT")
    parser.add_argument(
        "--resume", action="store_true", help="run only what is missing in the figures"
    )
    parser.add_argument("--table", action="store_true", help="print the table of the saved figures")
    options = parser.parse_args(arguments)
    if options.table:
        print("\n".join(markdown(json.loads(RESULTS.read_text(encoding="utf-8")))))
        return
    written, _ = recipes.read("cpu-30min")
    given = {
        name: value
        for name, value in (("data_dir", options.data_dir), ("data_label", options.data_label))
        if value
    }
    written["epochs"] = EPOCHS
    config = settings.merged(given, written)
    (train, held), machine, begun = parts(config), host.describe(None), time.perf_counter()
    host.report(machine)
    of = {"images": IMAGES, "held": HELD, "data": train.name, "recipe": written}
    figures = {**of, "machine": machine, "rows": {name: [] for name in ROWS}}
    if options.resume:
        figures = json.loads(RESULTS.read_text(encoding="utf-8"))
        other = [name for name in of if figures.get(name) != of[name]]
        if other:
            raise SystemExit(
                f"{RESULTS} has different {', '.join(other)}: start again, without --resume"
            )
    # Seed by seed, so that the rows can be compared at any time.
    for seed, (name, changes) in product(SEEDS, ROWS.items()):
        found = figures["rows"][name]
        if len(found) > SEEDS.index(seed):
            continue
        found.append(trained(replace(config, **changes, seed=seed), train, held))
        files.write(RESULTS, json.dumps(figures, indent=2).encode() + b"\n")
        plain, flipped = (100 * accuracy for accuracy in found[-1])
        print(
            f"seed {seed}, {name:32} {plain:5.2f} %, mirrored {flipped:5.2f} %   {time.perf_counter() - begun:6.0f} s",
            flush=True,
        )
    print("\n".join(markdown(figures)))


if __name__ == "__main__":
    main()
