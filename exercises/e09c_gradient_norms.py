"""Exercise 09c, chapter 09, 25 minutes: the gradient of every map. Check: pytest exercises/test_e09c_gradient_norms.py"""

import numpy
from minires.backend import to_host, xp
from minires.tensor import Tensor


def gradient_norms(layers, x, loss):
    """The norm of the gradient of the loss with respect to the map of each layer: a list of floats.

    layers  modules that run one after the other; a layer's map is what it returns    x  a Tensor, the input of the first
    loss  takes the map of the last layer and returns a Tensor of one element

    The list has one Python float per layer, in the order of the layers: the root of the sum of the squares of the
    gradient. A map that the loss doesn't depend on has a gradient of 0. Some gradients are as small as 1e-30, whose
    square is 0 in float32: add up in float64. Run each layer once, in the mode that it is in; a layer may occur twice in the
    list. Whatever the parameters of the layers have as their grad (an array, or None) may be in use: afterwards it is there
    itself, unchanged, and the same parameters require a gradient. loss has no parameters of its own. You needn't restore
    running statistics.
    To derive: after backward(), only leaves have a gradient, and a map isn't one. You add a tensor of zeros, which is a
    leaf, to a map. What changes in the loss? And what is the gradient of the zeros? Chapter 09.
    """
    raise NotImplementedError("exercise 09c: write gradient_norms")
