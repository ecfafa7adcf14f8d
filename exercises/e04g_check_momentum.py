"""Exercise 04g, chapter 04, 25 minutes: a check of steps with momentum. Check: pytest exercises/test_e04g_check_momentum.py"""

from minires.backend import xp


def check(candidate):
    """Raise AssertionError unless candidate is a right step with momentum.

    candidate  candidate(w, g, v, lr=..., momentum=...) changes w and v in place, leaves g as it is, and gives nothing

    Four people wrote the step v = momentum * v + g, w -= lr * v, and three were wrong, each another way. A single step from v
    of zeros finds one of them at best, and that one is right in every w as long as lr stays the same. What has to be looked
    at, and from which v? Take arrays of floats. Work the numbers out by hand, or write the formulas once more. Chapter 04.
    """
    raise NotImplementedError("exercise 04g: write check")
