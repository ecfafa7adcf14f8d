"""Exercise 04d, chapter 04, 20 minutes: a step of SGD. Check: pytest exercises/test_e04d_sgd.py"""

from minires.backend import xp


def sgd(w, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """g += weight_decay * w;  v = momentum * v + g;  w -= lr * v, or with Nesterov lr * (g + momentum * v). In place.

    w, g, v  arrays of one shape: weights, gradient and velocity; without momentum v is None, and w -= lr * g

    Source  Sutskever et al. 2013, in PyTorch's form: lr scales the step, not the velocity.

    The model holds w, and the next step needs v, so change both in place (w -= ..., v *= ...), even if lr, g or
    momentum is 0: any of the arrays may be a part of a larger one, or transposed. Other code needs g: leave it unchanged.
    Weight decay acts with and without momentum. In Nesterov's step, g includes the decay, and v is the new one; if v is
    None, it is a plain step.
    To derive: g stays the same for many steps. What does v tend to, and how much longer are the steps than
    lr * g? Chapter 04.
    """
    raise NotImplementedError("exercise 04d: write sgd")
