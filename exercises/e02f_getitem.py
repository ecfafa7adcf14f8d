"""Exercise 02f, chapter 02, 20 minutes: some elements, and some of them twice. Check: pytest exercises/test_e02f_getitem.py"""

from minires.backend import xp


def getitem(x, *, index):
    """x[index]: ints, slices, None, ..., arrays of ints or bools. An element may be taken more than once.

    Saves  the index and a shape.

    index is whatever may go between brackets: an int, a slice, None, ..., a list or an array of ints or bools, or a
    tuple of these. Return (result, backward); backward(g) returns a tuple of one gradient, with the shape and the dtype
    of x. It may keep more than "Saves" says. To derive: what is the gradient of an element that was taken never, once,
    or three times? Beware: a[[0, 0]] += 1 adds 1 only once. Chapter 02.
    """
    raise NotImplementedError("exercise 02f: write getitem")
