"""python -m benchmarks.others: the same work in other libraries, each in a process of its own; they take turns.

Two problems: a 3x3 convolution with 64 channels and its backward pass, and a training step of ResNet-20 (forward, loss, backward,
SGD with Nesterov momentum and weight decay). Those of the libraries that are installed take part, with the same arrays, float32 and
number of threads; one that compiles has done so before its first turn. JAX, tinygrad and DeZero keep no running statistics here, and
DeZero doesn't smooth labels, which saves them a little work.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks import host
from minires import backend

ROOT = Path(__file__).parents[1]
# Name -> (the package that it needs, its problems).
BOTH = ("convolution", "resnet20")
LIBRARIES = {
    "minires": ("numpy", BOTH),
    "minires compiled": ("numba", BOTH),
    "PyTorch NCHW": ("torch", BOTH),
    "PyTorch channels_last": ("torch", BOTH),
    "PyTorch NCHW compiled": ("torch", BOTH),
    "PyTorch channels_last compiled": ("torch", BOTH),
    "JAX": ("jax", BOTH),
    "tinygrad": ("tinygrad", BOTH),
    "DeZero": ("dezero", BOTH),
    "MyGrad": ("mygrad", ("convolution",)),
}
PACKAGES = {"torch": "torch", "jax": "jax", "tinygrad": "tinygrad", "dezero": "dezero", "mygrad": "mygrad", "numba": "numba"}  # fmt: skip
IMAGES = {"convolution": 16, "resnet20": 128}
SMOKE = {"convolution": 1, "resnet20": 2}
SLOW = 5.0  # seconds: a library that takes longer for a step has three turns


class Runner:
    """A process that does steps of a problem in a library.

    ready  the seconds until its second step was done, with compilation; None if it failed, and `why` says how
    """

    def __init__(self, name, problem, images, threads):
        numbers = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MINIRES_THREADS")
        environment = {**os.environ, **dict.fromkeys(numbers, str(threads))}
        environment["NPROC"] = str(threads)
        command = [sys.executable, "-m", "benchmarks.others_steps", name, problem, images]
        self.process = subprocess.Popen(
            list(map(str, command)),
            **{"cwd": ROOT, "env": environment, "text": True},
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
        )
        self.seconds, self.why = [], None
        line = self.process.stdout.readline()
        self.ready = float(line) if line.strip() else None
        if self.ready is None:
            said = self.process.communicate()[1].strip()
            self.why = said.splitlines()[-1][:200] if said else "it printed nothing"

    def turn(self):
        """Do a step, and note its seconds."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.seconds.append(float(self.process.stdout.readline()))

    def end(self):
        """End the process."""
        self.process.kill()
        self.process.communicate()


def measured(problem, images, rounds, threads):
    """Return {library: {"median", "min", "max", "ready"} in seconds, or {"why"} if it cannot run}."""
    taking_part = [
        name
        for name, (package, problems) in LIBRARIES.items()
        if problem in problems and importlib.util.find_spec(package)
    ]
    runners = {}
    try:
        for name in taking_part:
            runners[name] = Runner(name, problem, images, threads)
            ready = runners[name].ready
            said = runners[name].why or f"ready after {ready:.1f} s"
            print(f"  {name:32} {said}", flush=True)
        for i in range(rounds):
            for runner in list(runners.values())[:: 1 if i % 2 else -1]:
                slow = runner.seconds and statistics.median(runner.seconds) > SLOW
                if runner.why is None and not (slow and len(runner.seconds) >= 3):
                    runner.turn()
    finally:
        for runner in runners.values():
            runner.end()
    return {name: _figures(runner) for name, runner in runners.items()}


def _figures(runner):
    if runner.why:
        return {"why": runner.why}
    found = {"median": statistics.median(runner.seconds), "min": min(runner.seconds)}
    return {**found, "max": max(runner.seconds), "ready": runner.ready}


def markdown(problem, images, figures):
    """Return the lines of a table: images per second, and how many times minires's."""
    what = {"convolution": "convolution, forward and backward", "resnet20": "ResNet-20, training step"}  # fmt: skip
    lines = [f"| {what[problem]}, batch {images} | images/s | minires = 1 | ready after |", "| --- | --- | --- | --- |"]  # fmt: skip
    ran = {name: found for name, found in figures.items() if "median" in found}
    for name, found in sorted(ran.items(), key=lambda pair: pair[1]["median"]):
        rate, ratio = images / found["median"], figures["minires"]["median"] / found["median"]
        lines.append(f"| {name} | {rate:,.0f} | {ratio:.2f} | {found['ready']:.0f} s |")
    return lines


def main():
    """Run the command."""
    parser = argparse.ArgumentParser("python -m benchmarks.others", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--smoke", action="store_true", help="once and small, to see that it works")
    parser.add_argument("--json", type=Path, help="write the figures in this file")
    options = parser.parse_args()
    images, rounds = (SMOKE, 1) if options.smoke else (IMAGES, options.rounds)
    facts = host.describe(None)
    host.report(facts)
    figures = {"machine": facts, "commit": host.commit(), "rounds": rounds, "problems": {}}
    for problem, n in images.items():
        print(f"\n{problem}, batch {n}", flush=True)
        found = measured(problem, n, rounds, backend.threads())
        figures["problems"][problem] = {"images": n, "libraries": found}
        print("\n".join(markdown(problem, n, found)), flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
