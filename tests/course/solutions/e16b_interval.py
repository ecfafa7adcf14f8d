"""Solutions of 16b."""

import cmath
import math
from fractions import Fraction
from statistics import NormalDist

import numpy

from tests.course.kinds import right, wrong

ORDINARY, BELOW, FEW = (
    "test_an_ordinary_accuracy",
    "test_accuracies_below_a_half",
    "test_few_images",
)
NONE, ALL, ONE = "test_no_hits", "test_hits_only", "test_one_wrong_or_one_right"
CONFIDENCE, MANY = "test_other_confidence", "test_many_images"


def quantile(confidence=0.95):
    return NormalDist().inv_cdf(1 - (1 - confidence) / 2)


def solved(a, b, c):
    """The roots of a q**2 + b q + c, in ascending order."""
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@right
def the_quadratic(hits, n, *, confidence=0.95):
    z, p = quantile(confidence), hits / n
    return solved(1 + z**2 / n, -(2 * p + z**2 / n), p**2)


@right
def the_quadratic_times_n(hits, n, *, confidence=0.95):
    z2 = quantile(confidence) ** 2
    low, high = solved(n + z2, -(2 * hits + z2), hits * hits / n)
    return low, high


@right
def textbook(hits, n, *, confidence=0.95):
    z = quantile(confidence)
    p = hits / n
    denominator = 1 + z**2 / n
    centre = p + z**2 / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (centre - spread) / denominator, (centre + spread) / denominator


@right
def cut_off_at_the_ends(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return max(0.0, low), min(1.0, high)


@right
def pseudo_hits(hits, n, *, confidence=0.95):
    """As if z**2 more images had been seen, half of them hits."""
    z = quantile(confidence)
    images = n + z * z
    middle = (hits + z * z / 2) / images
    half = z / images * math.sqrt(hits * (1 - hits / n) + z * z / 4)
    return [middle - half, middle + half]


@right
def by_numpy(hits, n, *, confidence=0.95):
    z = quantile(confidence)
    middle = numpy.array([hits, hits]) / n + z * z / (2 * n)
    half = numpy.array([-z, z]) * numpy.sqrt(hits * (n - hits) / n**3 + z * z / 4 / n**2)
    low, high = (middle + half) / (1 + z * z / n)
    return low, high


@right
def by_bisection(hits, n, *, confidence=0.95):
    z, p = quantile(confidence), hits / n

    def far(q):
        return (p - q) ** 2 - z * z * q * (1 - q) / n

    def between(inner, outer):
        for _ in range(200):
            middle = (inner + outer) / 2
            inner, outer = (inner, middle) if far(middle) > 0 else (middle, outer)
        return (inner + outer) / 2

    return (0.0 if hits == 0 else between(p, 0.0)), (1.0 if hits == n else between(p, 1.0))


@right
def the_product_of_the_roots(hits, n, *, confidence=0.95):
    """The larger root, and the other one from their product p**2 / a."""
    z, p = quantile(confidence), hits / n
    a, b = 1 + z * z / n, 2 * p + z * z / n
    high = (b + math.sqrt(b * b - 4 * a * p * p)) / (2 * a) if hits < n else 1.0
    return p * p / (a * high), high


@right
def lower_tail(hits, n, *, confidence=0.95):
    z = -NormalDist(0, 1).inv_cdf((1 - confidence) / 2)
    p = hits / n
    half = math.sqrt(z**2 * (4 * hits * (1 - p) + z**2))
    return tuple((2 * hits + z**2 + sign * half) / (2 * (n + z**2)) for sign in (-1, 1))


@wrong(NONE, mistake="deviation_of_the_share")
def wald(hits, n, *, confidence=0.95):
    z = quantile(confidence)
    p = hits / n
    deviation = (p * (1 - p) / n) ** 0.5
    return p - z * deviation, p + z * deviation


@wrong(NONE, mistake="cut_off")
def wald_cut_off(hits, n, *, confidence=0.95):
    low, high = wald(hits, n, confidence=confidence)
    return float(numpy.clip(low, 0, 1)), float(numpy.clip(high, 0, 1))


@wrong(ORDINARY, mistake="one_sided")
def quantile_of_the_confidence(hits, n, *, confidence=0.95):
    return pseudo_hits(hits, n, confidence=2 * confidence - 1 if confidence > 0.5 else 0.0)


@wrong(CONFIDENCE, mistake="confidence_ignored")
def always_95(hits, n, *, confidence=0.95):
    return textbook(hits, n)


@wrong(ORDINARY, mistake="n_minus_1")
def one_image_less(hits, n, *, confidence=0.95):
    z, p = quantile(confidence), hits / n
    n = n - 1 or 1
    denominator = 1 + z**2 / n
    middle, half = (p + z**2 / (2 * n)) / denominator, z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / denominator  # fmt: skip
    return middle - half, middle + half


@wrong(ORDINARY, mistake="around_the_share")
def same_width_around_p(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return hits / n - (high - low) / 2, hits / n + (high - low) / 2


@wrong(ORDINARY, mistake="not_divided")
def numerator_only(hits, n, *, confidence=0.95):
    z, p = quantile(confidence), hits / n
    half = z * math.sqrt(p * (1 - p) / n + (z / 2 / n) ** 2)
    return p + z * z / 2 / n - half, p + z * z / 2 / n + half


@wrong(ORDINARY, mistake="one_n_under_the_root")
def a_square_forgotten(hits, n, *, confidence=0.95):
    z, p = quantile(confidence), hits / n
    half = z * math.sqrt((p * (1 - p) + z * z / 4) / n)
    return (p + z * z / 2 / n - half) / (1 + z * z / n), (p + z * z / 2 / n + half) / (
        1 + z * z / n
    )


@wrong(ORDINARY, mistake="counts")
def in_images(hits, n, *, confidence=0.95):
    return tuple(end * n for end in textbook(hits, n, confidence=confidence))


@wrong(ORDINARY, mistake="one_standard_deviation")
def z_is_1(hits, n, *, confidence=0.95):
    p = hits / n
    half = math.sqrt(p * (1 - p) / n + 1 / (4 * n * n))
    return (p + 0.5 / n - half) / (1 + 1 / n), (p + 0.5 / n + half) / (1 + 1 / n)


@wrong(ORDINARY)
def rounded_z(hits, n, *, confidence=0.95):
    z = 1.96 if confidence == 0.95 else quantile(confidence)
    return textbook(hits, n, confidence=2 * NormalDist().cdf(z) - 1)


@wrong(ORDINARY)
def z_is_2(hits, n, *, confidence=0.95):
    return textbook(hits, n, confidence=2 * NormalDist().cdf(2) - 1)


@wrong(ORDINARY)
def in_percent(hits, n, *, confidence=0.95):
    return tuple(100 * end for end in textbook(hits, n, confidence=confidence))


@wrong(ORDINARY)
def high_first(hits, n, *, confidence=0.95):
    return textbook(hits, n, confidence=confidence)[::-1]


@wrong(ORDINARY)
def middle_and_half(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return (low + high) / 2, (high - low) / 2


@wrong(ORDINARY)
def four_more_images(hits, n, *, confidence=0.95):
    """Agresti and Coull: near, and not the same."""
    z = quantile(confidence)
    n, p = n + z * z, (hits + z * z / 2) / (n + z * z)
    half = z * math.sqrt(p * (1 - p) / n)
    return p - half, p + half


@wrong(ORDINARY)
def continuity(hits, n, *, confidence=0.95):
    low, high = textbook(hits, n, confidence=confidence)
    return max(low - 1 / (2 * n), 0), min(high + 1 / (2 * n), 1)


@wrong(ORDINARY)
def variance_for_deviation(hits, n, *, confidence=0.95):
    p, z = hits / n, quantile(confidence)
    return p - z * p * (1 - p) / n, p + z * p * (1 - p) / n


@wrong(BELOW)
def as_if_above_a_half(hits, n, *, confidence=0.95):
    return textbook(max(hits, n - hits), n, confidence=confidence)


@wrong(NONE)
def no_width_without_hits(hits, n, *, confidence=0.95):
    return (0.0, 0.0) if hits == 0 else textbook(hits, n, confidence=confidence)


@wrong(ALL)
def no_width_with_hits_only(hits, n, *, confidence=0.95):
    return (1.0, 1.0) if hits == n else textbook(hits, n, confidence=confidence)


@wrong(NONE)
def rule_of_three(hits, n, *, confidence=0.95):
    return (0.0, 3 / n) if hits == 0 else textbook(hits, n, confidence=confidence)


@wrong(FEW)
def normal_from_thirty_on(hits, n, *, confidence=0.95):
    return (
        textbook(hits, n, confidence=confidence)
        if n >= 30
        else wald(hits, n, confidence=confidence)
    )


@wrong(CONFIDENCE)
def table_of_quantiles(hits, n, *, confidence=0.95):
    known = {0.95: quantile(0.95), 0.99: quantile(0.99)}
    z = known.get(confidence, 1.0)
    return textbook(hits, n, confidence=2 * NormalDist().cdf(z) - 1)


@wrong(MANY)
def in_float32(hits, n, *, confidence=0.95):
    found = textbook(hits, n, confidence=confidence)
    return found if n <= 10_000 else tuple(float(numpy.float32(end)) for end in found)


@wrong(ORDINARY)
def of_the_mistakes(hits, n, *, confidence=0.95):
    return textbook(n - hits, n, confidence=confidence)


@wrong(CONFIDENCE)
def confidence_in_percent(hits, n, *, confidence=0.95):
    return textbook(hits, n, confidence=0.95 if confidence == 0.95 else confidence / 100)


@right
def fractions_at_the_end(hits, n, *, confidence=0.95):
    z2 = Fraction(quantile(confidence)) ** 2
    root = Fraction(math.sqrt(z2 * (4 * hits * (n - hits) / Fraction(n) + z2)))
    return float((2 * hits + z2 - root) / (2 * (n + z2))), float(
        (2 * hits + z2 + root) / (2 * (n + z2))
    )


@right
def complex_roots(hits, n, *, confidence=0.95):
    z, p = quantile(confidence), hits / n
    a, b = 1 + z * z / n, -(2 * p + z * z / n)
    root = cmath.sqrt(b * b - 4 * a * p * p)
    ends = sorted([((-b - root) / (2 * a)).real, ((-b + root) / (2 * a)).real])
    return ends[0], ends[1]
