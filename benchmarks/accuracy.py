"""python -m benchmarks.accuracy: the runs in docs/results as the Markdown table of docs/results.md.

--add RUN ... first copies a finished run there: its log, result, card and curves, and the first and last step of what --watch logged.
It also draws docs/degradation.png and docs/depths.png for the recipe plain-vs-residual, and docs/resnet18.png for resnet18-fast.
"""

import argparse
import csv
import json
import re
import shutil
import statistics
from pathlib import Path
from typing import NamedTuple

from benchmarks import table
from minires import show, watch
from minires.cli import recipes

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "results"
SHOWN, WATCHED = ("log.csv", "result.json", "card.md", "curves.png"), "layers.csv"
PREDICTED = "predictions.npz"  # which older runs don't have
OWN = (
    "seed",
    "minires",
    "fingerprint",
    "recipe",
    "watch",
)  # settings that do not make a row of their own

PAPER = "[He et al. 2015](https://arxiv.org/abs/1512.03385), table 6"
PUBLISHED = {  # what is published for the original images, with the full number of steps
    "resnet18": "93.02 % in 350 epochs ([pytorch-cifar](https://github.com/kuangliu/pytorch-cifar))",
    "resnet20": f"91.25 % in 64,000 steps ({PAPER})",
    "resnet56": f"93.03 % in 64,000 steps ({PAPER})",
    "resnet8": "94.01 % in 9.9 epochs, a net much like it ([Jordan 2024](https://arxiv.org/abs/2404.00498))",
}
HEAD = ["| model | recipe | data | accuracy on test | time | machine | published, for the true images |",
        "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip


class Shown(NamedTuple):
    """A run in docs/results: its settings, the rows of its log, its result, and the facts of its card (name -> text)."""

    folder: Path
    config: dict
    log: list
    result: dict
    facts: dict


def read(folder):
    """Read a run in docs/results.

    Raises  OSError, ValueError: files that are missing or damaged.
    """
    card = (folder / "card.md").read_text(encoding="utf-8")
    facts = dict(re.findall(r"^\| ([^|-]+) \| (.*) \|$", card, flags=re.MULTILINE))
    config = json.loads(card.split("```json\n")[1].split("```")[0])
    log = list(csv.DictReader((folder / "log.csv").read_text(encoding="utf-8").splitlines()))
    return Shown(
        folder, config, log, json.loads((folder / "result.json").read_text(encoding="utf-8")), facts
    )


def grouped(runs):
    """Group runs that differ only in their seed, in the order of their models and recipes."""
    groups = {}
    for run in runs:
        key = json.dumps(
            {name: value for name, value in sorted(run.config.items()) if name not in OWN}
        )
        groups.setdefault(key, []).append(run)
    return sorted(
        groups.values(),
        key=lambda group: (
            group[0].config["model"],
            _recipe(group[0].config),
            _net(group[0].config),
        ),
    )


def row(group):
    """Return the line of the table for runs that differ only in their seed."""
    first = group[0]
    links = ", ".join(f"[{run.config['seed']}](results/{run.folder.name}/card.md)" for run in group)
    found = f"{_spread(group, 'test_accuracy')} (seed{'s' * (len(group) > 1)} {links})"
    if "mirrored_accuracy" in first.result:
        found += f"; each image also mirrored {_spread(group, 'mirrored_accuracy')}"
    minutes = statistics.fmean(run.result["seconds"] for run in group) / 60
    machine, cores, threads = re.fullmatch(
        r"(.*, (\d+) cores) for this process(?:, (\d+) threads?)?", first.facts["processor"]
    ).groups()
    machine += "" if threads in (cores, None) else f", {threads} of them in use"
    cells = [_net(first.config), _recipe(first.config), first.config.get("data_label") or "CIFAR-10", found,
             f"{minutes:.0f} min", machine, "" if _plain(first.config) else PUBLISHED.get(first.config["model"], "")]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _spread(group, name):
    return f"{table.spread([run.result[name] for run in group])} %"


def _plain(config):
    return config.get("shortcut") == "none"


def _net(config):
    return f"{config['model']}{', no shortcuts' if _plain(config) else ''}"


def _recipe(config):
    return (
        recipes.describe(config)
        if "recipe" in config
        else f"none: as `train` does, {config['epochs']} epochs"
    )


def add(folder):
    """Copy the files of a finished run to docs/results.

    Raises  ValueError: it is not finished.
    """
    folder = Path(folder)
    missing = [name for name in SHOWN if not (folder / name).is_file()]
    if missing:
        raise ValueError(
            f"{folder} has no {', '.join(missing)}: a run has them when it is finished"
        )
    (FOLDER / folder.name).mkdir(parents=True, exist_ok=True)
    for name in (*SHOWN, *filter(lambda name: (folder / name).is_file(), [PREDICTED])):
        shutil.copyfile(folder / name, FOLDER / folder.name / name)
    if (folder / WATCHED).is_file():
        rows = watch.read(folder / WATCHED)
        ends = rows[0].step, rows[-1].step
        watch.write(FOLDER / folder.name / WATCHED, [row for row in rows if row.step in ends])


def committed():
    """Return all runs in docs/results."""
    return [read(path.parent) for path in sorted(FOLDER.glob("*/card.md"))]


def lines(runs):
    """Return the lines of the table."""
    return HEAD + [row(group) for group in grouped(runs)]


def _degradation(runs):
    """Return the runs of the recipe plain-vs-residual, by the names of their networks."""
    return {
        _net(run.config): run for run in runs if run.config.get("recipe") == "plain-vs-residual"
    }


def losses(runs):
    """Return a table of how well the networks of plain-vs-residual fit their training images in the last epoch."""
    rows = [f"| {name} | {float(run.log[-1]['train_loss']):.3f} | {100 * float(run.log[-1]['train_accuracy']):.2f} % | "
            f"{100 * run.result['test_accuracy']:.2f} % |" for name, run in sorted(_degradation(runs).items())]  # fmt: skip
    return [
        "| net | training loss | accuracy on training images | on test |",
        "| --- | --- | --- | --- |",
        *rows,
    ]


def pictures(runs, folder):
    """Draw how plain and residual networks learn, their gradients by depth, and how ResNet-18 learns in runs of different length."""
    if nets := _degradation(runs):
        show.overlay(_curves(nets), title="training, with shortcuts and without").save(
            folder / "degradation.png"
        )
        show.depths({name: watch.read(run.folder / WATCHED) for name, run in nets.items()}).save(
            folder / "depths.png"
        )
    # One epoch makes no curve.
    fast = [run for run in runs if run.config.get("recipe") == "resnet18-fast" and len(run.log) > 1]
    if fast:
        lengths = {
            f"{len(run.log)} epochs, seed {run.config['seed']}": run
            for run in sorted(fast, key=lambda run: -len(run.log))
        }
        show.overlay(_curves(lengths), title="ResNet-18, training").save(folder / "resnet18.png")


def _curves(runs):
    """Return what show.overlay() takes, for runs (name -> run): loss and accuracy on their training images."""
    keys = ("train loss", "train accuracy")
    return {
        name: {key: [float(epoch[key.replace(" ", "_")]) for epoch in run.log] for key in keys}
        for name, run in runs.items()
    }


def main(arguments=None):
    """Add runs, draw the figures, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description="The results as a table, and three pictures in docs.",
    )
    parser.add_argument(
        "--add", nargs="+", default=[], metavar="RUN", help="finished runs to add first"
    )
    for path in parser.parse_args(arguments).add:
        add(path)
    pictures(committed(), ROOT / "docs")
    print("\n".join([*lines(committed()), "", *losses(committed())]))


if __name__ == "__main__":
    main()
