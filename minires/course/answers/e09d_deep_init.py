"""Exercise 09d: a study of forty layers with two faults, and what else goes wrong with it."""

from itertools import pairwise
from math import prod

from minires.ops import conv2d, relu


def signal_and_gradient(x, widths, generator, *, kernel=(3, 3)):
    """Mean squares by layer in a plain net with He's weights (fan-in): of each map, and of the gradient that reaches it.

    x  (N, H, W, C)    widths  channels of each layer's map    kernel  (KH, KW), odd, with a padding that keeps the size
    result  (signal, gradient), lists of floats, the first layer first: the mean square of what each layer's ReLU
        returns, and of the gradient of it, for a gradient of the last map that is normal with variance 1

    Source  He et al. 2015, "Delving Deep into Rectifiers", equation 10.
    """
    kh, kw = kernel
    signal, backwards = [], []
    for c, f in pairwise((x.shape[-1], *widths)):
        shape = (kh, kw, c, f)
        fan_in = prod(shape[:3])
        weight = generator.normal(0, (2 / fan_in) ** 0.5, shape)
        x, through_conv = conv2d(x, weight, padding=(kh // 2, kw // 2))
        x, through_relu = relu(x)
        signal.append(float((x * x).mean()))
        backwards.append((through_conv, through_relu))
    g = generator.normal(0, 1, x.shape)
    gradient = []
    for through_conv, through_relu in reversed(backwards):
        gradient.append(float((g * g).mean()))
        (g,) = through_relu(g)
        g = through_conv(g)[0]
    return signal, gradient[::-1]


def hunted(x, widths, generator, *, kernel=(3, 3)):
    """both faults are still there: the fan is not the number of products that one output adds up, and the gradients come from the last layer to the first"""
    kh, kw = kernel
    signal, backwards = [], []
    for c, f in pairwise((x.shape[-1], *widths)):
        shape = (kh, kw, c, f)
        fan_in = prod(shape[1:])
        weight = generator.normal(0, (2 / fan_in) ** 0.5, shape)
        x, through_conv = conv2d(x, weight, padding=(kh // 2, kw // 2))
        x, through_relu = relu(x)
        signal.append(float((x * x).mean()))
        backwards.append((through_conv, through_relu))
    g = generator.normal(0, 1, x.shape)
    gradient = []
    for through_conv, through_relu in reversed(backwards):
        gradient.append(float((g * g).mean()))
        (g,) = through_relu(g)
        g = through_conv(g)[0]
    return signal, gradient


def _study(x, widths, generator, kernel, *, fan=None, variance=2, root=True, order=-1, before=True, masked=True):  # fmt: skip
    """Return the same; with fan(kh, kw, c, f), the numerator, the root, the order of the gradients, and when one is noted as options."""
    kh, kw = kernel
    signal, backwards = [], []
    for c, f in pairwise((x.shape[-1], *widths)):
        fan_in = fan(kh, kw, c, f) if fan else kh * kw * c
        weight = generator.normal(0, (variance / fan_in) ** (0.5 if root else 1), (kh, kw, c, f))
        x, through_conv = conv2d(x, weight, padding=(kh // 2, kw // 2))
        x, through_relu = relu(x)
        signal.append(float((x * x).mean()))
        backwards.append((through_conv, through_relu))
    g = generator.normal(0, 1, x.shape)
    gradient = []
    for through_conv, through_relu in backwards[::-1]:
        noted = g
        (g,) = through_relu(g) if masked else (g,)
        noted = noted if before else g
        gradient.append(float((noted * noted).mean()))
        g = through_conv(g)[0]
    return signal, gradient[::order]


def only_the_fan_fixed(x, widths, generator, *, kernel=(3, 3)):
    """the fan is right now, and the gradients still come from the last layer to the first"""
    return _study(x, widths, generator, kernel, order=1)


def only_the_order_fixed(x, widths, generator, *, kernel=(3, 3)):
    """the gradients are in the right order now, and the fan is still the product of KW, C and F"""
    return _study(x, widths, generator, kernel, fan=lambda kh, kw, c, f: kw * c * f)


def fan_out(x, widths, generator, *, kernel=(3, 3)):
    """the fan is KH * KW * F, the fan-out: the study is about the fan-in, what one output adds up"""
    return _study(x, widths, generator, kernel, fan=lambda kh, kw, c, f: kh * kw * f)


def channels_only(x, widths, generator, *, kernel=(3, 3)):
    """the fan is C: an output adds up C products at each position of the kernel"""
    return _study(x, widths, generator, kernel, fan=lambda kh, kw, c, f: c)


def kernel_only(x, widths, generator, *, kernel=(3, 3)):
    """the fan is KH * KW: an output adds up that many products per channel"""
    return _study(x, widths, generator, kernel, fan=lambda kh, kw, c, f: kh * kw)


def one_side_twice(x, widths, generator, *, kernel=(3, 3)):
    """the fan is KH * KH * C: the sides of the kernel may differ"""
    return _study(x, widths, generator, kernel, fan=lambda kh, kw, c, f: kh * kh * c)


def all_weights(x, widths, generator, *, kernel=(3, 3)):
    """the fan is the number of all weights: an output adds up those of its own filter"""
    return _study(x, widths, generator, kernel, fan=lambda kh, kw, c, f: kh * kw * c * f)


def for_linear_layers(x, widths, generator, *, kernel=(3, 3)):
    """the variance is 1 / fan, which was right before: ReLU sets half of the sum to 0, and 2 / fan makes up for it"""
    return _study(x, widths, generator, kernel, variance=1)


def after_the_mask(x, widths, generator, *, kernel=(3, 3)):
    """the gradient is noted behind the ReLU, which was right before: the docstring asks for that of what the ReLU returns"""
    return _study(x, widths, generator, kernel, before=False)
