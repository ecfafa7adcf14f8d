"""The time of a training step on a GPU by kind of work, waiting for the GPU around each piece; and the time of a
step without waiting.
"""

import contextlib
import statistics
import time
from functools import partial

from benchmarks import ours, timing
from benchmarks.problems import NETS, batch
from benchmarks.profile import MAPS, Clock
from minires import backend, ops, optim
from minires.backend import to_device
from minires.fast import blocks, conv, tiles

# Kind of work -> the names of its ops on tensors; and of its other functions, by the place where they are looked up. Work
# within other work counts only for itself.
OPS = {
    "norm": ("norm_add_relu",),
    "convolutions, the rest": ("conv2d",),
    "mean, linear layer, loss": ("global_avg_pool", "linear", "cross_entropy"),
}
PLACES = (
    (conv, {"im2col": ("im2col",), "col2im": ("col2im",), "GEMM": ("product",)}),
    (
        tiles.Maps,
        {
            "GEMM": MAPS["Winograd's products"],
            "Winograd's transforms": MAPS["Winograd's transforms and their copies"],
        },
    ),
    (blocks, {"norm": ("channel_stats",)}),
    (optim.SGD, {"optimizer": ("step",)}),
)
KINDS = (
    "im2col",
    "col2im",
    "GEMM",
    "Winograd's transforms",
    "norm",
    "convolutions, the rest",
    "mean, linear layer, loss",
    "optimizer",
)
# How convolutions are computed -> a function that returns a context for it.
WAYS = {
    "float32": contextlib.nullcontext,
    "float32, im2col": partial(ops.without, *ours.NOT_COLUMNS),
    "bf16 mixed": backend.autocast,
}


def kinds(call):
    """Measure the time of a training step by kind of work: waiting for the GPU around each piece of work, and without waiting"""
    found = []
    for way, context in WAYS.items():
        try:
            with context():
                found.append(_of_way(call, way))
        except backend.BackendError as why:
            print(f"  without {way}: {why}")
    return found


def _of_way(call, way):
    plan, device = call.plan, call.device
    step, idle = (
        ours.training(ours.build(NETS[plan.net]), *map(to_device, batch(n)))
        for n in (plan.n, plan.idle)
    )
    for work in (step, idle):
        work()
        work()
    found, waiting = by_kind(step, device, plan.steps)
    whole, least = (timing.spread([timing.of_calls(work, plan.steps, device.synchronise) for _ in range(plan.rounds)])
                    for work in (step, idle))  # fmt: skip
    gap = waiting["seconds"] - whole["median"]
    print(f"  {plan.net}, batch {plan.n}, {way}")
    for kind, facts in found.items():
        share = 100 * facts["seconds"] / waiting["seconds"]
        print(
            f"    {kind:30} {1e3 * facts['seconds']:9.3f} ms {share:4.0f} %  {facts['calls']:5.0f} pieces"
        )
    print(f"    {'sum, waiting around each':30} {1e3 * waiting['seconds']:9.3f} ms")
    print(f"    {'a step without waiting':30} {1e3 * whole['median']:9.3f} ms")
    print(
        f"    {'the gap':30} {1e3 * gap:9.3f} ms: launches that overlap with the GPU's work when nothing waits"
    )
    about = "what launching a step costs the host, about"
    print(f"    {f'at batch {plan.idle}':30} {1e3 * least['median']:9.3f} ms: {about}", flush=True)
    del step, idle, work
    call.release()
    return {"way": way, "net": plan.net, "batch": plan.n, "kinds": found, "waiting": waiting, "whole": whole,
            "gap": gap, "idle": {"batch": plan.idle, **least}}  # fmt: skip


def by_kind(step, device, count):
    """Return (kind -> {"seconds", "min", "max", "calls"} of a step, {"seconds", "min", "max"} of the whole step): over `count` steps that
    wait around each piece of work, "seconds" on average, so that those of all kinds add up to the whole step's.
    """

    def now():
        device.synchronise()
        return time.perf_counter()

    clock, steps, calls = Clock(now), [], {}
    with clock.timing(OPS, *PLACES):
        for _ in range(count + 1):  # the first warms up
            clock.seconds.clear()
            clock.calls.clear()
            begun = now()
            step()
            whole = now() - begun
            calls = {kind: clock.calls[kind] for kind in KINDS}
            pieces = {kind: clock.seconds[kind] for kind in KINDS}
            steps.append({**pieces, "all else": whole - sum(pieces.values()), "whole": whole})
    found = {kind: _over([step[kind] for step in steps[1:]]) for kind in steps[0]}
    whole = found.pop("whole")
    return {kind: {**facts, "calls": calls.get(kind, 0)} for kind, facts in found.items()}, whole


def _over(seconds):
    return {"seconds": statistics.fmean(seconds), "min": min(seconds), "max": max(seconds)}
