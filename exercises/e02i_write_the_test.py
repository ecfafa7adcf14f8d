"""Exercise 02i, chapter 02, 25 minutes: a test for subtraction. Check: pytest exercises/test_e02i_write_the_test.py"""

from minires.backend import xp


def check(candidate):
    """Raise AssertionError unless candidate is a right subtract.

    candidate  an op: candidate(a, b) returns (a - b, backward), and backward(g) returns (g_a, g_b)

    Four people wrote subtract. Three got it wrong, each in a different way, and always in backward, never in the
    result; the fourth wrote a right one twice, in different words. a and b are float arrays whose shapes broadcast.
    Which a, b and g tell right from wrong? gradcheck.check_backward could: write a check that does its job, whatever
    was checked before. Chapter 02.
    """
    raise NotImplementedError("exercise 02i: write check")
