"""Whole networks on a GPU: training steps, inference and memory of minires and of PyTorch, in each mode of precision."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import numpy

from benchmarks import ours, timing
from benchmarks.problems import NETS, batch
from minires import backend, models, ops
from minires.backend import to_device

NCHW, CHANNELS_LAST = "PyTorch NCHW", "PyTorch channels_last"


class Mode(NamedTuple):
    """A precision of the products, in minires and in PyTorch."""

    name: str
    context: Callable = nullcontext  # returns minires's context for this mode
    tf32: bool = False  # PyTorch's
    bf16: bool = False  # PyTorch's, by autocast
    layouts: tuple = (NCHW, CHANNELS_LAST)  # of PyTorch's images

    def missing(self):
        """Return why minires cannot compute in this mode here; None if it can."""
        try:
            with self.context():
                return None
        except backend.BackendError as why:
            return f"minires without {self.name}: {why}"


MODES = (
    Mode("float32"),
    Mode("tf32", backend.using_tf32, tf32=True),
    Mode("bf16 mixed", backend.autocast, bf16=True, layouts=(CHANNELS_LAST,)),
)


def steps(call):
    """training steps: forward, cross entropy with label smoothing, backward, SGD with Nesterov momentum and weight decay"""
    net, figures = call.plan.net, []
    # Backward has two products for one.
    flop = 3 * 2 * models.summary(ours.build(NETS[net]), (32, 32, 3)).multiply_adds
    for n in call.plan.batches:
        for mode in MODES:
            if call.late(f"{net}, batch {n}, {mode.name}"):
                continue
            found = {"mode": mode.name, "net": net, "batch": n, "flop_per_image": flop,
                     **measured(call, mode, training(call, mode, n), n)}  # fmt: skip
            figures.append(found)
            call.keep(figures)
            _say(found)
            for name, rate in found["rate"].items():
                print(
                    f"    {name:31} {1e-12 * flop * rate['median']:9.3g} TFLOP/s of the direct convolutions",
                    flush=True,
                )
    return figures


def graph(call):
    """training steps that are one launch each, of a CUDA graph, compared with those of PyTorch compiled to graphs"""
    net, count, figures = call.plan.net, call.plan.launched, []
    for mode in reversed(MODES):
        for n in call.plan.host:
            if call.late(f"batch {n}, {mode.name}"):
                continue
            makers = launched(call, mode, n)
            found = {
                "mode": f"{mode.name}, CUDA graph",
                "net": net,
                "batch": n,
                **measured(call, mode, makers, n * count),
            }
            figures.append(found)
            call.keep(figures)
            _say(found)
    return figures


def launched(call, mode, n):
    """Return name -> a function that makes a function that does several steps, as one launch each."""
    (x, labels), net, count = batch(n), NETS[call.plan.net], call.plan.launched
    ways = {}
    if not mode.missing():
        ways["minires"] = lambda: within(
            mode.context,
            ours.epoch(ours.build(net), to_device(x), to_device(labels), count, cuda_graph=True),
        )
    if call.peers and mode.bf16 and call.compiles(n):

        def of_pytorch():
            step = call.peers.training(
                net,
                ours.build(net).state_dict(),
                x,
                labels,
                CHANNELS_LAST,
                bf16=True,
                compiled="reduce-overhead",
            )

            def several():
                for _ in range(count):
                    step()

            return several

        ways[f"{CHANNELS_LAST}, compiled (reduce-overhead)"] = of_pytorch
    return ways


def inference(call):
    """inference, batch norm folded into the convolutions, logits on the host"""
    (net, n), figures = (call.plan.net, call.plan.n), []
    for mode in MODES:
        if call.late(mode.name):
            continue
        found = {
            "mode": mode.name,
            "net": net,
            "batch": n,
            **measured(call, mode, evaluation(call, mode, n), n, agree=True),
        }
        figures.append(found)
        call.keep(figures)
        _say(found)
    return figures


def memory(call):
    """peak memory of a training step, each by itself: the most that arrays held, and what was taken from the GPU for it"""
    (net, n), figures = (call.plan.net, call.plan.n), []
    for mode in MODES:
        if call.late(mode.name):
            continue
        found = {
            "mode": mode.name,
            "net": net,
            "batch": n,
            "missing": mode.missing(),
            "failed": {},
            "bytes": {},
        }
        for name, make in training(call, mode, n, compiled=False).items():
            call.release()
            with call.precision(mode.tf32):
                step = call.tried(name, make, found["failed"])
            if step:
                peak = call.device.peak if name.startswith("minires") else call.peers.peak
                with call.precision(mode.tf32):
                    found["bytes"][name] = facts = peak(step)
                total = "" if facts["total"] is None else f", {facts['total'] / 2**20:,.0f} taken"
                print(
                    f"    {mode.name:10} {name:30} {facts['used'] / 2**20:9,.0f} MiB held{total}",
                    flush=True,
                )
            del step
        theirs = [
            facts["used"] for name, facts in found["bytes"].items() if name.startswith("PyTorch")
        ]
        if "minires" in found["bytes"] and theirs:
            found["ratio"] = found["bytes"]["minires"]["used"] / min(theirs)
            print(
                f"    {mode.name:10} {'minires / the least of PyTorch':30} {found['ratio']:9.2f}",
                flush=True,
            )
        figures.append(found)
        call.keep(figures)
    call.release()
    return figures


def training(call, mode, n, compiled=None):
    """Return name -> a function that makes a training step."""
    (x, labels), net = batch(n), NETS[call.plan.net]
    ways = {}

    def of_minires(context):
        return within(context, ours.training(ours.build(net), to_device(x), to_device(labels)))

    if not mode.missing():
        ways["minires"] = partial(of_minires, mode.context)
    if mode is MODES[0]:
        ways["minires, im2col alone"] = partial(of_minires, partial(ops.without, *ours.NOT_COLUMNS))
    if call.peers:
        state = ours.build(net).state_dict()
        also = call.compiles(n) if compiled is None else compiled
        for layout in mode.layouts:
            ways[layout] = partial(
                call.peers.training, net, state, x, labels, layout, bf16=mode.bf16
            )
        if also:
            ways[f"{CHANNELS_LAST}, compiled"] = partial(ways[CHANNELS_LAST], compiled=True)
    return ways


def evaluation(call, mode, n):
    """Return name -> a function that makes a function that returns logits."""
    (x, _), net, model = batch(n), NETS[call.plan.net], ours.build(NETS[call.plan.net])
    ways = {}
    if not mode.missing():
        ways["minires"] = lambda: within(mode.context, ours.inference(model, to_device(x)))
    for layout in mode.layouts if call.peers else ():
        ways[layout] = partial(
            call.peers.inference, net, model.state_dict(), x, layout, bf16=mode.bf16
        )
    return ways


def measured(call, mode, makers, n, *, agree=False):
    """Return the figures of timing.rates for n images, "missing" (why minires has none), and "failed" (way -> why).

    agree  in float32 all must return nearly the same
    """
    missing, failed = mode.missing(), {}
    if missing:
        print(f"  {missing}")
    with call.precision(mode.tf32):
        ways = {name: call.tried(name, make, failed) for name, make in makers.items()}
        ways = {name: way for name, way in ways.items() if way}
        if agree and mode is MODES[0]:
            _check(ways)
        seconds = timing.alternated(
            ways, call.plan.rounds, turn=call.plan.turn, synchronise=call.device.synchronise
        )
    del ways
    call.release()
    return {"missing": missing, "failed": failed, **timing.rates(seconds, n)}


def within(context, step):
    """Return the step in a context that is created again each time."""

    def run():
        with context():
            return step()

    return run


def _say(found):
    if found["rate"]:
        timing.report(f"{found['net']}, batch {found['batch']}, {found['mode']}", found, "images/s")


def _check(ways):
    logits = [(name, way()) for name, way in ways.items()]
    for name, found in logits[1:]:
        (first, expected), *_ = logits
        difference = numpy.abs(found - expected).max()
        if not difference < 1e-2:
            raise ValueError(
                f"the logits of {first} and {name} differ by {difference}: so they do not do the same work"
            )
