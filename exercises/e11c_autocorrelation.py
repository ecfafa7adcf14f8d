"""Exercise 11c, chapter 11, 12 minutes: how a curve resembles itself. Check: pytest exercises/test_e11c_autocorrelation.py"""

from minires.backend import xp


def autocorrelation(g, lag):
    """Return how much g resembles itself `lag` positions further on: 1 if exactly, about 0 if not at all.

    g  (n,), the values of a curve at equal distances    lag  an int, 0 <= lag < n    result  a number

    Let d be g without its mean (of all n values). The result is the mean of d[i] * d[i + lag] over all pairs that exist,
    divided by the mean of d^2 over all n values. So it is 1 for lag 0, and the curve doesn't start again at its end. g isn't
    constant. Chapter 11.
    """
    raise NotImplementedError("exercise 11c: write autocorrelation")
