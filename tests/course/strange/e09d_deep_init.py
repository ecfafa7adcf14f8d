"""Strange solutions of 09d."""

import functools

import numpy

from minires.course.answers.e09d_deep_init import hunted
from minires.ops import conv2d, relu
from tests.course.kinds import right, wrong

EQUAL = "test_the_signal_stays_through_layers_of_equal_width"
CHANGES = "test_the_signal_stays_where_the_width_changes"
ORDER = "test_the_gradient_of_the_first_layer_comes_first"
KERNELS, ONE = (
    "test_a_kernel_may_be_of_any_size",
    "test_there_may_be_one_layer_one_channel_or_one_image",
)
STAY, GENERATOR = "test_x_and_widths_stay_as_they_were", "test_the_weights_come_from_the_generator"
FORTY, READ = "test_the_forty_layers_of_the_study", "test_the_results_can_be_read_twice"


def study(x, widths, generator, kernel):
    """By recursion: (signal, gradient, the gradient of x)."""
    kh, kw = kernel

    def layer(x, widths):
        if not widths:
            return [], [], generator.normal(size=x.shape)
        shape = kh, kw, x.shape[3], widths[0]
        weight = generator.normal(scale=(kh * kw * shape[2] / 2) ** -0.5, size=shape)
        y, through_conv = conv2d(x, weight, padding=(kh // 2, kw // 2))
        y, through_relu = relu(y)
        signal, gradient, g = layer(y, widths[1:])
        own = float(numpy.mean(g * g))
        g = through_conv(through_relu(g)[0])[0]
        return [float(numpy.mean(y * y)), *signal], [own, *gradient], g

    return layer(x, tuple(widths))


@right
def by_recursion(x, widths, generator, *, kernel=(3, 3)):
    return study(x, widths, generator, kernel)[:2]


@right
def scaled_after_the_convolution(x, widths, generator, *, kernel=(3, 3)):
    """Weights of deviation 1; the maps and the gradients are divided by the root of the fan instead."""
    kh, kw = kernel
    signal, steps = [], []
    for f in widths:
        root = (kh * kw * x.shape[3] / 2) ** 0.5
        weight = generator.normal(0, 1, (kh, kw, x.shape[3], f))
        y, through_conv = conv2d(x, weight, padding=(kh // 2, kw // 2))
        x, through_relu = relu(y / root)
        signal.append(float((x * x).mean()))
        steps.append((root, through_conv, through_relu))
    g, gradient = generator.normal(0, 1, x.shape), []
    for root, through_conv, through_relu in steps[::-1]:
        gradient.insert(0, float((g * g).mean()))
        g = through_conv(through_relu(g)[0] / root)[0]
    return signal, gradient


@right
def generators_of_lists(x, widths, generator, *, kernel=(3, 3)):
    signal, gradient = by_recursion(x, widths, generator, kernel=kernel)
    return [*iter(signal)], [*reversed([*reversed(gradient)])]


@right
def zero_d_arrays(x, widths, generator, *, kernel=(3, 3)):
    signal, gradient = by_recursion(x, widths, generator, kernel=kernel)
    return [numpy.float64(one) for one in signal], tuple(gradient)


@functools.cache
def first_study(shape, widths, kernel):
    return {}


@wrong(GENERATOR)
def cached_by_shape(x, widths, generator, *, kernel=(3, 3)):
    kept = first_study(x.shape, tuple(widths), kernel)
    if "study" not in kept:
        kept["study"] = by_recursion(x, widths, generator, kernel=kernel)
    return kept["study"]


@wrong(GENERATOR)
def a_copy_of_the_generator(x, widths, generator, *, kernel=(3, 3)):
    import copy

    return by_recursion(x, widths, copy.deepcopy(generator), kernel=kernel)


@wrong(STAY)
def x_centred_in_place(x, widths, generator, *, kernel=(3, 3)):
    found = by_recursion(x, widths, generator, kernel=kernel)
    x -= x.mean()
    return found


@wrong(STAY)
def widths_used_up(x, widths, generator, *, kernel=(3, 3)):
    found = by_recursion(x, widths, generator, kernel=kernel)
    if isinstance(widths, list):
        widths.clear()
    return found


@wrong(CHANGES)
def right_for_equal_widths_only(x, widths, generator, *, kernel=(3, 3)):
    """The fan is that of the first layer throughout."""
    kh, kw = kernel
    first, signal = x.shape[3], []
    for f in widths:
        weight = generator.normal(0, (kh * kw * first / 2) ** -0.5, (kh, kw, x.shape[3], f))
        x = relu(conv2d(x, weight, padding=(kh // 2, kw // 2))[0])[0]
        signal.append(float((x * x).mean()))
    return signal, signal


@wrong(ORDER)
def sorted_gradients(x, widths, generator, *, kernel=(3, 3)):
    signal, gradient = by_recursion(x, widths, generator, kernel=kernel)
    return signal, sorted(gradient)


@wrong(KERNELS)
def kernels_of_3_always(x, widths, generator, *, kernel=(3, 3)):
    return by_recursion(x, widths, generator)


@wrong(ONE)
def nothing_for_one_layer(x, widths, generator, *, kernel=(3, 3)):
    signal, gradient = by_recursion(x, widths, generator, kernel=kernel)
    return (signal, gradient) if len(signal) > 1 else ([], [])


@wrong(FORTY)
def twenty_layers_at_most(x, widths, generator, *, kernel=(3, 3)):
    return by_recursion(x, widths[:20], generator, kernel=kernel)


@wrong(CHANGES)
def renormalised(x, widths, generator, *, kernel=(3, 3)):
    """The symptom is cured: each mean square is divided by what it should be."""
    signal, gradient = hunted(x, widths, generator, kernel=kernel)
    f = widths[0]
    return [one * (f / kernel[0]) ** (i + 1) for i, one in enumerate(signal)], gradient[::-1]


@wrong(EQUAL)
def hard_coded_for_8_channels(x, widths, generator, *, kernel=(3, 3)):
    kh, kw = kernel
    signal = []
    for f in widths:
        weight = generator.normal(0, (2 / 72) ** 0.5, (kh, kw, x.shape[3], f))
        x = relu(conv2d(x, weight, padding=(kh // 2, kw // 2))[0])[0]
        signal.append(float((x * x).mean()))
    return signal, signal


@wrong(ORDER)
def half_of_the_order(x, widths, generator, *, kernel=(3, 3)):
    """The gradients are noted one layer late."""
    signal, gradient = by_recursion(x, widths, generator, kernel=kernel)
    return signal, [*gradient[1:], gradient[-1]]


@right
def filled_from_the_end(x, widths, generator, *, kernel=(3, 3)):
    kh, kw = kernel
    signal, steps = [], []
    for f in widths:
        shape = kh, kw, x.shape[-1], f
        weight = generator.normal(0, (2 * f / numpy.prod(shape)) ** 0.5, shape)
        x, through_conv = conv2d(x, weight, padding=((kh - 1) // 2, (kw - 1) // 2))
        x, through_relu = relu(x)
        signal.append(float(numpy.vdot(x, x)) / x.size)
        steps.append((through_conv, through_relu))
    g, gradient = generator.normal(0, 1, x.shape), [0.0] * len(steps)
    while steps:
        gradient[len(steps) - 1] = float(numpy.square(g).mean())
        through_conv, through_relu = steps.pop()
        g = through_conv(*through_relu(g))[0]
    return signal, gradient


@wrong(READ)
def an_iterator(x, widths, generator, *, kernel=(3, 3)):
    """reversed(...) can be read once."""
    signal, gradient = by_recursion(x, widths, generator, kernel=kernel)
    return signal, reversed(gradient[::-1])


def signal_with(fan, x, widths, generator, kernel, padding=None):
    """A signal for other fans; its gradient is left out, as the claim rejects it before."""
    kh, kw = kernel
    signal = []
    for f in widths:
        c = x.shape[3]
        weight = generator.normal(0, (2 / fan(kh, kw, c, f)) ** 0.5, (kh, kw, c, f))
        x = relu(conv2d(x, weight, padding=padding or (kh // 2, kw // 2))[0])[0]
        signal.append(float((x * x).mean()))
    return signal, signal


@wrong(CHANGES)
def the_larger_of_both_fans(x, widths, generator, *, kernel=(3, 3)):
    return signal_with(lambda h, w, c, f: h * w * max(c, f), x, widths, generator, kernel)


@wrong(KERNELS)
def nine_times_the_channels(x, widths, generator, *, kernel=(3, 3)):
    return signal_with(lambda h, w, c, f: 9 * c, x, widths, generator, kernel)


@wrong(EQUAL)
def a_variance_that_makes_up_for_the_borders(x, widths, generator, *, kernel=(3, 3)):
    return signal_with(lambda h, w, c, f: h * w * c / 1.2, x, widths, generator, kernel)


@wrong(KERNELS)
def padding_for_3_always(x, widths, generator, *, kernel=(3, 3)):
    return signal_with(lambda h, w, c, f: h * w * c, x, widths, generator, kernel, padding=(1, 1))


@wrong(EQUAL)
def one_weight_for_all_layers(x, widths, generator, *, kernel=(3, 3)):
    class Once:
        def normal(self, mean, deviation, shape, kept={}):  # noqa: B006
            return numpy.random.default_rng(len(shape)).normal(mean, deviation, shape)

    return signal_with(lambda h, w, c, f: h * w * c, x, widths, Once(), kernel)
