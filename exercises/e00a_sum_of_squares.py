"""Exercise 00a, chapter 00, 3 minutes: the first one. Check: pytest exercises/test_e00a_sum_of_squares.py"""

from minires.backend import xp


def sum_of_squares(x):
    """The sum of the squares of all elements of x: one number, whatever the shape of x.

    Delete the line that raises and write your own. xp is NumPy (on a GPU it would be CuPy), and x is an array
    of floats. Its shape may also be (), which is a single number, or (0, 3), which is empty. The test compares
    your result with the right answer and tells you how they differ. Chapter 00.
    """
    raise NotImplementedError("exercise 00a: write sum_of_squares")
