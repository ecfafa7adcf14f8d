"""python -m benchmarks.profile [NET] [BATCH]: where the time of a training step goes on one thread, and what is lost when two
run in parallel.
"""

import contextlib
import functools
import statistics
import sys
import time
from collections import Counter
from unittest import mock

from benchmarks import host, ours
from benchmarks.problems import NETS, batch
from minires import backend, tensor
from minires.fast import blocks, tiles

STEPS = 15
OPS = {
    "batch norm, ReLU, add": ("norm_add_relu", "add_relu", "batch_norm"),
    "other convolutions, and Winograd's where channels outnumber tiles": ("conv2d",),
}
STATS = {"batch norm, ReLU, add": ("channel_stats",)}  # which is called on arrays
MAPS = {
    "Winograd's products": ("product", "filters_product"),
    "Winograd's transforms and their copies": (
        "tile_images",
        "untile_gradient",
        "untile",
        "tile_gradient",
        "tile_filters",
        "untile_filters",
    ),
}


class Clock:
    """Seconds by kind of work, and calls; work within other work counts only for itself. now() returns the seconds."""

    def __init__(self, now=time.perf_counter):
        self.now, self.seconds, self.calls, self.within = now, Counter(), Counter(), []

    def timed(self, kind, function):
        """Return the function with a clock around it, and around the backward of an op."""

        @functools.wraps(function)
        def run(*arguments, **options):
            begun = self.now()
            self.within.append(0.0)
            result = function(*arguments, **options)
            taken = self.now() - begun
            self.calls[kind] += 1
            self.seconds[kind] += taken - self.within.pop()
            if self.within:
                self.within[-1] += taken
            if isinstance(result, tuple) and len(result) == 2 and callable(result[1]):
                return result[0], self.timed(kind, result[1])
            return result

        return run

    @contextlib.contextmanager
    def timing(self, ops, *places):
        """Context manager: functions are timed: ops on tensors, and functions at other places.

        ops  kind -> names of ops    places  pairs (where a function is looked up, kind -> names)
        """
        kinds, run = {name: kind for kind, names in ops.items() for name in names}, tensor.apply

        def apply(op, *operands, **options):
            kind = kinds.get(getattr(op, "__name__", None))
            return run(op if kind is None else self.timed(kind, op), *operands, **options)

        with contextlib.ExitStack() as stack:
            for where in (tensor, blocks):
                stack.enter_context(mock.patch.object(where, "apply", apply))
            for where, names_of in places:
                for kind, names in names_of.items():
                    for name in names:
                        stack.enter_context(
                            mock.patch.object(where, name, self.timed(kind, getattr(where, name)))
                        )
            yield


def by_kind(step):
    """Return [(kind, seconds of a step)] on one thread, and of the whole step."""
    clock = Clock()
    with backend.using_threads(1), clock.timing(OPS, (blocks, STATS), (tiles.Maps, MAPS)):
        step()
        clock.seconds.clear()
        begun = time.perf_counter()
        for _ in range(STEPS):
            step()
        whole = time.perf_counter() - begun
    rest = whole - sum(clock.seconds.values())
    return [
        (kind, taken / STEPS) for kind, taken in (*clock.seconds.most_common(), ("all else", rest))
    ], whole / STEPS


def side_by_side(step, threads):
    """Return medians of a step: (seconds, of all threads together, how often one went to sleep before it was done)."""
    import resource  # Windows has none, and the rest of this file is used there

    figures = []
    with backend.using_threads(threads):
        for _ in range(STEPS):
            before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
            step()
            taken, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
            busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            figures.append((taken, busy, after.ru_nvcsw - before.ru_nvcsw))
    return tuple(map(statistics.median, zip(*figures)))


def main(net="resnet20", n="128"):
    """Print both."""
    host.report(host.describe(None))
    step = ours.training(ours.build(NETS[net]), *batch(int(n)))
    kinds, whole = by_kind(step)
    print(f"\n{net}, batch {n}, on one thread: {1e3 * whole:.0f} ms a step")
    for kind, taken in kinds:
        print(f"  {kind:66} {1e3 * taken:7.1f} ms  {100 * taken / whole:3.0f} %")
    for threads in sorted({1, backend.threads()}):
        taken, busy, sleeps = side_by_side(step, threads)
        print(
            f"{threads} thread{'s' * (threads > 1)}: {1e3 * taken:.0f} ms a step, {1e3 * busy:.0f} ms of work; waited {sleeps:,.0f} times"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
