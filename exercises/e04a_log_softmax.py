"""Exercise 04a, chapter 04, 20 minutes: log softmax without overflow. Check: pytest exercises/test_e04a_log_softmax.py"""

from minires.backend import xp


def log_softmax(x, *, axis=-1):
    """x - log(sum(e**x)) along `axis`, with the largest x subtracted first.

    Saves  the result.

    x may contain 1000 and -1000, in one row or in two. Leave x unchanged and keep its dtype.
    To derive: y[i] = x[i] - log(the sum of e**x[k] over k). What is the derivative of y[i] with respect to x[j], for
    i = j and for i != j? Then g_x[j] is the sum over i of g[i] times that derivative. Return (y, backward). Chapter 04.
    """
    raise NotImplementedError("exercise 04a: write log_softmax")
