"""Each convolution of ResNet-18 by itself: its rate with each algorithm, compared with the machine's limit, and its accuracy."""

import numpy

from benchmarks import ours, timing

# How many products of im2col each has; backward gives g_x and g_weight.
PASSES = {"forward": 1, "forward and backward": 3}


def convolutions(plan, peers, limits):
    """each convolution of ResNet-18, in GFLOP/s of the direct convolution"""
    return [_measured(shape, plan, peers, limits["product"]["max"]) for shape in plan.shapes]


def _measured(shape, plan, peers, limit):
    ways = {
        way: ours.convolution(shape, way)
        for way in ours.CONVOLUTIONS
        if way != "winograd" or shape.winograd
    }
    for layout in peers.LAYOUTS if peers else ():
        ways[layout] = peers.convolution(shape, layout)
    figures = {
        "shape": str(shape),
        **shape._asdict(),
        "flop": shape.flop,
        "nbytes": shape.nbytes,
        "limit": limit,
    }
    for i, (name, products) in enumerate(PASSES.items()):
        seconds = timing.alternated(
            {way: pair[i] for way, pair in ways.items()}, plan.rounds, turn=plan.turn
        )
        figures[name] = timing.rates(seconds, 1e-9 * products * shape.flop)
        milliseconds = 1e-6 * products * shape.flop / limit
        timing.report(
            f"{shape}, {name}; its products alone: {limit:.0f} GFLOP/s, {milliseconds:.2f} ms",
            figures[name],
            "GFLOP/s",
        )
    return figures


def accuracy(plan, peers):
    """relative L2 error of float32 against im2col in float64"""
    figures = []
    for shape in plan.shapes:
        if shape.winograd:
            exact = _results(shape, "im2col", numpy.float64)
            errors = {way: dict(zip(("y", "g_x", "g_weight"), map(_error, _results(shape, way, numpy.float32), exact)))
                      for way in ("im2col", "winograd")}  # fmt: skip
            figures.append({"shape": str(shape), **errors})
            told = (
                f"{way} " + " ".join(f"{name} {value:.1e}" for name, value in error.items())
                for way, error in errors.items()
            )
            print(f"  {shape!s:22} {';  '.join(told)}", flush=True)
    return figures


def _results(shape, way, dtype):
    x, weight, g = (array.astype(dtype) for array in shape.arrays())
    y, backward = ours.CONVOLUTIONS[way](x, weight, stride=shape.stride, padding=shape.padding)
    return y, *backward(g)[:2]


def _error(result, exact):
    return float(numpy.linalg.norm(result - exact) / numpy.linalg.norm(exact))
