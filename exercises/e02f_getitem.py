"""Exercise 02f, chapter 02, 20 minutes: some elements, and some of them twice. Check: pytest exercises/test_e02f_getitem.py"""

from minires.backend import xp


def getitem(x, *, index):
    """x[index]: ints, slices, None, ..., arrays of ints or bools. An element taken twice gets both gradients.

    Saves  the index and a shape.

    index is whatever may go between brackets: an int, a slice, None, an array of ints or bools, or a tuple of
    these. Return (result, backward); backward(g) returns a tuple of one gradient. To derive: what is the gradient
    of an element that was taken never, once, or three times? Beware: a[[0, 0]] += 1 adds 1 only once. Chapter 02.
    """
    raise NotImplementedError("exercise 02f: write getitem")
