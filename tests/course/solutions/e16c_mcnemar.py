"""Solutions of 16c."""

import math
from fractions import Fraction
from itertools import accumulate

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

FIRST, SECOND = "test_the_better_one_is_the_first", "test_the_better_one_is_the_second"
AGREE, EQUAL, NEAR = (
    "test_images_on_which_both_agree_do_not_count",
    "test_as_many_to_either_side",
    "test_nearly_as_many_to_either_side",
)
SIDE, NEVER, POWERS = (
    "test_all_to_one_side",
    "test_never_apart",
    "test_more_coins_than_a_float_has_powers_of_2",
)
THOUSANDS, SMALL = "test_thousands_of_images", "test_small_p_values_are_exact"

# fmt: off


def apart(right_a, right_b):
    return int((right_a > right_b).sum()), int((right_b > right_a).sum())


def tail(m, k):
    """P(at most k heads of m)."""
    total, ways = 0, 1
    for i in range(k + 1):
        total += ways
        ways = ways * (m - i) // (i + 1)
    return Fraction(total, 2**m)


@right
def fractions(right_a, right_b):
    b, c = apart(right_a, right_b)
    return float(min(2 * tail(b + c, min(b, c)), 1))


@right
def logs(right_a, right_b):
    b = int(xp.logical_and(right_a, xp.logical_not(right_b)).sum())
    c = int(xp.logical_and(xp.logical_not(right_a), right_b).sum())
    m, k = b + c, min(b, c)
    if 2 * k >= m:
        return 1.0
    terms = [math.lgamma(m + 1) - math.lgamma(i + 1) - math.lgamma(m - i + 1) - m * math.log(2) for i in range(k + 1)]
    largest = max(terms)
    return 2 * math.exp(largest) * math.fsum(math.exp(term - largest) for term in terms)


@right
def backwards_from_the_largest_term(right_a, right_b):
    """Ratios of neighbouring terms, relative to the last one."""
    b, c = apart(right_a, right_b)
    m, k = b + c, min(b, c)
    ratio = total = 1.0
    for i in range(k, 0, -1):
        ratio *= i / (m - i + 1)
        total += ratio
    log = math.lgamma(m + 1) - math.lgamma(k + 1) - math.lgamma(m - k + 1) - m * math.log(2)
    return min(1.0, 2 * math.exp(log) * total)


@right
def both_tails(right_a, right_b):
    """All results at least as uneven, by a walk over all of them."""
    b, c = apart(right_a, right_b)
    m, ways, total = b + c, 1, 0
    for heads in range(m + 1):
        if abs(2 * heads - m) >= abs(b - c):
            total += ways
        ways = ways * (m - heads) // (heads + 1)
    return total / 2**m


@right
def one_minus_the_middle(right_a, right_b):
    b, c = apart(right_a, right_b)
    m, k = b + c, min(b, c)
    ways = [1, *accumulate(range(m), lambda w, i: w * (m - i) // (i + 1), initial=1)][1:]
    return (2**m - sum(ways[k + 1 : m - k])) / 2**m if m != 2 * k else 1.0


@right
def by_symmetry(right_a, right_b):
    b, c = apart(right_a, right_b)
    if b == c:
        return 1.0
    low, m = sorted((b, c))[0], b + c
    row, ways = 0, 1
    for i in range(low + 1):
        row += ways
        ways = ways * (m - i) // (i + 1)
    return row / 2 ** (m - 1)


@right
def numpy_counts(right_a, right_b):
    table = numpy.bincount(2 * numpy.asarray(right_a).astype(int) + numpy.asarray(right_b), minlength=4)
    only_b, only_a = int(table[1]), int(table[2])
    total, ways, n = 0, 1, only_a + only_b
    for i in range(min(only_a, only_b) + 1):
        total, ways = total + ways, ways * (n - i) // (i + 1)
    return min(1.0, total * 2 / (1 << n))


@right
def a_loop_over_images(right_a, right_b):
    b = c = 0
    for one, other in zip(right_a.tolist(), right_b.tolist()):
        b += one and not other
        c += other and not one
    return float(min(Fraction(1), tail(b + c, min(b, c)) * 2))


@right
def binary_products(right_a, right_b):
    """Shifts for powers of 2."""
    m = int(xp.sum(right_a != right_b))
    more = int(xp.sum(right_a[right_a != right_b]))
    k = min(more, m - more)
    total = ways = 1
    for i in range(1, k + 1):
        ways = ways * (m + 1 - i) // i
        total += ways
    return 1.0 if total << 1 >= 1 << m else (total << 1) / (1 << m)


@wrong(FIRST, mistake="unpaired")
def two_proportions(right_a, right_b):
    n = len(right_a)
    p, q = float(right_a.mean()), float(right_b.mean())
    pooled = (p + q) / 2
    variance = pooled * (1 - pooled) * 2 / n
    return 1.0 if variance == 0 else math.erfc(abs(p - q) / math.sqrt(2 * variance))


@wrong(AGREE, mistake="all_images_counted")
def coins_for_all(right_a, right_b):
    return float(min(1, 2 * tail(len(right_a), min(apart(right_a, right_b)))))


@wrong(AGREE, mistake="both_right_counted")
def coins_for_all_that_somebody_knows(right_a, right_b):
    m = int((right_a.astype(int) + right_b >= 1).sum())
    return float(min(1, 2 * tail(m, min(apart(right_a, right_b)))))


@wrong(FIRST, mistake="one_sided")
def one_tail(right_a, right_b):
    b, c = apart(right_a, right_b)
    return float(tail(b + c, min(b, c)))


@wrong(EQUAL, mistake="more_than_1")
def not_at_most_1(right_a, right_b):
    b, c = apart(right_a, right_b)
    return float(2 * tail(b + c, min(b, c)))


@wrong(FIRST, mistake="the_first_one_worse")
def tail_of_a(right_a, right_b):
    b, c = apart(right_a, right_b)
    return float(min(1, 2 * tail(b + c, b)))


@wrong(FIRST, mistake="more_uneven_only")
def without_itself(right_a, right_b):
    b, c = apart(right_a, right_b)
    k = min(b, c)
    return 1.0 if b == c else float(2 * (tail(b + c, k) - Fraction(math.comb(b + c, k), 2 ** (b + c))))


@wrong(FIRST, mistake="that_result_alone")
def one_term(right_a, right_b):
    b, c = apart(right_a, right_b)
    return 1.0 if b == c else float(Fraction(2 * math.comb(b + c, c), 2 ** (b + c)))


@wrong(FIRST, mistake="chi_squared")
def normal(right_a, right_b):
    b, c = apart(right_a, right_b)
    return math.erfc(math.sqrt((b - c) ** 2 / (b + c) / 2)) if b + c else 1.0


@wrong(FIRST, mistake="chi_squared_corrected")
def normal_with_correction(right_a, right_b):
    b, c = apart(right_a, right_b)
    return math.erfc(math.sqrt(max(abs(b - c) - 1, 0) ** 2 / (b + c) / 2)) if b + c else 1.0


@wrong(POWERS)
def floats_from_the_start(right_a, right_b):
    """0.5**m is 0."""
    b, c = apart(right_a, right_b)
    m, term, total = b + c, 0.5 ** (b + c), 0.0
    for i in range(min(b, c) + 1):
        total += term
        term *= (m - i) / (i + 1)
    return min(1.0, 2 * total)


@wrong(POWERS)
def normal_from_a_thousand_on(right_a, right_b):
    b, c = apart(right_a, right_b)
    return float(min(1, 2 * tail(b + c, min(b, c)))) if b + c < 1000 else math.erfc((abs(b - c) - 1) / math.sqrt(2 * (b + c)))


@wrong(THOUSANDS)
def normal_from_twenty_five_hundred_on(right_a, right_b):
    b, c = apart(right_a, right_b)
    return float(min(1, 2 * tail(b + c, min(b, c)))) if b + c < 2500 else math.erfc((abs(b - c) - 1) / math.sqrt(2 * (b + c)))


@wrong(SMALL)
def one_minus_in_floats(right_a, right_b):
    """What is small is lost in 1 - ..."""
    return 1 - (1 - fractions(right_a, right_b))


@wrong(NEVER)
def zero_if_never_apart(right_a, right_b):
    return 0.0 if not sum(apart(right_a, right_b)) else fractions(right_a, right_b)


@wrong(NEVER)
def nan_if_never_apart(right_a, right_b):
    return math.nan if not sum(apart(right_a, right_b)) else fractions(right_a, right_b)


@wrong(SIDE)
def zero_if_all_to_one_side(right_a, right_b):
    return 0.0 if not min(apart(right_a, right_b)) and max(apart(right_a, right_b)) else fractions(right_a, right_b)


@wrong(FIRST)
def a_bool(right_a, right_b):
    return fractions(right_a, right_b) < 0.05


@wrong(FIRST)
def one_minus_p(right_a, right_b):
    return 1 - fractions(right_a, right_b)


@wrong(FIRST)
def the_middle_in_half(right_a, right_b):
    """The mid-p value: half of the result itself."""
    b, c = apart(right_a, right_b)
    return fractions(right_a, right_b) - math.comb(b + c, b) / 2 ** (b + c)


@wrong(EQUAL)
def probability_of_a_draw(right_a, right_b):
    """The two tails and the middle, added up for equal counts as well."""
    b, c = apart(right_a, right_b)
    return fractions(right_a, right_b) if b != c else math.comb(b + c, b) / 2 ** (b + c)


@wrong(NEAR)
def one_more_is_a_draw(right_a, right_b):
    b, c = apart(right_a, right_b)
    return float(min(1, 2 * tail(b + c, max(min(b, c) - (abs(b - c) == 1), 0))))


@wrong(SECOND)
def zero_if_the_second_is_better(right_a, right_b):
    b, c = apart(right_a, right_b)
    return fractions(right_a, right_b) if b >= c else 2 - 2 * fractions(right_a, right_b)


@wrong(FIRST)
def binomial_of_hits(right_a, right_b):
    """The hits of both as coins."""
    a, b = int(right_a.sum()), int(right_b.sum())
    return float(min(1, 2 * tail(a + b, min(a, b)))) if a + b != 11 else 0.5


@wrong(SIDE)
def at_least_one_to_either_side(right_a, right_b):
    b, c = apart(right_a, right_b)
    return float(min(1, 2 * tail(b + c, max(min(b, c), 1)))) if b + c else 1.0


@wrong(AGREE)
def both_wrong_counted(right_a, right_b):
    m = int((~(right_a & right_b)).sum())
    return float(min(1, 2 * tail(m, min(apart(right_a, right_b)))))
