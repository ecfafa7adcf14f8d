"""Strange solutions of 11d."""

import functools
import itertools
import math
from fractions import Fraction

import numpy

from tests.course.kinds import right, wrong

HAND, MANY = "test_two_blocks_by_hand", "test_many_blocks"
CALLS, ONE = "test_calls_share_nothing", "test_one_block_or_none"
SMALL = "test_a_small_gain_favours_short_paths_and_a_large_one_long_paths"
LARGE, NONE, WHAT = (
    "test_a_net_of_9_or_54_blocks",
    "test_without_a_gain_there_is_one_path",
    "test_what_it_is",
)


def right_one(blocks, gain):
    p = gain / (1 + gain)
    return numpy.array(
        [math.comb(blocks, k) * p**k * (1 - p) ** (blocks - k) for k in range(blocks + 1)]
    )


@right
def fractions(blocks, gain):
    gain = Fraction(gain)
    whole = (1 + gain) ** blocks
    return numpy.array([float(math.comb(blocks, k) * gain**k / whole) for k in range(blocks + 1)])


@right
def a_polynomial(blocks, gain):
    """(1 + gain z)^blocks, of which the coefficients are wanted."""
    factor = numpy.array([1.0, gain]) / (1 + gain)
    return functools.reduce(numpy.convolve, [factor] * blocks, numpy.ones(1))


@right
def halved(blocks, gain):
    """The net is cut into halves, whose lengths add up."""
    if blocks < 2:
        return numpy.array([1.0, gain][: blocks + 1]) / (1 + gain if blocks else 1)
    half = halved(blocks // 2, gain)
    return numpy.convolve(half, half if blocks % 2 == 0 else halved(blocks - blocks // 2, gain))


@right
def by_ratios(blocks, gain):
    """Each share from the one before, from the largest on."""
    top = min(blocks, int((blocks + 1) * gain / (1 + gain)))
    terms = numpy.zeros(blocks + 1)
    terms[top] = 1.0
    for k in range(top, blocks):
        terms[k + 1] = terms[k] * gain * (blocks - k) / (k + 1)
    for k in range(top, 0, -1):
        terms[k - 1] = terms[k] * k / (gain * (blocks - k + 1))
    return terms / terms.sum()


@right
def all_paths_of_small_nets(blocks, gain):
    """The definition itself, where there are few paths."""
    if blocks > 10:
        return right_one(blocks, gain)
    shares = numpy.zeros(blocks + 1)
    for path in itertools.product((0, 1), repeat=blocks):
        shares[sum(path)] += math.prod(gain if taken else 1.0 for taken in path)
    return shares / shares.sum()


@wrong(CALLS)
@functools.cache
def cached(blocks, gain):
    return right_one(blocks, gain)


LAST = numpy.zeros(501)


@wrong(CALLS)
def one_array_for_all(blocks, gain):
    LAST[: blocks + 1] = right_one(blocks, gain)
    return LAST[: blocks + 1]


@wrong(MANY)
def factorials_as_floats(blocks, gain):
    """Beyond 170! there are no floats."""
    n = min(blocks, 170)
    f = [float(math.factorial(k)) for k in range(n + 1)]
    terms = numpy.array([f[n] / f[k] / f[n - k] * gain**k for k in range(n + 1)])
    return numpy.resize(terms / terms.sum(), blocks + 1)


@wrong(LARGE)
def counts_in_int32(blocks, gain):
    counts = numpy.array([math.comb(blocks, k) & 0x7FFFFFFF for k in range(blocks + 1)])
    terms = counts * gain ** numpy.arange(blocks + 1)
    return terms / terms.sum()


@wrong(WHAT)
def in_float32(blocks, gain):
    return right_one(blocks, gain).astype("float32")


@wrong(NONE)
def never_0(blocks, gain):
    shares = right_one(blocks, max(gain, 1e-3))
    return shares


@wrong(ONE)
def at_least_one_block(blocks, gain):
    return right_one(max(blocks, 1), gain)


@wrong(ONE)
def one_block_has_one_path(blocks, gain):
    return right_one(blocks, gain) if blocks > 1 else numpy.eye(blocks + 1)[-1]


@wrong(HAND)
def drawn_at_random(blocks, gain):
    rng = numpy.random.default_rng(0)
    lengths = rng.binomial(blocks, gain / (1 + gain), 100_000)
    return numpy.bincount(lengths, minlength=blocks + 1) / 100_000


@wrong(LARGE)
def as_a_normal_distribution(blocks, gain):
    if blocks < 9:
        return right_one(blocks, gain)
    p = gain / (1 + gain)
    k = numpy.arange(blocks + 1)
    terms = numpy.exp(-((k - blocks * p) ** 2) / (2 * blocks * p * (1 - p) + 1e-30))
    return terms / terms.sum()


@wrong(MANY)
def paths_up_to_100(blocks, gain):
    shares = right_one(blocks, gain)
    shares[101:] = 0
    return shares


@wrong(HAND)
def cumulative(blocks, gain):
    return right_one(blocks, gain).cumsum()


@wrong(SMALL)
def two_digits(blocks, gain):
    return right_one(blocks, gain).round(2)


@wrong(HAND)
def percent(blocks, gain):
    return 100 * right_one(blocks, gain)


@right
def floats_of_their_own_size(blocks, gain):
    """No term is larger than the whole, (1 + gain)^blocks."""
    return numpy.array([math.comb(blocks, k) * gain**k for k in range(blocks + 1)], dtype="float64") / (1 + gain) ** blocks  # fmt: skip


@wrong(MANY)
def shares_of_a_millionth_at_least(blocks, gain):
    shares = right_one(blocks, gain)
    shares[shares < 1e-6] = 0
    return shares / shares.sum()
