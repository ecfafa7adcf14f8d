"""python -m benchmarks.frozen [NET] [BATCH]: the time and memory of a training step when parts of the network are frozen."""

import json
import statistics
import sys
from pathlib import Path

from benchmarks import fresh, host, ours, timing
from benchmarks.problems import NETS, batch
from minires import models

PARTS = ("", "until:layer2", "until:layer3", "until:layer4", "until:fc")
ROUNDS = 7
RESULTS = Path("benchmarks/results/frozen.json")


def measured(net, n):
    """Return {what is frozen: {"seconds", "share" of the whole step, "bytes"}}: medians over rounds, and the peak memory of a process each."""
    x, labels = batch(n)
    parts = [part for part in PARTS if part != "until:layer4" or len(NETS[net].widths) > 3]
    steps = {}
    for part in parts:
        model = ours.build(NETS[net])
        if part:
            models.freeze(model, part)
        steps[part] = ours.training(model, x, labels)
    seconds = timing.alternated(steps, ROUNDS)
    found = {}
    for part in parts:
        share = statistics.median(mine / whole for mine, whole in zip(seconds[part], seconds[""]))
        facts = fresh.of_process(f"minires {part}".strip(), net, n, 3)
        found[part] = {
            "seconds": statistics.median(seconds[part]),
            "share": share,
            "bytes": facts["step"],
        }
    return found


def markdown(net, n, found):
    """Return the lines of a table."""
    lines = [
        f"| {net}, batch {n}: frozen | a step | of the whole | memory of a step |",
        "| --- | --- | --- | --- |",
    ]
    for part, facts in found.items():
        lines.append(
            f"| {part or 'nothing'} | {1e3 * facts['seconds']:,.0f} ms | {100 * facts['share']:.0f} % | {facts['bytes'] / 2**20:,.0f} MiB |"
        )
    return lines


def main(net="resnet18", n="128"):
    """Measure, print and save the figures."""
    facts = host.describe(None)
    host.report(facts)
    found = measured(net, int(n))
    print("\n".join(markdown(net, int(n), found)))
    RESULTS.write_text(
        json.dumps({"net": net, "batch": int(n), "machine": facts, "frozen": found}, indent=2)
        + "\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
