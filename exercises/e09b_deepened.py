"""Exercise 09b, chapter 09, 30 minutes: a deeper net that computes the same. Check: pytest exercises/test_e09b_deepened.py"""

from minires.backend import xp
from minires.nn import BatchNorm, Conv2d, ReLU, init
from minires.ops import channel_stats
from minires.tensor import no_grad


def deepened(layers, x, copies=1):
    """A deeper net that computes the same: a list with the layers, and new neutral ones after each ReLU.

    layers  a list of modules    x  a Tensor (N, H, W, C)    copies  neutral groups after each ReLU, 0 or more

    Run x through the layers, one after the other, under no_grad(). After each nn.ReLU of the list come `copies` times
    three new layers: Conv2d (3x3, padding 1, no bias), BatchNorm with its default eps and momentum, ReLU. The new layers are
    neutral: they return the map that they are given, in evaluation mode and, for this x, in training mode too. For that, the
    convolution gets the filters of 09a (init.dirac writes them into an array), and the running statistics of the batch norm
    become the mean and the biased variance of the map; its weight (gamma) and bias (beta) are yours to derive. A channel
    may be 0 everywhere for this x, and not for another. The layers that you are given are in evaluation mode, and so are the
    new ones. The result contains the given layers themselves, unchanged. Each new layer is an object of its own with arrays of
    its own, which training may write to later. Chapter 09.
    """
    raise NotImplementedError("exercise 09b: write deepened")
