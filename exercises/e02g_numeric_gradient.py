"""Exercise 02g, chapter 02, 20 minutes: finite differences. Check: pytest exercises/test_e02g_numeric_gradient.py"""

from minires.backend import xp


def numeric_gradient(f, x, g, *, step=1e-5):
    """The gradient of the loss (g * f(x)).sum() with respect to x, by changing one element of x at a time.

    f  from an array to an array    x  of any shape    g  of the shape of f(x)    result  of the shape of x

    To derive: which of (L(x + step) - L(x)) / step and (L(x + step) - L(x - step)) / (2 step) is closer to the
    derivative, and how does the error of each shrink with the step? Use the better one, and no other, with this step.
    x belongs to the caller: leave it unchanged. The result of f may be a view of what f gets, as that of a transpose is.
    Chapter 02.
    """
    raise NotImplementedError("exercise 02g: write numeric_gradient")
