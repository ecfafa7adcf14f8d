"""Exercise 09d, chapter 09, 20 minutes: a bug hunt: forty layers that die. Check: pytest exercises/test_e09d_deep_init.py"""

from itertools import pairwise
from math import prod

from minires.ops import conv2d, relu


def signal_and_gradient(x, widths, generator, *, kernel=(3, 3)):
    """Mean squares by layer in a plain net with He's weights (fan-in): of each map, and of the gradient that reaches it.

    x  (N, H, W, C)    widths  channels of each layer's map    kernel  (KH, KW), odd, with a padding that keeps the size
    result  (signal, gradient), lists of floats, the first layer first: the mean square of what each layer's ReLU
        returns, and of the gradient of it, for a gradient of the last map that is normal with variance 1

    Source  He et al. 2015, "Delving Deep into Rectifiers", equation 10.

    A study of whether He's weights carry signal and gradient through forty layers. Its curves say that they don't:
    with 8 channels in each layer the signal falls to 1e-19, and the gradient vanishes towards the wrong end: it is
    largest at the layer that is farthest from the loss. The study has two faults. Find both. (A right study still loses
    some signal here, a factor of a few hundred: 8 channels are few, and zeros come in at the borders. Each weight comes
    from one call of generator.normal: leave it so.) Chapter 09.
    """
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
