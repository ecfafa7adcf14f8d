"""python -m benchmarks.loop: the cost of `minires train` compared with the bare step, and its memory over many steps.

The bare step is forward, backward and optimizer on one batch that is ready. The loop adds batches with crop and flip,
reading losses, the log and checkpoints. Both take turns for several rounds; medians are printed.
"""

import argparse
import io
import statistics
import tempfile
import time
from contextlib import redirect_stdout

import numpy

from benchmarks import timing
from minires import Tensor, data
from minires import functional as F
from minires.backend import machine
from minires.cli import settings
from minires.cli.loop import Loop
from minires.cli.stop import Stop
from minires.runs import Run


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.loop", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="steps per round of each")
    parser.add_argument("--memory-steps", type=int, default=1000)
    options = parser.parse_args()
    blas = machine.blas() or {
        "name": "BLAS",
        "version": "unknown",
        "kernel": "unknown",
        "threads": "unknown",
    }
    print(f"{machine.processor()}, {machine.cores()} cores; {blas['name']} {blas['version']}, kernel {blas['kernel']}, "
          f"{blas['threads']} threads")  # fmt: skip
    speed(options.model, options.rounds, options.steps)
    memory(options.memory_steps)


def speed(model, rounds, steps, batch=128):
    """Print and return the images per second of the bare step and of the loop, and the ratio of the two."""
    rng = numpy.random.default_rng(0)
    images = rng.integers(0, 256, (batch * steps, 32, 32, 3)).astype(numpy.uint8)
    part = data.Dataset(images, rng.integers(0, 10, len(images)), data.CLASSES["cifar10"])
    given = {"data": "cifar10", "model": model, "epochs": 1, "batch_size": batch, "lr": 0.01}
    options = settings.merged(given, {})
    rates = {"bare step": [], "loop": []}
    ways = [("bare step", bare), ("loop", ran)]
    for i in range(rounds + 1):
        for name, run in ways if i % 2 else reversed(ways):
            rates[name].append(len(images) / run(options, part))
    rates = {name: values[1:] for name, values in rates.items()}  # the first round is a warm-up
    for name, values in rates.items():
        print(
            f"{name:9}  {statistics.median(values):7.1f} images/s, {min(values):.1f} to {max(values):.1f}"
        )
    ratios = [loop / bare for loop, bare in zip(rates["loop"], rates["bare step"])]
    print(
        f"the loop runs at {100 * statistics.median(ratios):.1f} % of the bare step's rate (median of {len(ratios)} rounds)"
    )
    rates = {name: timing.spread(values) for name, values in rates.items()}
    return {"model": model, "batch": batch, "rate": rates, "ratio": timing.spread(ratios)}


def memory(steps):
    """Print and return the resident memory of training on the digits, after a tenth of many steps and at the end."""
    train, _, _ = data.digits()
    epochs = -(-steps // 20)
    sizes = []
    options = settings.merged({"epochs": epochs}, {})
    loop = Loop(options, (train, None, train))
    loop.save = lambda run, save=loop.save: (save(run), sizes.append((loop.step, resident())))
    with tempfile.TemporaryDirectory() as folder, Stop() as stop:
        with redirect_stdout(io.StringIO()):
            loop.go(Run.new(f"{folder}/run", options.to_config()), stop, save_every=1)
    (early, before), (late, after) = sizes[len(sizes) // 10], sizes[-1]
    print(
        f"memory     {before / 2**20:.1f} MiB after step {early:,}, {after / 2**20:.1f} MiB after step {late:,}"
    )


def bare(options, part):
    """Return the seconds of as many bare steps as an epoch has."""
    loop = Loop(options, (part, None, part))
    x, labels = next(iter(data.batches(part, options.batch_size)))
    begun = time.perf_counter()
    for _ in range(loop.steps):
        loss = F.cross_entropy(loop.model(Tensor(x)), labels, label_smoothing=0.1)
        loop.optimizer.zero_grad()
        loss.backward()
        loop.optimizer.step()
    return time.perf_counter() - begun


def ran(options, part):
    """Return the seconds of one epoch of the loop, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, Stop() as stop:
        run, loop = Run.new(f"{folder}/run", options.to_config()), Loop(options, (part, None, part))
        begun = time.perf_counter()
        with redirect_stdout(io.StringIO()):
            loop.go(run, stop, save_every=30)
        return time.perf_counter() - begun


def resident():
    """Return the bytes of memory that this process holds (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


if __name__ == "__main__":
    main()
