"""Exercise 11c: the autocorrelation of a curve, and what goes wrong with it."""

from minires.backend import xp


def autocorrelation(g, lag):
    """Return how much g resembles itself `lag` positions further on: 1 if exactly, about 0 if not at all.

    g  (n,), the values of a curve at equal distances    lag  an int, 0 <= lag < n    result  a number
    """
    d = g - g.mean()
    n = len(d)
    return (d[: n - lag] * d[lag:]).mean() / (d * d).mean()


def _of(d, lag):
    n = len(d)
    return d[: n - lag], d[lag:]


def mean_left_in(g, lag):
    """the mean is left in: a curve far from 0 then resembles itself at any lag"""
    a, b = _of(g, lag)
    return (a * b).mean() / (g * g).mean()


def turned_around(g, lag):
    """the curve is rolled: what leaves at its end comes in at its beginning, and makes pairs that don't exist"""
    d = g - g.mean()
    return (d * xp.roll(d, lag)).mean() / (d * d).mean()


def divided_by_n(g, lag):
    """the sum over the n - lag pairs is divided by n"""
    d = g - g.mean()
    a, b = _of(d, lag)
    return (a * b).sum() / (d * d).sum()


def not_normalised(g, lag):
    """the mean product isn't divided by the mean of d^2"""
    a, b = _of(g - g.mean(), lag)
    return (a * b).mean()


def correlation_of_the_parts(g, lag):
    """each of the two parts has its own mean and its own standard deviation, as in numpy.corrcoef: here both are those of all n values"""
    a, b = _of(g, lag)
    a, b = a - a.mean(), b - b.mean()
    return (a * b).mean() / xp.sqrt((a * a).mean() * (b * b).mean())


def empty_at_lag_0(g, lag):
    """g[:-lag] is empty if lag is 0"""
    d = g - g.mean()
    products = d[:-lag] * d[lag:] if lag else d[:0]
    return products.sum() / (n if (n := len(products)) else 1) / (d * d).mean()


def mean_of_ratios(g, lag):
    """the products are divided by d^2 one by one, and then averaged"""
    a, b = _of(g - g.mean(), lag)
    return (a * b / (a * a)).mean()


def one_too_far(g, lag):
    """the two parts are lag + 1 positions apart"""
    d = g - g.mean()
    a, b = _of(d, min(lag + 1, len(d) - 1))
    return (a * b).mean() / (d * d).mean()
