"""Exercise 04f: He initialisation in its plain form, and what goes wrong with it."""

import numpy

from minires.backend import to_device
from minires.nn import init


def kaiming_normal(shape, generator):
    """The weights of a convolution to begin with: normal, mean 0, deviation sqrt(2 / fan-out), float32.

    shape  (KH, KW, C, F)    generator  a numpy.random.Generator, from which all numbers are drawn
    A ReLU net keeps the size of its gradient so, from layer to layer.
    Source  He et al. 2015, equation 14.
    """
    kh, kw, _, f = shape
    deviation = (2 / (kh * kw * f)) ** 0.5
    return generator.normal(0, deviation, shape).astype("float32")


def in_engine(kaiming_normal):
    """init.kaiming_normal, by this one where it is the fan-out."""

    def drawn(shape, *, mode="fan_out", rng=None):
        if mode != "fan_out":
            return init.kaiming_normal.plain(shape, mode=mode, rng=rng)
        return to_device(kaiming_normal(shape, init.generator(rng)))

    return drawn


def _drawn(shape, generator, variance):
    return generator.normal(0, variance**0.5, shape).astype("float32")


def fan_in(shape, generator):
    """the fan-in, KH * KW * C, is taken: that keeps the size of the signal on its way forward"""
    kh, kw, c, _ = shape
    return _drawn(shape, generator, 2 / (kh * kw * c))


def kernel_left_out(shape, generator):
    """the fan is F alone: each filter uses a number of x in KH * KW places"""
    return _drawn(shape, generator, 2 / shape[-1])


def one_side_of_the_kernel(shape, generator):
    """one side of the kernel is taken twice, KH * KH"""
    kh, _, _, f = shape
    return _drawn(shape, generator, 2 / (kh * kh * f))


def all_weights_counted(shape, generator):
    """the fan is the number of all weights: a number of x is used once for each place of the window and each filter"""
    return _drawn(shape, generator, 2 / numpy.prod(shape))


def both_fans(shape, generator):
    """the fan-in and the fan-out are added up, as in Glorot's initialisation for tanh"""
    kh, kw, c, f = shape
    return _drawn(shape, generator, 2 / (kh * kw * (c + f)))


def one_over_the_fan(shape, generator):
    """the variance is 1 / fan: ReLU makes half of what is summed 0, and 2 / fan makes up for it"""
    kh, kw, _, f = shape
    return _drawn(shape, generator, 1 / (kh * kw * f))


def root_left_out(shape, generator):
    """2 / fan is taken as the deviation: it is the variance"""
    kh, kw, _, f = shape
    return _drawn(shape, generator, (2 / (kh * kw * f)) ** 2)


def uniform_within(shape, generator):
    """the numbers are uniform between -sqrt(2 / fan) and sqrt(2 / fan), whose deviation is smaller by sqrt(3)"""
    kh, kw, _, f = shape
    bound = (2 / (kh * kw * f)) ** 0.5
    return generator.uniform(-bound, bound, shape).astype("float32")


def uniform_and_as_wide(shape, generator):
    """the deviation is right, and the numbers are uniform: a normal distribution is asked for"""
    kh, kw, _, f = shape
    bound = (6 / (kh * kw * f)) ** 0.5
    return generator.uniform(-bound, bound, shape).astype("float32")


def float64(shape, generator):
    """the weights are float64, as generator.normal draws them"""
    kh, kw, _, f = shape
    return generator.normal(0, (2 / (kh * kw * f)) ** 0.5, shape)


def a_generator_of_its_own(shape, generator):
    """the numbers come from another generator, made anew with a seed of its own: every layer of a shape begins the same"""
    return kaiming_normal(shape, numpy.random.default_rng(0))


def the_global_numbers(shape, generator):
    """the numbers come from NumPy's global ones, and not from the generator that is given: no seed brings them back"""
    kh, kw, _, f = shape
    return numpy.random.normal(0, (2 / (kh * kw * f)) ** 0.5, shape).astype("float32")
