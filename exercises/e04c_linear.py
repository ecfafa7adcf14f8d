"""Exercise 04c, chapter 04, 20 minutes: the linear layer, three gradients. Check: pytest exercises/test_e04c_linear.py"""

from minires.backend import xp


def linear(x, weight, bias=None):
    """x @ weight + bias.

    x  (..., I)    weight  (I, O)    bias  (O,)    result  (..., O)

    x may have any number of axes before its features: none, the batch (which may be empty), or more. You may use @.
    To derive: y[n, o] = the sum over i of x[n, i] * weight[i, o], plus bias[o]. In which elements of y does x[n, i]
    occur, and with which factor? In which do weight[i, o] and bias[o] occur? The shapes tell you where a transpose
    goes. backward(g) returns (g_x, g_weight, g_bias) in the shapes and dtypes of x, weight and bias; without a bias, two
    gradients, or None for the third. Chapter 04.
    """
    raise NotImplementedError("exercise 04c: write linear")
