"""Weight initialisation, and the default random generator, from which weights and dropout masks are drawn.

All numbers are drawn on the host, so every backend starts from the same ones. `rng=` sets a different generator.
"""

import copy
from collections.abc import Sequence

import numpy
from numpy.random import Generator

from minires import names
from minires.backend import Array, HostArray, to_device, using
from minires.ops.forms import has_forms, standing_in

# The default generator: one per process, as it decides a run's weights. NumPy's own lock guards each draw; threads that
# draw at the same time should pass their own generators.
_generator = numpy.random.default_rng(0)


def manual_seed(seed: int) -> None:
    """Seed the default generator. Without it, it starts from seed 0."""
    generator().bit_generator.state = numpy.random.default_rng(seed).bit_generator.state


@has_forms
def generator(rng: Generator | None = None) -> Generator:
    """Return `rng`, or the default numpy.random.Generator if it is None."""
    return _generator if rng is None else rng


def kept_generator() -> using:
    """Context manager: draw from a copy of the default generator, which stays unchanged, also for other threads."""
    spare = copy.deepcopy(generator())
    return standing_in(generator=lambda rng=None: spare if rng is None else rng)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return (fan-in, fan-out) of a weight (I, O) or (KH, KW, C, F): inputs per output, and outputs per input.

    >>> fans((3, 3, 16, 64))
    (144, 576)
    """
    *window, i, o = shape
    places = 1
    for size in window:
        places *= size
    return places * i, places * o


@has_forms
def kaiming_normal(
    shape: Sequence[int], *, mode: str = "fan_out", rng: Generator | None = None
) -> Array:
    """Normal, standard deviation sqrt(2 / fan): keeps a ReLU net's signal (fan_in) or gradient (fan_out) from layer to layer.

    Source  He et al. 2015, "Delving Deep into Rectifiers", equations 10 and 14.
    """
    names.check("mode", mode, ("fan_in", "fan_out"))
    fan_in, fan_out = fans(shape)
    deviation = (2 / (fan_in if mode == "fan_in" else fan_out)) ** 0.5
    return to_device(generator(rng).normal(0, deviation, shape).astype(numpy.float32))


@has_forms
def dirac(weight: Array) -> None:
    """Write to a weight (KH, KW, C, F): its first C filters become the identity on the channels; the others stay unchanged.

    Source  Zagoruyko and Komodakis 2017, "DiracNets"; for some of the filters, Jordan 2024.
    """
    kh, kw, c, f = weight.shape
    same = min(c, f)
    start = numpy.zeros((kh, kw, c, same), numpy.float32)
    start[kh // 2, kw // 2, range(same), range(same)] = 1
    weight[..., :same] = to_device(start)


def whitening(
    images: HostArray, kernel: tuple[int, int], filters: int, *, eps: float = 5e-4
) -> HostArray:
    """Return a weight (KH, KW, C, filters) whose outputs are uncorrelated over the patches of some images, with variance 1: the
    directions in which patches vary most, each with both signs, as a ReLU follows.

    images  (N, H, W, C), on the host    eps  is added to each variance, so that directions of little variance stay small

    Source  Page 2019, "How to Train Your ResNet 8: Bag of Tricks".
    Raises  ValueError: an odd number of filters, or more than twice the values of a patch.
    """
    kh, kw = kernel
    size = kh * kw * images.shape[3]
    if filters % 2 or filters > 2 * size:
        raise ValueError(
            f"whitening: expected an even number of filters up to {2 * size}, twice the values of a patch, got {filters}"
        )
    # (N, OH, OW, C, KH, KW)
    patches = numpy.lib.stride_tricks.sliding_window_view(images, kernel, axis=(1, 2))
    rows = patches.transpose(0, 1, 2, 4, 5, 3).reshape(-1, size).astype(numpy.float64)
    rows -= rows.mean(axis=0)
    squares = sum_of_products(rows)
    variances, directions = numpy.linalg.eigh(squares / len(rows))  # the largest last
    chosen = slice(None, -filters // 2 - 1, -1)
    white = (directions / numpy.sqrt(variances + eps))[:, chosen]
    return (
        numpy.concatenate([white, -white], axis=1)
        .reshape(kh, kw, -1, filters)
        .astype(numpy.float32)
    )


@has_forms
def sum_of_products(rows: Array) -> Array:
    """rows.T @ rows."""
    return rows.T @ rows


def uniform(shape: Sequence[int], bound: float, *, rng: Generator | None = None) -> Array:
    """Uniform between -bound and bound."""
    return to_device(generator(rng).uniform(-bound, bound, shape).astype(numpy.float32))


def zeros(shape: Sequence[int]) -> Array:
    """Zeros."""
    return to_device(numpy.zeros(shape, numpy.float32))


def ones(shape: Sequence[int]) -> Array:
    """Ones."""
    return to_device(numpy.ones(shape, numpy.float32))


def keep_mask(shape: Sequence[int], p: float, *, rng: Generator | None = None) -> Array:
    """Bools, true with probability 1 - p."""
    return to_device(generator(rng).random(shape) >= p)
