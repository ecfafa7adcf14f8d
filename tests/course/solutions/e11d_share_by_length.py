"""Solutions of 11d: paths by length."""

import math

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

HAND = "test_two_blocks_by_hand"
SMALL = "test_a_small_gain_favours_short_paths_and_a_large_one_long_paths"


@right
def closed_form(blocks, gain):
    p = gain / (1 + gain)
    return xp.array(
        [math.comb(blocks, k) * p**k * (1 - p) ** (blocks - k) for k in range(blocks + 1)]
    )


@right
def block_by_block(blocks, gain):
    """Each block sends on what comes in, and `gain` times as much to the next length."""
    shares = numpy.zeros(blocks + 1)
    shares[0] = 1
    for _ in range(blocks):
        shares[1:] += gain * shares[:-1].copy()
        shares /= shares.sum()
    return shares


@right
def by_logarithms(blocks, gain):
    if gain == 0:
        return xp.array([1.0] + [0.0] * blocks)
    logs = xp.array([
        math.lgamma(blocks + 1) - math.lgamma(k + 1) - math.lgamma(blocks - k + 1) + k * math.log(gain)
        for k in range(blocks + 1)
    ])  # fmt: skip
    terms = xp.exp(logs - logs.max())
    return terms / terms.sum()


@right
def pascal(blocks, gain):
    row = [1]
    for _ in range(blocks):
        row = [a + b for a, b in zip([0, *row], [*row, 0])]
    terms = [float(count) * gain**k for k, count in enumerate(row)]
    return xp.array(terms) / math.fsum(terms)


def by_terms(blocks, term):
    terms = [term(k) for k in range(blocks + 1)]
    total = sum(terms)
    return xp.array([value / total if total else math.nan for value in terms], dtype="float64")


def count(n, k):
    return math.prod(range(n - k + 1, n + 1)) // math.factorial(k)


@wrong(HAND, mistake="not_normalised")
def sums(blocks, gain):
    return xp.array([float(count(blocks, k) * gain**k) for k in range(blocks + 1)])


@wrong(HAND, mistake="divided_by_the_count")
def mean_gradients(blocks, gain):
    return xp.array([count(blocks, k) / 2**blocks * gain**k for k in range(blocks + 1)])


@wrong(HAND, mistake="paths_counted")
def binomial(blocks, gain):
    return xp.array([count(blocks, k) / 2**blocks for k in range(blocks + 1)])


@wrong(HAND, mistake="one_path_each")
def geometric(blocks, gain):
    terms = numpy.cumprod([1.0] + [float(gain)] * blocks)
    return terms / terms.sum()


@wrong(HAND, mistake="gain_on_the_shortcut")
def read_backwards(blocks, gain):
    return closed_form(blocks, gain)[::-1].copy()


@wrong(HAND, mistake="from_length_1")
def no_path_without_a_branch(blocks, gain):
    terms = [0.0] + [float(count(blocks, k) * gain**k) for k in range(1, blocks + 1)]
    return xp.array(terms) / sum(terms) if sum(terms) else xp.array(terms) * math.nan


@wrong(HAND, mistake="branch_less_gain")
def probabilities(blocks, gain):
    """As if a coin decided between the branch and the shortcut."""
    return by_terms(blocks, lambda k: count(blocks, k) * gain**k * (1.0 - gain) ** (blocks - k))


@wrong(HAND, mistake="squares_added")
def energies(blocks, gain):
    return closed_form(blocks, gain * gain)


@wrong(HAND, mistake="in_order")
def sequences(blocks, gain):
    counts = [1]
    for k in range(blocks):
        counts.append(counts[-1] * (blocks - k))
    return by_terms(blocks, lambda k: float(counts[k] * gain**k))


@wrong(HAND)
def lengths_in_layers(blocks, gain):
    """Each branch has two convolutions, with the gain in each of them."""
    shares = numpy.zeros(2 * blocks + 1)
    shares[::2] = closed_form(blocks, gain)
    return shares[: blocks + 1]


@wrong(HAND)
def without_the_whole_path(blocks, gain):
    return by_terms(blocks, lambda k: count(blocks, k) * gain**k if k < blocks or not k else 0.0)


@wrong(HAND)
def a_list_too_short(blocks, gain):
    return closed_form(blocks, gain)[:-1]


@wrong(HAND)
def largest_is_1(blocks, gain):
    shares = closed_form(blocks, gain)
    return shares / shares.max()


@wrong("test_what_it_is")
def a_list(blocks, gain):
    return closed_form(blocks, gain).tolist()


@wrong(HAND)
def each_block_once_more(blocks, gain):
    return closed_form(blocks + 1, gain)[: blocks + 1]


@wrong(HAND)
def weighted_by_length(blocks, gain):
    return by_terms(blocks, lambda k: count(blocks, k) * gain**k * (k + 1))


@wrong(SMALL)
def gains_up_to_1(blocks, gain):
    return closed_form(blocks, min(gain, 1.0))


@wrong(HAND)
def all_pairs(blocks, gain):
    """The number of paths is blocks^k."""
    return by_terms(blocks, lambda k: (blocks * gain) ** min(k, 50))
