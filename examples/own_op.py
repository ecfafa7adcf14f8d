"""Write an op of your own, check its gradient, and use it in a graph.

python examples/own_op.py
"""

import numpy

from minires import Tensor
from minires.backend import to_device, xp
from minires.gradcheck import check_backward
from minires.tensor import apply


def swish(x):
    """x * sigmoid(x).

    Saves  the sigmoid and the result.
    Source  Ramachandran et al. 2017, "Searching for Activation Functions".
    """
    s = 1 / (1 + xp.exp(-x))
    y = x * s

    def backward(g):
        return (g * (s + y * (1 - s)),)

    return y, backward


def half_a_product_rule(x):
    """The same function, but backward treats the sigmoid as a constant."""
    s = 1 / (1 + xp.exp(-x))

    def backward(g):
        return (g * s,)

    return x * s, backward


x = numpy.random.default_rng(0).standard_normal((2, 3))
check_backward(swish, x)
print("swish passes the gradient check")
try:
    check_backward(half_a_product_rule, x)
except AssertionError as error:
    print(error)

t = Tensor(to_device(x), requires_grad=True)
loss = (apply(swish, t) ** 2).sum()
loss.backward()
print(f"loss {loss.item():.4f}, gradient with respect to x:\n{t.grad}")
