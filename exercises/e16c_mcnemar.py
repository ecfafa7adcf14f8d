"""Exercise 16c, chapter 16, 25 minutes: a paired test. Check: pytest exercises/test_e16c_mcnemar.py"""

import math

from minires.backend import xp


def mcnemar(right_a, right_b):
    """Return the p-value of McNemar's exact, two-sided test of two networks on the same images.

    right_a, right_b  bools (N,): True where a network is right, image by image

    Only the m images on which exactly one of them is right count. If the networks were equally good, a fair coin would
    decide which one it is. The p-value is the probability that m coins fall at least as unevenly as that, either way.
    It is 1 if the networks are never apart.

    Source  McNemar 1947, "Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages".

    Return a float from 0 to 1, accurate to 8 digits, for N from 1 to 20,000 images and m up to 3,000. The arrays are of
    dtype bool; leave them unchanged. Watch the sizes: 0.5**m is 0 as a float from m = 1075 on, and 2**m has no float from
    m = 1024 on. Python's ints have no limit, and the quotient of two of them is a float whenever it isn't too large
    itself. Where the p-value is below 1e-300, any result from 0 to 1e-300 will do. To derive: with m fair coins, what is
    the probability of at most k heads? And of a result at least as uneven, to either side? What if both sides are the
    same? Chapter 16.
    """
    raise NotImplementedError("exercise 16c: write mcnemar")
