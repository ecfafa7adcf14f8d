"""Exercise 06a, chapter 06, 15 minutes: ReLU, forward and backward. Check: pytest exercises/test_e06a_relu.py"""

from minires.backend import xp


def relu(x):
    """max(x, 0). The slope at 0 is 0.

    Saves  one bool per element.

    This is an op: return (result, backward); backward(g) returns a tuple of one gradient. Return a new array, and leave
    x unchanged: it belongs to the caller, and a residual block adds it to a later result. Whatever backward names stays in
    memory until backward has run: let it name no more than the docstring says, and not x. You needn't handle NaN or
    infinity.
    To derive: how much does max(x, 0) change with x, on either side of 0? At 0 itself, by convention, it
    doesn't. Chapter 06.
    """
    raise NotImplementedError("exercise 06a: write relu")
