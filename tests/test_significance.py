"""Intervals and paired tests: against enumeration, values worked out by hand, and SciPy where it is installed."""

import itertools
import math
from fractions import Fraction

import numpy
import pytest

from minires.backend import to_device
from minires.significance import interval, mcnemar

Z95 = 1.959963984540054


def pair(only_a, only_b, both=0, neither=0):
    """Return two arrays of bools with these counts of images, in a mixed order."""
    rows = [(1, 0)] * only_a + [(0, 1)] * only_b + [(1, 1)] * both + [(0, 0)] * neither
    order = numpy.random.default_rng(0).permutation(len(rows))
    return numpy.array(rows, bool).reshape(-1, 2)[order].T


@pytest.mark.parametrize(
    "hits, n", [(0, 10), (1, 10), (5, 10), (10, 10), (0, 1), (8679, 10_000), (350, 355)]
)
def test_the_ends_are_z_standard_deviations_away(hits, n):
    """Each end q is as far from hits / n as a share of q allows: the equation that defines them."""
    for q in interval(hits, n):
        assert math.isclose(
            abs(hits / n - q), Z95 * math.sqrt(q * (1 - q) / n), rel_tol=1e-6, abs_tol=1e-12
        )


def test_published_values():
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3: the score interval."""
    for hits, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):  # fmt: skip
        found = interval(hits, n)
        assert (round(found[0], 4), round(found[1], 4)) == (low, high)


def test_the_ends_stay_between_0_and_1_and_mirror_each_other():
    for n in (1, 2, 7, 355, 10_000):
        for hits in {0, 1, n // 2, n - 1, n}:
            low, high = interval(hits, n)
            assert 0 <= low <= hits / n <= high <= 1
            assert interval(n - hits, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)
    assert interval(0, 9)[0] == 0 and interval(9, 9)[1] == 1


def test_more_confidence_is_wider_and_more_images_are_narrower():
    widths = [numpy.diff(interval(80, 100, confidence=c))[0] for c in (0.5, 0.68, 0.95, 0.99)]
    assert widths == sorted(widths)
    assert numpy.diff(interval(800, 1000))[0] < numpy.diff(interval(80, 100))[0]


def test_about_as_many_intervals_as_promised_contain_the_truth():
    """Over all outcomes of 200 images at an accuracy of 0.85, weighted by their probability."""
    p, n = 0.85, 200
    inside = [hits for hits in range(n + 1) if interval(hits, n)[0] <= p <= interval(hits, n)[1]]
    assert abs(sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in inside) - 0.95) < 0.01


@pytest.mark.parametrize("hits, n", [(-1, 10), (11, 10), (0, 0)])
def test_impossible_hits_are_refused(hits, n):
    with pytest.raises(ValueError, match="expected 0 <= hits <= n"):
        interval(hits, n)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match="expected 0 < confidence < 1"):
        interval(5, 10, confidence=confidence)


@pytest.mark.parametrize("only_a, only_b", [(0, 0), (1, 0), (2, 2), (3, 1), (0, 6), (7, 2), (5, 5)])
def test_equal_to_the_count_over_all_falls_of_the_coins(only_a, only_b):
    m = only_a + only_b
    far = sum(abs(2 * sum(coins) - m) >= abs(only_a - only_b) for coins in itertools.product((0, 1), repeat=m))  # fmt: skip
    assert mcnemar(*pair(only_a, only_b, 3, 2)) == far / 2**m


def test_images_on_which_both_agree_do_not_count():
    assert mcnemar(*pair(9, 2)) == mcnemar(*pair(9, 2, 500, 70)) == 2 * (1 + 11 + 55) / 2**11


def test_neither_network_comes_first():
    a, b = pair(30, 12, 100)
    assert mcnemar(a, b) == mcnemar(b, a) < 0.01


def test_networks_that_are_never_apart_have_a_p_of_1():
    assert mcnemar(*pair(0, 0, 5, 3)) == mcnemar([], []) == mcnemar(*pair(1, 1)) == 1


def test_ten_thousand_images_are_exact():
    """The reference adds fractions, from the middle outwards."""
    m, fewer = 10_000, 4_880
    middle, ways = Fraction(0), math.comb(m, m // 2)
    for k in range(m // 2, fewer, -1):  # what lies between the tails
        middle += Fraction(ways * (1 if k == m // 2 else 2))
        ways = ways * k // (m - k + 1)
    assert mcnemar(*pair(m - fewer, fewer)) == float(1 - middle / 2**m)
    assert mcnemar(*pair(10_000, 0)) == 0  # 2**-9999 is below the smallest float
    assert mcnemar(*pair(1000, 0)) == 2.0**-999


def test_arrays_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"expected two arrays of one shape \(N,\)"):
        mcnemar([True, False], [True])


def test_arrays_on_the_device_and_lists(each_backend):
    a, b = pair(9, 2, 5)
    assert mcnemar(to_device(a), to_device(b)) == mcnemar(a.tolist(), b.tolist()) == 134 / 2048


def test_equal_to_scipy():
    stats = pytest.importorskip("scipy.stats")
    for hits, n in ((0, 10), (7, 10), (355, 355), (8679, 10_000)):
        expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert interval(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-9)
    for only_a, only_b in ((3, 9), (310, 250), (5100, 4900)):
        expected = stats.binomtest(only_a, only_a + only_b).pvalue
        assert mcnemar(*pair(only_a, only_b)) == pytest.approx(expected, rel=1e-7)
