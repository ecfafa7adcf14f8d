"""Exercise 02c, chapter 02, 10 minutes: the residual add. Check: pytest exercises/test_e02c_add.py"""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def add(a, b):
    """a + b: the add that joins a residual block and its skip connection.

    Saves  two shapes.

    This is an op: return (result, backward), as in 02a, for shapes that broadcast and for plain numbers, and in
    float32 for float32 operands. Other code still needs a and b, so leave them unchanged. Your backward may keep
    more than "Saves" says. To derive: how much does a + b change when a does, and which part of the gradient does
    each operand get? Chapter 02.
    """
    raise NotImplementedError("exercise 02c: write add")
