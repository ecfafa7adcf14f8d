"""Exercise 02e, chapter 02, 20 minutes: a mean over some axes. Check: pytest exercises/test_e02e_mean.py"""

from minires.backend import xp


def mean(x, *, axis=None, keepdims=False):
    """The mean over `axis`.

    Saves  a shape.

    axis is None (all axes), an int, which may be negative, or a tuple of ints; the mean over (), no axis, is x itself.
    keepdims leaves an axis of size 1 for each reduced axis. Return (result, backward); backward(g) returns a tuple of
    one gradient, with the shape and the dtype of x (float32 stays float32). You may use the array's own x.mean and
    x.sum, and your backward may keep more than "Saves" says. To derive: by how much does the mean of n numbers change
    when one of them does? Chapter 02.
    """
    raise NotImplementedError("exercise 02e: write mean")
