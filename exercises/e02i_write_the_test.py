"""Exercise 02i, chapter 02, 25 minutes: a test for subtraction. Check: pytest exercises/test_e02i_write_the_test.py"""

from minires.backend import xp


def check(candidate):
    """Raise AssertionError unless candidate is a right subtract.

    candidate  an op: candidate(a, b) returns (a - b, backward), and backward(g) returns (g_a, g_b)

    Four people wrote subtract. Three got it wrong, each in a different way, and always in backward, never in
    the result. Shapes may broadcast. Which a, b and g tell all four apart? gradcheck.check_backward could:
    write a check that does its job. Chapter 02.
    """
    raise NotImplementedError("exercise 02i: write check")
