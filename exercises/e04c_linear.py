"""Exercise 04c, chapter 04, 20 minutes: the linear layer, three gradients. Check: pytest exercises/test_e04c_linear.py"""

from minires.backend import xp


def linear(x, weight, bias=None):
    """x @ weight + bias.

    x  (..., I)    weight  (I, O)    bias  (O,)    result  (..., O)

    Saves  x and weight.

    x may have any number of axes in front of its features: none, the batch, or more. @ is allowed.
    To derive: y[n, o] = the sum over i of x[n, i] * weight[i, o], plus bias[o]. In which y does x[n, i] occur, and times what?
    In which does weight[i, o]? And bias[o]? The shapes tell where a transpose goes.
    backward(g) gives (g_x, g_weight, g_bias); without a bias two gradients, or None for the third. Chapter 04.
    """
    raise NotImplementedError("exercise 04c: write linear")
