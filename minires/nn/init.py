"""Where weights start, and the one generator of random numbers that weights and dropout masks are drawn from.

All is drawn on the host: every backend starts from the same numbers.
"""

from contextlib import contextmanager

import numpy

from minires import names
from minires.backend import to_device

_generator = numpy.random.default_rng(0)


def manual_seed(seed):
    """Start the generator anew. Without it, it starts from seed 0."""
    global _generator
    _generator = numpy.random.default_rng(seed)


def generator():
    """The numpy.random.Generator in use."""
    return _generator


@contextmanager
def kept_generator():
    """A context after which the generator stands where it stood before."""
    state = _generator.bit_generator.state
    try:
        yield
    finally:
        _generator.bit_generator.state = state


def fans(shape):
    """(fan-in, fan-out) of a weight (I, O) or (KH, KW, C, F): how many inputs an output sees, and the other way round.

    >>> fans((3, 3, 16, 64))
    (144, 576)
    """
    *window, i, o = shape
    places = 1
    for size in window:
        places *= size
    return places * i, places * o


def kaiming_normal(shape, *, mode="fan_out"):
    """Normal, deviation sqrt(2 / fan): a ReLU net keeps its signal (fan_in) or its gradient (fan_out) from layer to layer.

    Source  He et al. 2015, "Delving Deep into Rectifiers", equations 10 and 14.
    """
    names.check("mode", mode, ("fan_in", "fan_out"))
    fan_in, fan_out = fans(shape)
    deviation = (2 / (fan_in if mode == "fan_in" else fan_out)) ** 0.5
    return to_device(_generator.normal(0, deviation, shape).astype(numpy.float32))


def uniform(shape, bound):
    """Uniform between -bound and bound."""
    return to_device(_generator.uniform(-bound, bound, shape).astype(numpy.float32))


def zeros(shape):
    """Zeros."""
    return to_device(numpy.zeros(shape, numpy.float32))


def ones(shape):
    """Ones."""
    return to_device(numpy.ones(shape, numpy.float32))


def keep_mask(shape, p):
    """Bools, true with probability 1 - p."""
    return to_device(_generator.random(shape) >= p)
