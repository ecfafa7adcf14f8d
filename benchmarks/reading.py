"""The files and lines that one training step runs through, counted by a tracer.

python -m benchmarks.reading
"""

import sys
import threading
from collections import Counter
from pathlib import Path

import numpy

import minires
from minires import backend, data, models, ops, optim
from minires.train import train_epoch

PACKAGE = Path(minires.__file__).parent


def training_step():
    """Return one step of ResNet-20 on a batch of digits, as a function; the batch and the network are made already."""
    train, _, _ = data.digits()
    model = models.resnet20(in_channels=1, rng=numpy.random.default_rng(0))
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    batch = next(iter(data.batches(train, 64, seed=0)))
    return lambda: train_epoch(model, [batch], optimizer)


def traced(run):
    """Return (files, code objects, lines) of the package that run() goes through, also in threads that it starts.

    files  a set of paths    code objects  functions, comprehensions and lambdas    lines  a set of (path, number)
    """
    codes, lines = set(), set()

    def enter(frame, event, argument):
        if not frame.f_code.co_filename.startswith(str(PACKAGE)):
            return None
        codes.add(frame.f_code)
        return go

    def go(frame, event, argument):
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return go

    before, before_in_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(enter)
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(before)
        threading.settrace(before_in_threads)
    return {file for file, _ in lines}, codes, lines


def plain_step():
    """Return file -> how many of its lines a step in plain forms runs through. A file is named as "ops/conv.py"."""
    with backend.using("numpy"), ops.plain():
        step = training_step()
        step()  # which forms run is found out at the first call
        _, _, lines = traced(step)
    return Counter(Path(file).relative_to(PACKAGE).as_posix() for file, _ in lines)


def figures():
    """Return mark -> text of the figures in docs/reading.md."""
    lines = plain_step()
    return {
        "reading.files": f"{len(lines)}",
        "reading.lines": f"{sum(lines.values())}",
        **{f"reading.{file}": f"{count}" for file, count in lines.items()},
    }


if __name__ == "__main__":
    for file, count in plain_step().most_common():
        whole = len((PACKAGE / file).read_text(encoding="utf-8").splitlines())
        print(f"{file:24}{count:5} lines of {whole:4}")
