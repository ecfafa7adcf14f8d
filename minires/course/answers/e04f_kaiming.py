"""Exercise 04f: He initialisation in its plain form, and what goes wrong with it."""

import numpy

from minires.backend import to_device
from minires.nn import init


def kaiming_normal(shape, generator):
    """The initial weights of a convolution: float32, normal, with mean 0.

    Their standard deviation preserves the size of the gradient from layer to layer of a ReLU network.

    shape  (KH, KW, C, F)    generator  a numpy.random.Generator, from which all numbers are drawn
    Source  He et al. 2015, equation 14.
    """
    kh, kw, _, f = shape
    deviation = (2 / (kh * kw * f)) ** 0.5
    return generator.normal(0, deviation, shape).astype("float32")


def in_engine(kaiming_normal):
    """Return init.kaiming_normal with this function for the fan-out."""

    def drawn(shape, *, mode="fan_out", rng=None):
        if mode != "fan_out":
            return init.kaiming_normal.plain(shape, mode=mode, rng=rng)
        return to_device(kaiming_normal(shape, init.generator(rng)))

    return drawn


def _drawn(shape, generator, variance):
    return generator.normal(0, variance**0.5, shape).astype("float32")


def fan_in(shape, generator):
    """the fan-in, KH * KW * C, is used: that preserves the size of the signal in the forward pass"""
    kh, kw, c, _ = shape
    return _drawn(shape, generator, 2 / (kh * kw * c))


def kernel_left_out(shape, generator):
    """the fan is F alone: each filter uses an element of x in KH * KW positions"""
    return _drawn(shape, generator, 2 / shape[-1])


def one_side_of_the_kernel(shape, generator):
    """one side of the kernel is used twice, KH * KH"""
    kh, _, _, f = shape
    return _drawn(shape, generator, 2 / (kh * kh * f))


def all_weights_counted(shape, generator):
    """the fan is the number of all weights: an element of x is used once per kernel position and filter"""
    return _drawn(shape, generator, 2 / numpy.prod(shape))


def both_fans(shape, generator):
    """the fan-in and the fan-out are added up, as in Glorot's initialisation for tanh"""
    kh, kw, c, f = shape
    return _drawn(shape, generator, 2 / (kh * kw * (c + f)))


def one_over_the_fan(shape, generator):
    """the variance is 1 / fan: ReLU sets half of the sum to 0, and 2 / fan makes up for it"""
    kh, kw, _, f = shape
    return _drawn(shape, generator, 1 / (kh * kw * f))


def root_left_out(shape, generator):
    """2 / fan is used as the standard deviation: it is the variance"""
    kh, kw, _, f = shape
    return _drawn(shape, generator, (2 / (kh * kw * f)) ** 2)


def uniform_within(shape, generator):
    """the weights are uniform between -sqrt(2 / fan) and sqrt(2 / fan), whose standard deviation is smaller by a factor of sqrt(3)"""
    kh, kw, _, f = shape
    bound = (2 / (kh * kw * f)) ** 0.5
    return generator.uniform(-bound, bound, shape).astype("float32")


def uniform_and_as_wide(shape, generator):
    """the standard deviation is right, but the distribution is uniform: it should be normal"""
    kh, kw, _, f = shape
    bound = (6 / (kh * kw * f)) ** 0.5
    return generator.uniform(-bound, bound, shape).astype("float32")


def cut_at_two(shape, generator):
    """the numbers are cut at two standard deviations (a truncated normal distribution), which makes their standard deviation 12 % smaller"""
    kh, kw, _, f = shape
    weight = generator.standard_normal(shape)
    while (far := abs(weight) > 2).any():
        weight[far] = generator.standard_normal(int(far.sum()))
    return (weight * (2 / (kh * kw * f)) ** 0.5).astype("float32")


def float64(shape, generator):
    """the weights are float64, as generator.normal draws them"""
    kh, kw, _, f = shape
    return generator.normal(0, (2 / (kh * kw * f)) ** 0.5, shape)


def a_generator_of_its_own(shape, generator):
    """the weights come from a new generator with a fixed seed: all layers of the same shape start equal"""
    return kaiming_normal(shape, numpy.random.default_rng(0))


def the_global_numbers(shape, generator):
    """the weights come from NumPy's global generator instead of the given one: its seed does not reproduce them"""
    kh, kw, _, f = shape
    return numpy.random.normal(0, (2 / (kh * kw * f)) ** 0.5, shape).astype("float32")
