"""python -m benchmarks.figures: write the figures in README.md and docs from the logs that are committed with them.

A table is between <!-- table NAME --> and <!-- end -->. A single figure is followed by its name: 83.61 %<!--torch.resnet18-->.
Only what is between or before such marks is changed, and line breaks within a figure don't count.
"""

import csv
import json
import re
import statistics
from itertools import pairwise
from pathlib import Path

from benchmarks import ablation, accuracy, few_images, frozen, machines, reading, table
from benchmarks.beliefs import verdicts
from minires import watch
from minires.course.measured import parse

ROOT = Path(__file__).parents[1]
RESULTS, MEASURED = ROOT / "docs" / "results", ROOT / "benchmarks" / "results"
TABLE = re.compile(r"<!-- table (?P<name>\S+) -->\n(?:(?!<!-- ).*\n)*<!-- end -->")
NUMBER, SPREAD = r"\d[\d,]*(?:\.\d+)?", r"(?:\s±\s\d+(?:\.\d+)?)?"
FIGURE = re.compile(rf"(?P<text>[-+]?{NUMBER}{SPREAD}(?:\s%)?{SPREAD})?<!--(?P<name>\S+)-->")


def documents():
    """Return README.md and all of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def written(text, known):
    """Return (the text with all marked figures as in `known`, the names that were marked).

    Raises  ValueError: a mark without a figure before it, or with a name that isn't known.
    """
    seen = []

    def told(name):
        seen.append(name)
        if name not in known:
            raise ValueError(f"no figure is called {name}: choose from {', '.join(sorted(known))}")
        return known[name]

    def table(match):
        return f"<!-- table {match['name']} -->\n{told(match['name'])}\n<!-- end -->"

    def figure(match):
        name, there, now = match["name"], match["text"], told(match["name"])
        if there is None:
            raise ValueError(f"<!--{name}-->: expected a figure right before it, such as {now}")
        return match[0] if there.split() == now.split() else match[0].replace(there, now, 1)

    return FIGURE.sub(figure, TABLE.sub(table, text)), seen


def known():
    """Return name -> text of every figure and every table."""
    runs = {run.folder.name: run for run in accuracy.committed()}
    theirs = last("pytorch.csv", "net")
    return {
        **_tables(runs, theirs),
        **_beliefs(),
        **_of_runs(runs),
        **_of_pytorch(theirs),
        **_of_gradients(),
        **_of_short_trainings(),
        **_of_tuning(),
        **_of_speed(),
        **_of_machines(),
        **reading.figures(),
    }


def _tables(runs, theirs):
    cpu, part = _json(MEASURED / "cpu.json"), _json(ROOT / frozen.RESULTS)
    few, several = _json(RESULTS / "few-images.json")["rows"], _json(ROOT / machines.RESULTS)
    tables = {
        "runs": accuracy.lines(list(runs.values())),
        "summary": _summary(runs, theirs),
        "losses": accuracy.losses(list(runs.values())),
        "ablation": ablation.markdown(_json(ROOT / ablation.RESULTS)),
        "speed": table.markdown(cpu),
        "convolutions": table.convolutions(cpu),
        "growth": table.growth(cpu),
        "machines": machines.step_lines(several),
        "machines.sums": machines.sum_lines(several),
        "machines.paper": machines.paper_lines(several),
        "frozen": frozen.markdown(part["net"], part["batch"], part["frozen"]),
        "few-images": [
            "| | accuracy on cat and dog |",
            "| --- | --- |",
            *(
                f"| {name} | {few_images.mean_and_deviation(found)} |"
                for name, found in few.items()
            ),
        ],
    }
    return {name: "\n".join(lines) for name, lines in tables.items()}


def _beliefs():
    """Return the tables of docs/residual.md, each with its setting and command."""
    found = {"claims": "\n".join(verdicts.lines())}
    for path in sorted((ROOT / "minires" / "course" / "measured").glob("*.json")):
        measured = parse(_json(path), path.name)
        found[f"measured.{path.stem}"] = "\n".join([*measured.lines(), "", measured.footer()])
    return found


def _summary(runs, theirs):
    """Return the lines of a short table: a recipe each, with PyTorch's accuracy where it was trained too."""
    lines = [
        "| network | recipe | accuracy on test | time | PyTorch, same recipe |",
        "| --- | --- | --- | --- | --- |",
    ]
    for network, recipe, name, net in (
        ("ResNet-8", "`cpu-30min`, three seeds", "cpu-30min-seed", "resnet8"),
        ("ResNet-18", "`resnet18-fast`", "resnet18-fast-seed", None),
        ("ResNet-18", "`resnet18-fast`, 5 epochs, two seeds", "resnet18-5epochs-seed", "resnet18"),
        ("ResNet-20", "10 epochs, two seeds", "resnet20-jpeg-seed", "resnet20"),
    ):
        results = [run.result for folder, run in runs.items() if folder.startswith(name)]
        minutes = statistics.fmean(result["seconds"] for result in results) / 60
        cells = [
            network,
            recipe,
            _percent([result["test_accuracy"] for result in results]),
            f"{minutes:.0f} min",
        ]
        lines.append(
            f"| {' | '.join(cells)} | {_percent([theirs[net]['test_accuracy']]) + ' ' if net else ''}|"
        )
    return lines


def _of_runs(runs):
    """Return the figures of single runs and of their epochs: mark -> text."""
    whole, one = runs["resnet18-fast-seed0"], runs["resnet18-1epoch-seed0"]
    five, seeds = (
        [run for name, run in runs.items() if name.startswith(start)]
        for start in ("resnet18-5epochs", "cpu-30min-seed")
    )
    ends = [0.0, *(float(row["seconds"]) / 60 for row in whole.log)]
    epochs = [after - before for before, after in pairwise(ends)]
    found = {
        "resnet18.accuracy": _percent([whole.result["test_accuracy"]]),
        "resnet18.epochs": f"{len(whole.log)}",
        "resnet18.minutes": _minutes(whole.result),
        "resnet18.epoch.shortest": f"{min(epochs):.0f}",
        "resnet18.epoch.longest": f"{max(epochs):.0f}",
        "resnet18.fifth": f"{100 * float(whole.log[4]['train_accuracy']):.2f} %",
        "resnet18.1epoch.minutes": _minutes(one.result),
        "resnet18.1epoch.accuracy": _percent([one.result["test_accuracy"]]),
        "resnet18.5epochs.accuracy": _percent([run.result["test_accuracy"] for run in five]),
        "cpu-30min.accuracy": _percent([run.result["test_accuracy"] for run in seeds]),
        "cpu-30min.mirrored": _percent([run.result["mirrored_accuracy"] for run in seeds]),
    }
    for seed, run in enumerate(five):
        found[f"resnet18.5epochs.fifth.{seed}"] = f"{100 * float(run.log[4]['train_accuracy']):.2f}"
    for seed, run in enumerate(seeds):
        found[f"cpu-30min.minutes.{seed}"] = _minutes(run.result)
        if run.result["seconds"] > 1800:
            found[f"cpu-30min.late.{seed}"] = f"{run.result['seconds'] - 1800:.1f}"
    for seed, again in last("cpu-30min-again.csv", "seed").items():
        found[f"cpu-30min.again.{seed}"] = _minutes(again)
    return found


def _of_pytorch(theirs):
    found = {f"torch.{net}": _percent([last["test_accuracy"]]) for net, last in theirs.items()}
    found["torch.resnet8.mirrored"] = _percent([theirs["resnet8"]["mirrored_accuracy"]])
    found["torch.resnet8.minutes"] = _minutes(theirs["resnet8"])
    return found


def _of_gradients():
    """Return how much the gradients of the 56-layer networks grow before the first step, from the last convolution to the first."""
    found = {}
    for kind in ("plain56", "residual56"):
        rows = watch.read(RESULTS / f"plain-vs-residual-{kind}" / "layers.csv")
        norms = [row.gradient_rms for row in rows if row.step == 0 and "conv" in row.layer]
        grown = norms[0] / norms[-1]
        found[f"gradients.{kind}"] = f"{grown:,.0f}"
        if kind == "plain56":
            found["gradients.plain56.each"] = f"{grown ** (1 / (len(norms) - 1)):.2f}"
    return found


def _of_short_trainings():
    rows = _json(ROOT / ablation.RESULTS)["rows"]
    whole, bare = (
        statistics.fmean(plain for plain, _ in rows[name])
        for name in (ablation.WHOLE, "without all of these")
    )
    return {"ablation.gain": f"{100 * (whole - bare):.1f}"}


def _of_tuning():
    few, part = _json(RESULTS / "few-images.json"), _json(ROOT / frozen.RESULTS)
    return {
        "few-images.scratch": few_images.mean_and_deviation(few["rows"]["from scratch"]),
        "few-images.tuned": few_images.mean_and_deviation(few["rows"]["tuned, nothing frozen"]),
        "few-images.tests": f"{few['tests']:,}",
        "frozen.layer4": f"{100 * part['frozen']['until:layer4']['share']:.0f} %",
    }


def _of_speed():
    """Return how fast a training step is, as a multiple of PyTorch's rate: mark -> text."""
    steps = _json(MEASURED / "cpu.json")["parts"]["steps"]
    return {
        f"speed.{net}": f"{steps[net]['ratio']['median']:.2f}" for net in ("resnet18", "resnet20")
    }


def _of_machines():
    """Return how fast a step is on two processes, as a multiple of that on as many threads of one."""
    several = _json(ROOT / machines.RESULTS)
    seconds = {net: found["seconds"] for net, found in several["parts"]["steps"].items()}
    two, threads = (str(machines.Way(*numbers)) for numbers in ((2, 1), (1, 2)))
    return {
        **{
            f"machines.{net}": f"{machines.ratios(seconds[net], threads, two)['median']:.2f}"
            for net in ("resnet18", "resnet20")
        },
        "machines.others": f"{100 * several['others']:.0f} %",
    }


def _percent(shares):
    return f"{table.spread(shares)} %"


def _minutes(result):
    return f"{result['seconds'] / 60:.0f}"


def _json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def last(name, key):
    """Return the last row of each `key` in a file in docs/results, with its figures."""
    with open(RESULTS / name, encoding="utf-8") as file:
        return {
            row.pop(key): {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(file)
        }


def main():
    """Write the figures, and print the files that changed."""
    figures = known()
    for path in documents():
        before = path.read_text(encoding="utf-8")
        after, _ = written(before, figures)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
