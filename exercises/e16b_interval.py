"""Exercise 16b, chapter 16, 20 minutes: an interval for an accuracy. Check: pytest exercises/test_e16b_interval.py"""

import math
from statistics import NormalDist


def interval(hits, n, *, confidence=0.95):
    """Return (low, high): the Wilson interval of an accuracy, from `hits` correct predictions among n images.

    Both ends solve |hits / n - q| = z sqrt(q (1 - q) / n) for q, where a standard normal number lies between -z and z
    with probability `confidence`: these q are not too far from hits / n to have led to it.

    Source  Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".

    hits and n are ints with 0 <= hits <= n and n >= 1, and 0 < confidence < 1. Return two floats, accurate to 8 digits
    after the point; an end that is 0 or 1 may miss it by rounding. NormalDist().inv_cdf(p) is the number that a standard
    normal number stays below with probability p. For confidence 0.95, z is close to 1.96, but not to 8 digits. If q = 0
    or q = 1 solves the equation, it is an end too. To derive: square the equation, which is then quadratic in q, and
    solve it. Chapter 16.
    """
    raise NotImplementedError("exercise 16b: write interval")
