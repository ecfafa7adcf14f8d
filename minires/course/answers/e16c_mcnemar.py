"""Exercise 16c: what goes wrong with a paired test."""

import math

from minires.backend import xp


def _apart(right_a, right_b):
    """Return the numbers of images on which only a is right, and only b."""
    return int(xp.sum(right_a & ~right_b)), int(xp.sum(right_b & ~right_a))


def _tail(m, k):
    """Return the probability of at most k heads with m fair coins."""
    ways = total = 1 if k >= 0 else 0
    for i in range(k):
        ways = ways * (m - i) // (i + 1)
        total += ways
    return total / 2**m


def _beyond(z):
    """Return the probability of a standard normal number below -z or above z."""
    return math.erfc(z / math.sqrt(2))


def unpaired(right_a, right_b):
    """the two accuracies are compared as if they were of different images: z is their difference divided by the standard deviation of two independent shares"""
    n, hits = len(right_a), (int(right_a.sum()), int(right_b.sum()))
    p = sum(hits) / (2 * n)
    deviation = math.sqrt(2 * p * (1 - p) / n)
    return _beyond(abs(hits[0] - hits[1]) / n / deviation) if deviation else 1.0


def all_images_counted(right_a, right_b):
    """a coin falls for each image: only the images count on which one of the two is right"""
    return min(1.0, 2 * _tail(len(right_a), min(_apart(right_a, right_b))))


def both_right_counted(right_a, right_b):
    """the images on which both are right count too: they say nothing about which of them is better"""
    m = int(xp.sum(right_a | right_b))
    return min(1.0, 2 * _tail(m, min(_apart(right_a, right_b))))


def one_sided(right_a, right_b):
    """only one side is counted: as uneven a result to the other side is as far from what fair coins do"""
    only_a, only_b = _apart(right_a, right_b)
    return _tail(only_a + only_b, min(only_a, only_b))


def more_than_1(right_a, right_b):
    """both sides are added where they are the same: the images in the middle count twice, and p is more than 1"""
    only_a, only_b = _apart(right_a, right_b)
    return 2 * _tail(only_a + only_b, min(only_a, only_b))


def the_first_one_worse(right_a, right_b):
    """the side is always that where the first network is worse: if it is better, the other one should be taken"""
    only_a, only_b = _apart(right_a, right_b)
    return min(1.0, 2 * _tail(only_a + only_b, only_a))


def more_uneven_only(right_a, right_b):
    """the result itself isn't counted, only what is more uneven: "at least as uneven" includes it"""
    only_a, only_b = _apart(right_a, right_b)
    return (
        min(1.0, 2 * _tail(only_a + only_b, min(only_a, only_b) - 1)) if only_a != only_b else 1.0
    )


def that_result_alone(right_a, right_b):
    """the probability is that of this result alone: more uneven ones count as well"""
    only_a, only_b = _apart(right_a, right_b)
    m = only_a + only_b
    return min(1.0, 2 * math.comb(m, only_a) / 2**m) if only_a != only_b else 1.0


def chi_squared(right_a, right_b):
    """the coins are replaced by a normal distribution: (a - b)**2 / (a + b) as chi squared is near for many images, and not exact"""
    only_a, only_b = _apart(right_a, right_b)
    return _beyond(abs(only_a - only_b) / math.sqrt(only_a + only_b)) if only_a + only_b else 1.0


def chi_squared_corrected(right_a, right_b):
    """the coins are replaced by a normal distribution with a correction for whole numbers, (|a - b| - 1)**2 / (a + b): nearer, and not exact"""
    only_a, only_b = _apart(right_a, right_b)
    m = only_a + only_b
    return _beyond(max(abs(only_a - only_b) - 1, 0) / math.sqrt(m)) if m else 1.0
