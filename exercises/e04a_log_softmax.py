"""Exercise 04a, chapter 04, 20 minutes: log softmax without overflow. Check: pytest exercises/test_e04a_log_softmax.py"""

from minires.backend import xp


def log_softmax(x, *, axis=-1):
    """x - log(sum(e**x)) along `axis`, with the largest x subtracted first.

    x may contain 1000 and -1000, in one row or in two. Leave x unchanged and keep its dtype.
    To derive: y[i] = x[i] - log(S), where S is the sum of e**x[k] over k. The derivative of log(S) with respect to x[j] is
    that of S, divided by S: which function of x is this? So what is the Jacobian, dy[i]/dx[j], for i = j and for i != j?
    g_x[j] is the sum of g[i] * dy[i]/dx[j] over i. backward(g) returns (g_x,); return (y, backward). Chapter 04.
    """
    raise NotImplementedError("exercise 04a: write log_softmax")
