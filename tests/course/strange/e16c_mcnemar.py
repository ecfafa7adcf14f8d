"""Strange solutions of 16c."""

import functools
import math
from decimal import Decimal, localcontext

import numpy

from minires.backend import to_host
from tests.course.kinds import right, wrong
from tests.course.solutions.e16c_mcnemar import FIRST, POWERS, SIDE, SMALL, apart, fractions, tail


@right
def decimals(right_a, right_b):
    """A hundred digits, and exponents without limit."""
    b, c = apart(right_a, right_b)
    with localcontext() as context:
        context.prec, context.Emin = 60, -999999
        term, total = Decimal(1), Decimal(0)
        for i in range(min(b, c) + 1):
            total += term
            term = term * (b + c - i) / (i + 1)
        return float(min(Decimal(1), 2 * total / Decimal(2) ** (b + c)))


@functools.lru_cache
def _p(b, c):
    return float(min(1, 2 * tail(b + c, min(b, c))))


@right
def cached(right_a, right_b):
    return _p(*apart(right_a, right_b))


@right
def sets(right_a, right_b):
    a = {i for i, good in enumerate(right_a) if good}
    b = {i for i, good in enumerate(right_b) if good}
    return _p(len(a - b), len(b - a))


@right
def numpy_scalar(right_a, right_b):
    """A float64 of NumPy."""
    return numpy.float64(fractions(right_a, right_b))


@right
def differences(right_a, right_b):
    d = to_host(right_a).astype(int) - to_host(right_b).astype(int)
    return _p(int((d == 1).sum()), int((d == -1).sum()))


@right
def log_sums(right_a, right_b):
    """logaddexp over a vector of logarithms."""
    b, c = apart(right_a, right_b)
    m = b + c
    if b == c:
        return 1.0
    logs = numpy.concatenate([[0.0], numpy.cumsum(numpy.log(numpy.arange(1, m + 1)))])
    k = numpy.arange(min(b, c) + 1)
    return float(
        2 * numpy.exp(numpy.logaddexp.reduce(logs[m] - logs[k] - logs[m - k] - m * math.log(2)))
    )


@wrong(SIDE)
def bytes_added(right_a, right_b):
    """Differences of uint8 wrap around."""
    d = right_a.astype("uint8") - right_b.astype("uint8")
    b, c = int((d == 1).sum()), int((d > 1).sum())
    return _p(b, c) if b and c else _p(b, b + c)


@wrong(POWERS)
def counts_of_one_byte(right_a, right_b):
    b = int((right_a & ~right_b).sum(dtype="uint8"))
    c = int((right_b & ~right_a).sum(dtype="uint8"))
    return _p(b, c)


@wrong(FIRST)
def rounded(right_a, right_b):
    return round(fractions(right_a, right_b), 4)


@wrong(SMALL)
def rounded_to_ten_places(right_a, right_b):
    return round(fractions(right_a, right_b), 12)


@wrong(FIRST)
def by_throwing_coins(right_a, right_b):
    rng, (b, c) = numpy.random.default_rng(0), apart(right_a, right_b)
    heads = rng.binomial(b + c, 0.5, 10_000)
    return float((abs(2 * heads - b - c) >= abs(b - c)).mean())


@wrong(FIRST)
def a_pair(right_a, right_b):
    return fractions(right_a, right_b), apart(right_a, right_b)


@wrong(FIRST)
def written_into(right_a, right_b):
    p = fractions(right_a, right_b)
    right_a &= ~right_b
    return p


@wrong(POWERS)
def stirling(right_a, right_b):
    """Factorials by Stirling's formula, where there are more than 170."""
    b, c = apart(right_a, right_b)
    m = b + c
    if m < 500:
        return _p(b, c)

    def log(n):
        return n * math.log(n) - n + math.log(2 * math.pi * n) / 2 if n else 0.0

    return 2 * math.fsum(
        math.exp(log(m) - log(i) - log(m - i) - m * math.log(2)) for i in range(min(b, c) + 1)
    )


@wrong(FIRST)
def strings(right_a, right_b):
    return f"p = {fractions(right_a, right_b):.8f}"


@right
def each_number_of_heads_anew(right_a, right_b):
    """math.comb for each."""
    b, c = apart(right_a, right_b)
    return min(
        1.0, 2 * sum(math.comb(b + c, heads) for heads in range(min(b, c) + 1)) / 2 ** (b + c)
    )


@right
def all_results_as_uneven(right_a, right_b):
    """Every number of heads that is at least as far from the middle, on either side."""
    b, c = apart(right_a, right_b)
    m, ways, found = b + c, 1, 0
    for heads in range(m + 1):
        found += ways * (abs(2 * heads - m) >= abs(b - c))
        ways = ways * (m - heads) // (heads + 1)
    return found / 2**m


@wrong("test_the_result_is_a_float")
def the_int_1(right_a, right_b):
    return min(1, fractions(right_a, right_b))


@wrong(SMALL)
def one_minus_the_other_side(right_a, right_b):
    """What is small is lost in 1 - ..., where the middle alone is summed."""
    b, c = apart(right_a, right_b)
    m, fewer = b + c, min(b, c)
    return 1 - sum(math.comb(m, heads) for heads in range(fewer + 1, m - fewer)) / 2**m


@wrong(POWERS)
def at_most_a_thousand_coins(right_a, right_b):
    b, c = apart(right_a, right_b)
    m = max(b + c, 1000)
    return _p(b * 1000 // m, c * 1000 // m)
