"""Exercise 15a, chapter 15, 35 minutes: findings before the first step. Check: pytest exercises/test_e15a_first_checks.py"""

import math
from minires import functional as F
from minires.tensor import Tensor


def first_checks(model, x, labels):
    """Examine a model that is about to be trained: a dict of five findings.

    model  a Module; model(Tensor(x)) returns logits (N, K)    x  a batch of its inputs, an array (N, ...) of floats
    labels  ints (N,), from 0 to K - 1

    The findings, all of them in training mode (that of model.train()), whatever mode the model is in:
    "inputs": (mean, standard deviation) of all numbers of x, a tuple of two floats; the standard deviation divides by
    their count.
    "loss": the mean cross entropy of the batch, a float.
    "chance": the loss of a model that gives each of the K classes the same probability, a float.
    "silent": a list of the names (as in model.named_parameters(), and in its order) of the parameters that require a
    gradient and, after one backward pass of that loss, have none, or one that is 0 everywhere.
    "fall": a float. Take one small step against the gradient, w -= rate * g for each parameter that requires a gradient
    and has one, with the one rate for all of them that should lower the loss by 0.01 * loss, to first order. Measure the
    loss of the same batch again. fall is the difference of the two losses divided by 0.01 * loss, so about 1. It is 0.0
    if no gradient is different from 0. All of a model may be frozen or cut off: then loss.requires_grad is False, and
    backward() raises.
    "float" means a Python float; the dict has these five keys. Gradients that the parameters have from before must not
    count. Afterwards the model is as it was: the mode of each module (module.training), the numbers of each parameter, of
    its grad (an array, or None) and of the running statistics, exactly. x and labels stay unchanged. The loss is finite
    and above 0, and the model draws nothing at random. Model and x are both float32 or both float64. To derive: the rate.
    By how much does the step lower the loss, if each w moves by -rate * g? Chapter 15.
    """
    raise NotImplementedError("exercise 15a: write first_checks")
