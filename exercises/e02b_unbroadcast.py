"""Exercise 02b, chapter 02, 20 minutes: the adjoint of broadcasting. Check: pytest exercises/test_e02b_unbroadcast.py"""

from minires.backend import xp


def unbroadcast(g, shape):
    """Sum `g` over the axes along which an array of `shape` was broadcast: the adjoint of broadcasting.

    g  has the shape that an array of shape `shape` was broadcast to    shape  a tuple
    result  has shape `shape` and the dtype of g

    To derive: an element that was used k times changes the loss in k places. So what is its gradient? Broadcasting
    matches axes from the right: new axes come first, and an axis of size 1 is repeated. xp is NumPy. Chapter 02.
    """
    raise NotImplementedError("exercise 02b: write unbroadcast")
