"""Strange solutions of 11c."""

import math

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

FAR = "test_a_curve_far_from_0"
HAND, MEAN, ZERO = "test_a_curve_by_hand", "test_the_mean_is_taken_off", "test_lag_0_gives_1"
PAIRS, TURNS = "test_only_pairs_that_exist_count", "test_curves_take_turns"
UNIT, ZEROS = "test_the_unit_of_g_does_not_matter", "test_values_of_0_are_values"
LAID, NAN = "test_g_stays_unchanged_and_may_have_gaps_in_memory", "test_a_nan_is_not_hidden"
SHORT = "test_curves_may_be_short"


def right_one(g, lag):
    d = g - g.mean()
    return (d[: len(d) - lag] * d[lag:]).mean() / (d * d).mean()


@right
def by_fourier(g, lag):
    """The power spectrum of the curve, with as many zeros behind it."""
    d = numpy.concatenate([g - g.mean(), numpy.zeros(len(g))])
    power = numpy.abs(numpy.fft.rfft(d)) ** 2
    sums = numpy.fft.irfft(power, len(d))
    return sums[lag] / (len(g) - lag) / (sums[0] / len(g))


@right
def by_a_matrix(g, lag):
    """d^T S d with ones on a diagonal of S."""
    d = (g - g.mean()).astype("float64")
    return d @ numpy.eye(len(d), k=lag) @ d / (len(d) - lag) / (d @ d / len(d))


@right
def fsum(g, lag):
    values = [float(v) for v in g]
    mean = math.fsum(values) / len(values)
    d = [v - mean for v in values]
    pairs = [*zip(d, d[lag:])]
    return math.fsum(a * b for a, b in pairs) * len(d) / (len(pairs) * math.fsum(v * v for v in d))


@right
def by_differences(g, lag):
    """ab = (a^2 + b^2 - (a - b)^2) / 2."""
    d = (g - g.mean()).astype("float64")
    a, b = d[: len(d) - lag], d[lag:]
    return ((a**2).mean() + (b**2).mean() - ((a - b) ** 2).mean()) / 2 / (d**2).mean()


@right
def windows(g, lag):
    d = g - g.mean()
    seen = numpy.lib.stride_tricks.sliding_window_view(d, lag + 1)
    return numpy.mean(seen[:, 0] * seen[:, -1]) / numpy.var(d)


KEPT = {}


@wrong(TURNS)
def kept_by_the_array(g, lag):
    key = len(g), lag, float(g[0]), float(g[-1])
    return KEPT.setdefault(key, right_one(g, lag))


@wrong(TURNS)
def the_mean_of_the_first_curve(g, lag):
    mean = KEPT.setdefault(len(g), g.mean())
    d = g - mean
    return (d[: len(d) - lag] * d[lag:]).mean() / (d * d).mean()


@wrong(LAID)
def mean_taken_off_in_place(g, lag):
    g -= g.mean()
    return (g[: len(g) - lag] * g[lag:]).mean() / (g * g).mean()


@wrong(LAID)
def forwards_in_memory(g, lag):
    stride = abs(g.strides[0]) if len(g) > 1 else 1
    start = g if g.strides[0] > 0 else g[::-1]
    kept = numpy.lib.stride_tricks.as_strided(start, g.shape, (stride,))
    first = kept if g.strides[0] > 0 else kept + 1e-3 * numpy.arange(len(g))
    return right_one(first, lag)


@wrong(UNIT)
def a_little_added_below(g, lag):
    d = g - g.mean()
    return (d[: len(d) - lag] * d[lag:]).mean() / ((d * d).mean() + 1e-8)


@wrong(ZEROS)
def zeros_left_out(g, lag):
    d = g - g[g != 0].mean()
    return (d[: len(d) - lag] * d[lag:]).mean() / (d * d).mean()


@wrong(ZEROS)
def pairs_with_0_left_out(g, lag):
    d = g - g.mean()
    a, b, filled = d[: len(d) - lag], d[lag:], (g[: len(d) - lag] != 0) & (g[lag:] != 0)
    return (a * b)[filled].sum() / max(filled.sum(), 1) / (d * d).mean()


@wrong(NAN)
def nan_skipped(g, lag):
    d = g - xp.nanmean(g)
    return xp.nanmean(d[: len(d) - lag] * d[lag:]) / xp.nanmean(d * d)


@wrong(PAIRS)
def half_the_curve_at_most(g, lag):
    return right_one(g, min(lag, len(g) // 2))


@wrong(PAIRS)
def between_minus_1_and_1(g, lag):
    return xp.clip(right_one(g, lag), -1, 1)


@wrong(HAND)
def trend_taken_off(g, lag):
    t = numpy.arange(len(g))
    d = g - numpy.polyval(numpy.polyfit(t, g, 1), t)
    return (d[: len(d) - lag] * d[lag:]).mean() / (d * d).mean()


@wrong(SHORT)
def padded(g, lag):
    """A short curve is continued by its last value."""
    if len(g) < 4:
        g = numpy.concatenate([g, numpy.full(4 - len(g), g[-1])])
    return right_one(g, lag)


@wrong(HAND)
def rounded(g, lag):
    return round(float(right_one(g, lag)), 3)


@wrong(ZERO)
def an_array_of_one(g, lag):
    return numpy.array([right_one(g, lag)])


@wrong(FAR)
def variance_by_moments(g, lag):
    """mean(g^2) - mean(g)^2 loses its digits where the mean is large."""
    d, n = g - g.mean(), len(g)
    return (d[: n - lag] * d[lag:]).mean() / ((g * g).mean() - g.mean() ** 2)


@wrong(PAIRS)
def every_lag_th_pair(g, lag):
    d, n, step = g - g.mean(), len(g), max(lag, 1)
    return (d[: n - lag : step] * d[lag::step]).mean() / (d * d).mean()
