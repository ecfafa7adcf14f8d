"""Solutions of 11c: pairs that exist, and others."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

HAND, MEAN, ZERO = "test_a_curve_by_hand", "test_the_mean_is_taken_off", "test_lag_0_gives_1"
PAIRS = "test_only_pairs_that_exist_count"


@right
def by_a_loop(g, lag):
    mean = sum(g) / len(g)
    products = [(g[i] - mean) * (g[i + lag] - mean) for i in range(len(g) - lag)]
    return sum(products) / len(products) / (sum((v - mean) ** 2 for v in g) / len(g))


@right
def as_dot_products(g, lag):
    d = g - xp.mean(g)
    n = d.size
    return d[lag:].dot(d[: n - lag]) / (n - lag) * n / d.dot(d)


@right
def by_the_variance(g, lag):
    d = (g - g.mean()) / g.std()
    return xp.mean(d[: d.shape[0] - lag] * d[lag:])


@right
def with_correlate(g, lag):
    d = g - g.mean()
    return numpy.correlate(d, d, "full")[len(d) - 1 + lag] / (len(d) - lag) / d.var()


@wrong(MEAN, mistake="mean_left_in")
def raw_products(g, lag):
    return g[: len(g) - lag].dot(g[lag:]) / (len(g) - lag) / (g.dot(g) / len(g))


@wrong(HAND, mistake="turned_around")
def round_and_round(g, lag):
    d = g - g.mean()
    shifted = d[(xp.arange(len(d)) + lag) % len(d)]
    return d.dot(shifted) / d.dot(d)


@wrong(HAND, mistake="divided_by_n")
def sums(g, lag):
    d = g - g.mean()
    return d[: len(d) - lag].dot(d[lag:]) / d.dot(d)


@wrong(HAND, mistake="not_normalised")
def covariance(g, lag):
    d = g - g.mean()
    return d[: len(d) - lag].dot(d[lag:]) / (len(d) - lag)


@wrong(PAIRS, mistake="correlation_of_the_parts", crashes=True)
def corrcoef(g, lag):
    a, b = g[: len(g) - lag], g[lag:]
    a, b = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    return a.dot(b) / len(a)


@wrong(ZERO, mistake="empty_at_lag_0")
def up_to_minus_lag(g, lag):
    d = g - g.mean()
    if lag == 0:
        return 0 * d.sum()
    return xp.mean(d[lag:] * d[:-lag]) / d.var()


@wrong(HAND, mistake="mean_of_ratios")
def ratios(g, lag):
    d = g - g.mean()
    a, b = d[: len(d) - lag], d[lag:]
    return xp.mean(a * b / a**2)


@wrong(HAND, mistake="one_too_far")
def from_the_next_one(g, lag):
    d = g - g.mean()
    step = lag + 1 if lag + 1 < len(d) else lag
    return xp.mean(d[step:] * d[: len(d) - step]) / xp.mean(d**2)


@wrong(HAND)
def mean_of_the_first_part(g, lag):
    d = g - g[: len(g) - lag].mean()
    return xp.mean(d[: len(d) - lag] * d[lag:]) / xp.mean(d * d)


@wrong(HAND)
def variance_without_bias(g, lag):
    d = g - g.mean()
    return xp.mean(d[: len(d) - lag] * d[lag:]) / g.var(ddof=1)


@wrong(HAND)
def by_the_standard_deviation(g, lag):
    d = g - g.mean()
    return xp.mean(d[: len(d) - lag] * d[lag:]) / g.std()


@wrong(HAND)
def squared(g, lag):
    return by_the_variance(g, lag) ** 2


@wrong("test_noise_has_hardly_any_and_a_curve_that_alternates_a_negative_one")
def magnitude(g, lag):
    return abs(by_the_variance(g, lag))


@wrong(HAND)
def median_taken_off(g, lag):
    d = g - xp.median(g)
    return xp.mean(d[: len(d) - lag] * d[lag:]) / xp.mean(d * d)


@wrong(HAND)
def from_the_end(g, lag):
    """Pairs of a value and its mirror image."""
    d = g - g.mean()
    return xp.mean(d[: len(d) - lag] * d[::-1][lag:]) / xp.mean(d * d)


@wrong(HAND)
def one_pair_lost(g, lag):
    d = g - g.mean()
    a, b = d[: len(d) - lag], d[lag:]
    return (a[1:] * b[1:]).sum() / max(len(a) - 1, 1) / xp.mean(d * d)
