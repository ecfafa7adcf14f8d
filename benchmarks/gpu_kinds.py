"""The time of a training step on a GPU by kind of work, waiting for the GPU around each piece; the time of a step without
waiting; what the host takes to launch it; and the time of each kernel by its name.
"""

import contextlib
import statistics
import time
from functools import partial

from benchmarks import gpu_profile, ours, timing
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
    (blocks, {"norm": ("moving_stats",)}),
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
LAYOUT, PEERS = (
    "PyTorch channels_last",
    ("float32", "tf32", "bf16 mixed"),
)  # ways that PyTorch has as well
# How convolutions are computed -> a function that returns a context for it.
WAYS = {
    "float32": contextlib.nullcontext,
    "float32, im2col": partial(ops.without, *ours.NOT_COLUMNS),
    "tf32": backend.using_tf32,
    "bf16 mixed": backend.autocast,
}


def kinds(call):
    """the time of a training step by kind of work, the host's time for launching it, and the time of each kernel by name"""
    found = []
    for way, context in WAYS.items():
        if call.late(way):
            continue
        try:
            with context():
                row, _ = call.attempted(way, partial(_of_way, call, way))
        except backend.BackendError as why:
            print(f"  without {way}: {why}")
            continue
        if row is not None:
            found.append(row)
            call.keep(found)
    return found


def _of_way(call, way):
    plan, device = call.plan, call.device
    step = _step(plan.net, plan.n)
    step()
    step()
    found, waiting = by_kind(step, device, plan.steps)
    whole = timing.spread(
        [timing.of_calls(step, plan.steps, device.synchronise) for _ in range(plan.rounds)]
    )
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
    names = gpu_profile.by_name(call, "minires by name", step)
    del step
    call.release()
    host = {n: _issuing(call, n) for n in plan.host}
    theirs = _of_pytorch(call, way) if call.peers else None
    call.release()
    return {"way": way, "net": plan.net, "batch": plan.n, "kinds": found, "waiting": waiting, "whole": whole, "gap": gap,
            "host": host, "names": names, "names of PyTorch": theirs}  # fmt: skip


def _step(net, n):
    return ours.training(ours.build(NETS[net]), *map(to_device, batch(n)))


def _issuing(call, n):
    """Return the spread of the host's seconds for launching a step, and print it; None where the GPU could not be held as long."""
    step = _step(call.plan.net, n)
    step()
    step()
    seconds = [call.device.issuing(step) for _ in range(call.plan.rounds)]
    found = None if None in seconds else timing.spread(seconds)
    name, why = f"the host alone, batch {n}", "not measured: the step waits for the GPU"
    told = f"{1e3 * found['median']:9.3f} ms" if found else why
    print(f"    {name:30} {told}", flush=True)
    return found


def _of_pytorch(call, way):
    """Return gpu_profile.by_name() of PyTorch's step in the same precision, in channels_last."""
    (x, labels), net = batch(call.plan.n), NETS[call.plan.net]
    state, layout = ours.build(net).state_dict(), LAYOUT
    if way not in PEERS:
        return None
    with call.precision(way == "tf32"):
        step = call.peers.training(net, state, x, labels, layout, bf16=way.startswith("bf16"))
        for _ in range(2):
            step()
        return gpu_profile.by_name(call, f"{layout} by name", step, ours=False)


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
