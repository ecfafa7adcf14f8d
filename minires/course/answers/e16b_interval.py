"""Exercise 16b: what goes wrong with an interval for an accuracy."""

import math
from statistics import NormalDist


def _z(confidence):
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _wilson(hits, n, z):
    """Return the middle of the interval, and half its width."""
    p = hits / n
    below = 1 + z * z / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / below
    return (p + z * z / (2 * n)) / below, half


def _ends(middle, half):
    return middle - half, middle + half


def deviation_of_the_share(hits, n, *, confidence=0.95):
    """z sqrt(p (1 - p) / n) is taken to either side of p = hits / n: the equation has q under the root. With no hits, that interval has no width"""
    p = hits / n
    return _ends(p, _z(confidence) * math.sqrt(p * (1 - p) / n))


def cut_off(hits, n, *, confidence=0.95):
    """z sqrt(p (1 - p) / n) is taken to either side of p = hits / n, and cut off at 0 and 1: the equation has q under the root, and then nothing needs to be cut off"""
    low, high = deviation_of_the_share(hits, n, confidence=confidence)
    return max(low, 0.0), min(high, 1.0)


def one_sided(hits, n, *, confidence=0.95):
    """all that is left out lies on one side: of 5 %, half should be under -z and half above z"""
    return _ends(*_wilson(hits, n, NormalDist().inv_cdf(confidence)))


def confidence_ignored(hits, n, *, confidence=0.95):
    """the confidence is 95 %, whatever `confidence` is"""
    return _ends(*_wilson(hits, n, _z(0.95)))


def n_minus_1(hits, n, *, confidence=0.95):
    """n - 1 is used under the root, as for a standard deviation of measured values: that of hits follows from q itself, with n"""
    p, z, m = hits / n, _z(confidence), max(n - 1, 1)
    return _ends(
        (p + z * z / (2 * m)) / (1 + z * z / m),
        z * math.sqrt(p * (1 - p) / m + z * z / (4 * m * m)) / (1 + z * z / m),
    )


def around_the_share(hits, n, *, confidence=0.95):
    """the width is right, but the middle of the interval is hits / n: it should be nearer to 1/2"""
    return _ends(hits / n, _wilson(hits, n, _z(confidence))[1])


def not_divided(hits, n, *, confidence=0.95):
    """nothing is divided by 1 + z**2 / n, the factor of q**2"""
    z = _z(confidence)
    return _ends(*(part * (1 + z * z / n) for part in _wilson(hits, n, z)))


def one_n_under_the_root(hits, n, *, confidence=0.95):
    """z**2 / (4 n) is under the root: it should be z**2 / (4 n**2)"""
    p, z = hits / n, _z(confidence)
    below = 1 + z * z / n
    return _ends(_wilson(hits, n, z)[0], z * math.sqrt(p * (1 - p) / n + z * z / (4 * n)) / below)


def counts(hits, n, *, confidence=0.95):
    """the ends are numbers of hits: they should be divided by n"""
    return tuple(n * end for end in _ends(*_wilson(hits, n, _z(confidence))))


def one_standard_deviation(hits, n, *, confidence=0.95):
    """z is 1: that leaves 68 % in the middle"""
    return _ends(*_wilson(hits, n, 1.0))
