"""Exercise 15b, chapter 15, 8 minutes: how far a step goes. Check: pytest exercises/test_e15b_update_ratio.py"""

import math
from minires.backend import xp


def update_ratio(before, after):
    """The size of a step relative to each parameter: a dict from its name to a float.

    before, after  dicts from a parameter's name to its array, float32 or float64, before a step and after it

    The ratio is the norm of what was added to the parameter, divided by the norm of the parameter before the step. The
    norm of an array is the square root of the sum of the squares of all its elements, whatever its shape. Float32 arrays
    may have elements as small as 1e-25, whose square is 0 in float32, or as large as 3e38, where a difference can be
    infinite, so compute all of it in float64, the subtraction as well. Where the norm before is 0, the ratio is 0.0 if
    the parameter hasn't changed, and math.inf if it has. Return a dict with the same names in the same order; the ratios
    are Python floats. Leave both dicts and their arrays unchanged. Chapter 15.
    """
    raise NotImplementedError("exercise 15b: write update_ratio")
