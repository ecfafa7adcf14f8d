"""Exercise 02g, chapter 02, 20 minutes: a gradient by small steps. Check: pytest exercises/test_e02g_numeric_gradient.py"""

from minires.backend import xp


def numeric_gradient(f, x, g, *, step=1e-5):
    """The gradient of the loss (g * f(x)).sum() with respect to x, by moving one element of x at a time.

    f  from an array to an array    x  of any shape    g  of the shape of f(x)    result  of the shape of x

    To derive: which of (L(x + step) - L(x)) / step and (L(x + step) - L(x - step)) / (2 step) is nearer to the slope, and how
    does the error of each fall with the step? Take the better. x belongs to the caller: leave it as it was. Chapter 02.
    """
    raise NotImplementedError("exercise 02g: write numeric_gradient")
