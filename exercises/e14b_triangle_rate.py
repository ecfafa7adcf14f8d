"""Exercise 14b, chapter 14, 12 minutes: a rate that rises and falls. Check: pytest exercises/test_e14b_triangle_rate.py"""


def triangle_rate(step, steps, lr, *, peak, start):
    """The rate at a step of a triangle: a straight line from start * lr to lr, then a second one to 0.

    step  0, 1, 2, ...    steps  of the whole run    peak  the fraction of the steps at which the rate is lr

    The rate is start * lr at step 0. It rises in a straight line and would be lr at step peak * steps, which needn't be a
    whole number: don't round it. From there it falls in a straight line to 0 at step `steps`, and it is 0 after that. step
    and steps are ints, step >= 0, steps >= 1; lr > 0, 0 < peak < 1 and 0 <= start <= 1. Return a number, never one below 0:
    the optimizer refuses -1e-17 too. Chapter 14.
    """
    raise NotImplementedError("exercise 14b: write triangle_rate")
