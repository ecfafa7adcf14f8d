"""Solutions of 09d: studies that were fixed, and studies that were fixed in the wrong place."""

import math
from collections import deque

from minires.ops import conv2d, relu
from tests.course.kinds import right, wrong

EQUAL = "test_the_signal_stays_through_layers_of_equal_width"
CHANGES = "test_the_signal_stays_where_the_width_changes"
ORDER = "test_the_gradient_of_the_first_layer_comes_first"
KERNELS, GENERATOR = "test_a_kernel_may_be_of_any_size", "test_the_weights_come_from_the_generator"


def forward(x, widths, generator, kernel, deviation):
    """The maps and the backwards of each layer, whose weights have deviation(kh, kw, c, f)."""
    kh, kw = kernel
    maps, backwards = [], []
    for f in widths:
        shape = kh, kw, x.shape[-1], f
        weight = generator.normal(0, deviation(*shape), shape)
        y, conv_back = conv2d(x, weight, padding=((kh - 1) // 2, (kw - 1) // 2))
        x, relu_back = relu(y)
        maps.append(x)
        backwards.append((relu_back, conv_back))
    return maps, backwards


def he(kh, kw, c, f):
    return math.sqrt(2 / (kh * kw * c))


def mean_square(array):
    return float((array**2).mean())


def studied(x, widths, generator, kernel, deviation=he, put=deque.appendleft, noted=0):
    """Both lists. put  how a gradient joins those of later layers    noted  0: the map's gradient, 1: behind its ReLU"""
    maps, backwards = forward(x, widths, generator, kernel, deviation)
    g, gradients = generator.normal(0, 1, maps[-1].shape), deque()
    while backwards:
        relu_back, conv_back = backwards.pop()
        stages = g, relu_back(g)[0]
        put(gradients, mean_square(stages[noted]))
        g = conv_back(stages[1])[0]
    return [mean_square(one) for one in maps], list(gradients)


@right
def from_the_left(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel)


@right
def reversed_at_the_end(x, widths, generator, *, kernel=(3, 3)):
    signal, gradient = studied(x, widths, generator, kernel, put=deque.append)
    gradient.reverse()
    return signal, gradient


@right
def by_the_weight_of_one_filter(x, widths, generator, *, kernel=(3, 3)):
    return studied(
        x, widths, generator, kernel, lambda kh, kw, c, f: (kh * kw * c * f / f / 2) ** -0.5
    )


@right
def as_a_tuple_of_lists_by_index(x, widths, generator, *, kernel=(3, 3)):
    maps, backwards = forward(x, widths, generator, kernel, he)
    gradient = [0.0] * len(maps)
    g = generator.normal(0, 1, maps[-1].shape)
    for i in range(len(maps) - 1, -1, -1):
        gradient[i] = mean_square(g)
        relu_back, conv_back = backwards[i]
        g, *_ = conv_back(*relu_back(g))
    return [mean_square(one) for one in maps], gradient


@wrong(ORDER, mistake="only_the_fan_fixed")
def last_layer_first(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, put=deque.append)


@wrong(EQUAL, mistake="only_the_order_fixed")
def without_the_first_axis(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, lambda *shape: (2 / math.prod(shape[1:])) ** 0.5)


@wrong(CHANGES, mistake="fan_out")
def by_the_filters(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, lambda kh, kw, c, f: (kh * kw * f / 2) ** -0.5)


@wrong(EQUAL, mistake="channels_only")
def without_the_kernel(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, lambda kh, kw, c, f: math.sqrt(2 / c))


@wrong(EQUAL, mistake="kernel_only")
def without_the_channels(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, lambda *shape: math.sqrt(2 / math.prod(shape[:2])))


@wrong(KERNELS, mistake="one_side_twice")
def square_kernels(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, lambda kh, kw, c, f: he(kh, kh, c, f))


@wrong(EQUAL, mistake="all_weights")
def the_whole_product(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, lambda *shape: math.sqrt(2 / math.prod(shape)))


@wrong(EQUAL, mistake="for_linear_layers")
def without_the_2(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, lambda *shape: he(*shape) / math.sqrt(2))


@wrong(ORDER, mistake="after_the_mask")
def behind_the_relu(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, noted=1)


@wrong(EQUAL)
def variance_as_deviation(x, widths, generator, *, kernel=(3, 3)):
    return studied(x, widths, generator, kernel, lambda *shape: he(*shape) ** 2)


@wrong(CHANGES)
def both_fans(x, widths, generator, *, kernel=(3, 3)):
    return studied(
        x, widths, generator, kernel, lambda kh, kw, c, f: (kh * kw * (c + f) / 4) ** -0.5
    )


@wrong(EQUAL)
def signal_reversed_instead(x, widths, generator, *, kernel=(3, 3)):
    signal, gradient = studied(x, widths, generator, kernel, put=deque.append)
    return signal[::-1], gradient


@wrong(ORDER)
def gradients_of_a_wrong_sign_of_depth(x, widths, generator, *, kernel=(3, 3)):
    """The backwards run from the first layer on, on a gradient that is broadcast where it doesn't fit."""
    signal, gradient = studied(x, widths, generator, kernel)
    return signal, gradient[:1] + gradient[:0:-1]


@wrong(EQUAL)
def rescaled_to_1(x, widths, generator, *, kernel=(3, 3)):
    """The signal is divided by its first value."""
    signal, gradient = studied(x, widths, generator, kernel)
    return [one / signal[0] for one in signal], gradient


@wrong(GENERATOR)
def its_own_weights(x, widths, generator, *, kernel=(3, 3)):
    import numpy

    return studied(x, widths, numpy.random.default_rng(0), kernel)
