"""Exercise 04g, chapter 04, 25 minutes: a test for SGD with momentum. Check: pytest exercises/test_e04g_check_momentum.py"""

from minires.backend import xp


def check(candidate):
    """Raise AssertionError unless candidate is a right step with momentum.

    candidate  candidate(w, g, v, lr=..., momentum=...) changes w and v in place, leaves g unchanged, and returns nothing

    Several people wrote the step v = momentum * v + g, w -= lr * v, and three got it wrong, each in a different
    way. A single step from v = 0 finds at most one of them, and even that mistake leaves every w right while lr
    stays the same. What must you check, and which v should you start from? Use arrays of floats, and allow for
    rounding. Work the numbers out by hand, or write the formulas again. Decide the same in every call. Chapter 04.
    """
    raise NotImplementedError("exercise 04g: write check")
