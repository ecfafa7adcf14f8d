"""Exercise 02a, chapter 02, 15 minutes: a product, forward and backward. Check: pytest exercises/test_e02a_multiply.py"""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def multiply(a, b):
    """a * b.

    Saves  a and b.

    This is an op: return (result, backward). backward(g) takes the gradient of the loss with respect to the
    result and returns a tuple (g_a, g_b), with the shapes of a and b. To derive: how much does a * b change when
    a does? The shapes may differ if they broadcast; unbroadcast(g, shape) sums a gradient back to a shape (you'll
    write it in the next exercise). Either operand may be a plain number: then xp.shape(b) is (). If the operands are
    float32, so are the result and the gradients. "Saves" says what the library's backward keeps; yours may keep more.
    Chapter 02.
    """
    raise NotImplementedError("exercise 02a: write multiply")
