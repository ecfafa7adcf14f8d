"""Exercise 02a, chapter 02, 15 minutes: a product, forward and backward. Check: pytest exercises/test_e02a_multiply.py"""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def multiply(a, b):
    """a * b.

    Saves  a and b.

    An op: return (result, backward). backward(g) takes the gradient of the loss with respect to the result, and gives a tuple
    (g_a, g_b), each in the shape of a and b. To derive: how much does a * b change when a does? Chapter 02.
    The shapes may differ, where they broadcast; unbroadcast(g, shape) sums a gradient back to a shape (the next exercise writes
    it). Either may be a plain number: xp.shape(b) is () then.
    """
    raise NotImplementedError("exercise 02a: write multiply")
