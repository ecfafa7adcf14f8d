"""Exercise 04a, chapter 04, 20 minutes: log softmax without overflow. Check: pytest exercises/test_e04a_log_softmax.py"""

from minires.backend import xp


def log_softmax(x, *, axis=-1):
    """x - log(sum(e**x)) along `axis`, with the largest x taken off first.

    Saves  the result.

    x may hold 1000 and -1000, in one line or in two. Leave it as it is, and keep its type.
    To derive: y[i] = x[i] - log(the sum of e**x[k] over k). What is the slope of y[i] along x[j], for i = j and for the others?
    Then g_x[j] is the sum over i of g[i] times that slope. Return (y, backward). Chapter 04.
    """
    raise NotImplementedError("exercise 04a: write log_softmax")
