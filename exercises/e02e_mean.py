"""Exercise 02e, chapter 02, 20 minutes: a mean over some axes. Check: pytest exercises/test_e02e_mean.py"""

from minires.backend import xp


def mean(x, *, axis=None, keepdims=False):
    """The mean over `axis`: of n elements, each gets 1/n of the gradient.

    Saves  a shape.

    axis is None for all axes, an int, also a negative one, or a tuple of ints. keepdims leaves an axis of size 1 where one was
    reduced. Return (result, backward), where backward(g) gives a tuple of one gradient, in the shape of x. You may use what an
    array has, x.mean and x.sum. To derive: by how much does the mean of n numbers change when one of them does? Chapter 02.
    """
    raise NotImplementedError("exercise 02e: write mean")
