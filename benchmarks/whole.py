"""Whole networks: training steps, inference, threads, growth, the loop around the step, and the ladder of optimisations."""

import time
from contextlib import ExitStack
from functools import partial

import numpy

from benchmarks import loop as around
from benchmarks import ours, timing
from benchmarks.problems import NETS, batch
from minires import backend, models, ops


def steps(plan, peers):
    """training steps: forward, cross entropy with label smoothing, backward, SGD with Nesterov momentum and weight decay"""
    return {name: _measured(name, n, plan.rounds, plan.turn, peers) for name, n in plan.training}


def inference(plan, peers):
    """inference, batch norm folded into the convolutions"""
    x, _ = batch(plan.n)
    model = ours.build(NETS[plan.net])
    ways = {"minires": ours.inference(model, x)}
    for layout in peers.LAYOUTS if peers else ():
        twin = peers.build(NETS[plan.net], layout, model.state_dict())
        ways[layout] = peers.inference(twin, peers.images(x, layout), layout)
        difference = numpy.abs(ways[layout]() - ways["minires"]()).max()
        if not difference < 1e-2:
            raise ValueError(
                f"the logits of minires and {layout} differ by {difference}: so they do not do the same work"
            )
    figures = timing.rates(timing.alternated(ways, plan.rounds, turn=plan.turn), plan.n)
    timing.report(f"{plan.net}, batch {plan.n}", figures, "images/s")
    return {plan.net: {"batch": plan.n, **figures}}


def threads(plan, peers):
    """a training step on all threads and on one"""
    figures, many = {"threads": backend.threads()}, training(plan.net, plan.n, peers)
    for name, step in many.items():
        one_thread = ours.one_thread if name == "minires" else peers.one_thread
        seconds = timing.alternated({"one": _within(step, one_thread), "all": step}, plan.few)
        figures[name] = timing.spread(
            [one / both for one, both in zip(seconds["one"], seconds["all"])]
        )
        print(
            f"    {name:30} {timing.shown(figures[name])} times the rate of one thread, on {figures['threads']}"
        )
    return figures


def growth(plan, peers):
    """training steps with larger batches, deeper and wider networks"""
    kinds = {"batch": [(plan.small, n) for n in plan.batches], "depth": [(net, plan.n) for net in plan.depths],
             "width": [(net, plan.n) for net in plan.widths]}  # fmt: skip
    return {kind: [{"net": net, **_measured(net, n, plan.few, plan.turn, peers)} for net, n in points]
            for kind, points in kinds.items()}  # fmt: skip


def loop(plan, peers):
    """the cost that `minires train` adds to the bare step (benchmarks.loop)"""
    return around.speed(
        plan.small if plan.small in models.MODELS else "resnet20", plan.few, plan.loop, plan.n
    )


def ladder(plan, peers):
    """training steps, with one more optimisation each"""
    # Batch norm, add and ReLU as ops of their own.
    separate = partial(ops.without, "blocks", "norm_alone")
    columns = partial(ops.without, *ours.NOT_COLUMNS)
    rungs = {
        "plain forms: im2col of the whole batch, BLAS on all threads": (ops.plain,),
        "in chunks that fit the cache, 1 thread": (ours.one_thread, columns, separate),
        f"chunks in parallel, {backend.threads()} threads": (columns, separate),
        "3x3 by Winograd, 1x1 without columns": (separate,),
        "minires": (),
    }
    ways = training(plan.net, plan.n, peers)
    step = ways.pop("minires")
    seconds = timing.alternated(
        {**{rung: _within(step, *contexts) for rung, contexts in rungs.items()}, **ways}, plan.few
    )
    figures = timing.rates(seconds, plan.n)
    # Backward has two products for one.
    flop = 3 * 2 * models.summary(ours.build(NETS[plan.net]), (32, 32, 3)).multiply_adds
    rate, loops = loop_rate(), "loops in Python (a tiny convolution's FLOP/s)"
    figures["rate"] = {loops: timing.spread([rate / flop]), **figures["rate"]}
    timing.report(f"{plan.net}, batch {plan.n}", figures, "images/s")
    return {
        "net": plan.net,
        "batch": plan.n,
        "loops": {"flop_per_s": rate, "flop_per_image": flop},
        **figures,
    }


def loop_rate():
    """Return the FLOP/s of a convolution as loops over Python's numbers: 3x3, 8 channels in and out, on one 8x8 image."""
    size, c, f = 8, 8, 8
    rng = numpy.random.default_rng(0)
    x, weight = (
        rng.standard_normal(shape).tolist() for shape in ((size + 2, size + 2, c), (3, 3, c, f))
    )
    begun = time.perf_counter()
    y = [[[0.0] * f for _ in range(size)] for _ in range(size)]
    for i in range(size):
        for j in range(size):
            for k in range(f):
                for u in range(3):
                    for v in range(3):
                        for m in range(c):
                            y[i][j][k] += x[i + u][j + v][m] * weight[u][v][m][k]
    return 2 * size**2 * 9 * c * f / (time.perf_counter() - begun)


def training(name, n, peers):
    """Return name -> a function that does a training step: minires's, and PyTorch's in both layouts if it is installed."""
    x, labels = batch(n)
    model = ours.build(NETS[name])
    ways = {"minires": ours.training(model, x, labels)}
    for layout in peers.LAYOUTS if peers else ():
        ways[layout] = peers.training(
            peers.build(NETS[name], layout, model.state_dict()), peers.images(x, layout), labels
        )
    return ways


def _measured(name, n, rounds, turn, peers):
    figures = timing.rates(timing.alternated(training(name, n, peers), rounds, turn=turn), n)
    timing.report(f"{name}, batch {n}", figures, "images/s")
    return {"batch": n, **figures}


def _within(step, *contexts):
    """Return the step in contexts that are created again each time."""

    def run():
        with ExitStack() as stack:
            for context in contexts:
                stack.enter_context(context())
            step()

    return run
