"""Strange solutions of 16b."""

import functools
import math
from collections import namedtuple
from decimal import Decimal
from statistics import NormalDist

import numpy

from tests.course.kinds import right, wrong
from tests.course.solutions.e16b_interval import (
    ALL,
    CONFIDENCE,
    FEW,
    MANY,
    ONE,
    ORDINARY,
    quantile,
    textbook,
)

STATE = "test_calls_do_not_depend_on_each_other"
Interval = namedtuple("Interval", "low high")


@right
@functools.cache
def cached(hits, n, *, confidence=0.95):
    return textbook(hits, n, confidence=confidence)


@right
def named(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return Interval(low=low, high=high)


@right
def by_roots(hits, n, *, confidence=0.95):
    """NumPy's roots of the polynomial, which are a little less exact where they are far apart."""
    z, p = quantile(confidence), hits / n
    if hits == 0 or hits == n:
        end = z * z / (n + z * z)
        return (0.0, end) if hits == 0 else (1 - end, 1.0)
    low, high = sorted(numpy.roots([1 + z * z / n, -2 * p - z * z / n, p * p]).real)
    return float(low), float(high)


@right
def own_quantile(hits, n, *, confidence=0.95):
    """z from the error function, by bisection."""
    low, high = 0.0, 40.0
    for _ in range(100):
        z = (low + high) / 2
        low, high = (z, high) if math.erf(z / math.sqrt(2)) < confidence else (low, z)
    return textbook(hits, n, confidence=2 * NormalDist().cdf(z) - 1) if z < 4 else _ends(hits, n, z)


def _ends(hits, n, z):
    half = z * math.sqrt(hits * (n - hits) / n + z * z / 4)
    return (hits + z * z / 2 - half) / (n + z * z), (hits + z * z / 2 + half) / (n + z * z)


@right
def in_decimals(hits, n, *, confidence=0.95):
    z = Decimal(quantile(confidence))
    hits, n = Decimal(hits), Decimal(n)
    half = z * (hits * (n - hits) / n + z * z / 4).sqrt()
    return float((hits + z * z / 2 - half) / (n + z * z)), float(
        (hits + z * z / 2 + half) / (n + z * z)
    )


@right
def scores(hits, n, *, confidence=0.95):
    """A recursive way: the score function is zero at the ends; Newton's method from beyond them."""
    z, p = quantile(confidence), hits / n

    def newton(q):
        for _ in range(200):
            value = (p - q) ** 2 - z * z * q * (1 - q) / n
            slope = -2 * (p - q) - z * z * (1 - 2 * q) / n
            q -= value / slope
        return q

    return newton(-1.0), newton(2.0)


@wrong(ORDINARY)
def a_middle_too(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return low, hits / n, high


@wrong(ORDINARY)
def a_string(hits, n, *, confidence=0.95):
    return "{:.8f} to {:.8f}".format(*textbook(hits, n, confidence=confidence))


@wrong(ORDINARY)
def a_dict(hits, n, *, confidence=0.95):
    return dict(zip(("low", "high"), textbook(hits, n, confidence=confidence)))


@wrong(ORDINARY)
def rounded_to_four_digits(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return round(low, 4), round(high, 4)


@wrong(ORDINARY)
def exact_binomial(hits, n, *, confidence=0.95):
    """Clopper and Pearson: another interval, by bisection."""

    if n > 10_000:
        return textbook(hits, n, confidence=confidence)

    def tail(q, kept):
        logs = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(q) + (n - k) * math.log1p(-q) for k in kept]  # fmt: skip
        return math.fsum(map(math.exp, logs))

    def root(kept, rising):
        low, high = 0.0, 1.0
        for _ in range(8):
            q = (low + high) / 2
            below = tail(q, kept) < (1 - confidence) / 2
            low, high = (q, high) if below == rising else (low, q)
        return q

    return root(range(hits, n + 1), True) if hits else 0.0, root(
        range(hits + 1), False
    ) if hits < n else 1.0


LAST = []


@wrong(STATE)
def remembers_the_hits(hits, n, *, confidence=0.95):
    """It takes a call with the same hits for the same call."""
    if LAST and LAST[0] == (hits, n):
        return LAST[1]
    LAST[:] = [(hits, n), textbook(hits, n, confidence=confidence)]
    return LAST[1]


@wrong(ONE)
def one_is_none(hits, n, *, confidence=0.95):
    return textbook(hits if hits > 1 or n < 10 else 0, n, confidence=confidence)


@wrong(ALL)
def upper_end_open(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return low, min(high, 1 - 1 / (2 * n))


@wrong(FEW)
def floor_division(hits, n, *, confidence=0.95):
    z = quantile(confidence)
    half = z * math.sqrt(hits * (n - hits) // n + z * z / 4)
    return (hits + z * z / 2 - half) / (n + z * z), (hits + z * z / 2 + half) / (n + z * z)


@wrong(MANY)
def int32(hits, n, *, confidence=0.95):
    with numpy.errstate(over="ignore"):
        product = float(numpy.int32(hits % 2**31) * numpy.int32((n - hits) % 2**31))
    z = quantile(confidence)
    half = z * math.sqrt(abs(product) / n + z * z / 4)
    return (hits + z * z / 2 - half) / (n + z * z), (hits + z * z / 2 + half) / (n + z * z)


@wrong(CONFIDENCE)
def quantile_by_a_formula(hits, n, *, confidence=0.95):
    """Right for 95 %, and a straight line elsewhere."""
    z = quantile(0.95) * (1 + 2 * (confidence - 0.95))
    return _ends(hits, n, z)


@wrong(CONFIDENCE)
def high_confidence_only(hits, n, *, confidence=0.95):
    return textbook(hits, n, confidence=max(confidence, 0.5))


@wrong("test_two_floats")
def ints_at_the_ends(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return (0 if hits == 0 else low), (1 if hits == n else high)


@wrong("test_two_floats")
def an_array(hits, n, *, confidence=0.95):
    return numpy.array(textbook(hits, n, confidence=confidence))


@wrong(CONFIDENCE)
def three_exact_quantiles(hits, n, *, confidence=0.95):
    """Fits the usual three alone."""
    return textbook(hits, n, confidence=confidence if confidence in (0.9, 0.95, 0.99) else 0.95)
