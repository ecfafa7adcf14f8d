"""Exercise 02i, chapter 02, 25 minutes: a check of subtractions. Check: pytest exercises/test_e02i_write_the_test.py"""

from minires.backend import xp


def check(candidate):
    """Raise AssertionError unless candidate is a right subtract.

    candidate  an op: candidate(a, b) gives (a - b, backward), and backward(g) gives (g_a, g_b)

    Four people wrote subtract, and three were wrong, each another way: all of them in backward, none in the result. Shapes may
    broadcast. Which a, b and g tell them all apart? gradcheck.check_backward would do it: write what it does. Chapter 02.
    """
    raise NotImplementedError("exercise 02i: write check")
