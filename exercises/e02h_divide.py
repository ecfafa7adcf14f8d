"""Exercise 02h, chapter 02, 15 minutes: a bug hunt in a quotient. Check: pytest exercises/test_e02h_divide.py"""

from minires.ops.elementwise import checked_shapes, unbroadcast


def divide(a, b):
    """a / b.

    Saves  a and b.

    One gradient is wrong, and a test with b = 1 wouldn't notice. Find the line and fix it. Chapter 02.
    """
    a_shape, b_shape = checked_shapes("divide", a, b)

    def backward(g):
        return unbroadcast(g / b, a_shape), unbroadcast(-g * a / b * b, b_shape)

    return a / b, backward
