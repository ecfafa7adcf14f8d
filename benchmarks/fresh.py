"""Measurements that need a process of their own: the peak memory of a training step, and the time that an import takes.

python -m benchmarks.fresh WAY NET BATCH STEPS THREADS trains, and prints memory and time as JSON.
"""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import timing
from benchmarks.problems import NETS, batch

ROOT = Path(__file__).parents[1]
IMPORT = "import time; begun = time.perf_counter(); import {}; print(time.perf_counter() - begun)"


def memory(plan, peers):
    """peak memory of a training step, each in a process of its own"""
    figures = {}
    for way in ("minires", *(peers.LAYOUTS if peers else ())):
        figures[way] = facts = of_process(way, plan.net, plan.n, plan.steps)
        print(f"    {way:30} {_mib(facts['peak'])} - {_mib(facts['imported'])} after imports = {_mib(facts['step'])} MiB "
              f"({plan.net}, batch {plan.n}; {facts['seconds']:.2f} s a step)", flush=True)  # fmt: skip
    seconds = {way: [facts["seconds"]] for way, facts in figures.items()}
    faster = timing.best(seconds, [way for way in figures if way != "minires"])
    if faster:
        ratio = figures["minires"]["step"] / figures[faster]["step"]
        print(f"    {'minires / ' + faster:30} {ratio:.2f} (the faster layout)")
        return {"net": plan.net, "batch": plan.n, **figures, "pytorch": faster, "ratio": ratio}
    return {"net": plan.net, "batch": plan.n, **figures}


def of_process(way, net, n, steps):
    """Return what main() prints in a process of its own."""
    from minires import backend

    return json.loads(
        _said("-m", "benchmarks.fresh", *map(str, (way, net, n, steps, backend.threads())))
    )


def imports(plan, peers):
    """seconds of `import minires` above `import numpy`"""
    seconds = {"numpy": [], "minires": []}
    for i in range(plan.imports + 1):
        for name in list(seconds)[:: 1 if i % 2 else -1]:
            taken = float(_said("-c", IMPORT.format(name)))
            if i:  # the first reads the files from the disk
                seconds[name].append(taken)
    figures = {name: timing.spread(values) for name, values in seconds.items()}
    ours, base = figures["minires"]["median"], figures["numpy"]["median"]
    print(f"    minires {ours:.3f} s - numpy {base:.3f} s = {ours - base:.3f} s")
    return {**figures, "above": ours - base}


def _said(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def _mib(count):
    return f"{count / 2**20:,.0f}"


def _peak():
    """Return the peak memory of this process in bytes (Linux). ru_maxrss would count the parent's."""
    with open("/proc/self/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main(way, net, n, steps, threads):
    """Train, and print {"imported", "peak", "step"} in bytes and {"seconds"} of the fastest step.

    way  "minires", or with what is frozen "minires until:layer4"; or a layout of PyTorch's
    """
    n, steps, threads = map(int, (n, steps, threads))
    of_minires, frozen = way.startswith("minires"), way.partition(" ")[2]
    # One of them, not both.
    worker = importlib.import_module("benchmarks.ours" if of_minires else "benchmarks.peers")
    if not of_minires:
        worker.import_all()
    imported = _peak()
    x, labels = batch(n)
    if of_minires:
        model = worker.build(NETS[net])
        if frozen:
            importlib.import_module("minires.models").freeze(model, frozen)
        step = worker.training(model, x, labels)
    else:
        worker.describe(threads)
        step = worker.training(worker.build(NETS[net], way), worker.images(x, way), labels)
    seconds = []
    for _ in range(steps + 1):
        begun = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begun)
    peak = _peak()
    print(
        json.dumps(
            {"imported": imported, "peak": peak, "step": peak - imported, "seconds": min(seconds)}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
