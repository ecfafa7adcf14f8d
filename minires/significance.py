"""Accuracies and chance: an interval for an accuracy, and a paired test of two networks on the same images.

low, high = interval(8679, 10_000)     correct predictions and images, at 95 % confidence
p = mcnemar(right_a, right_b)          one bool per image for each network, True where it is right
"""

import math
from statistics import NormalDist

from minires.backend import Array, xp
from minires.ops.forms import has_forms

__all__ = ["interval", "mcnemar"]


@has_forms
def interval(hits: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return (low, high): the Wilson interval of an accuracy, from `hits` correct predictions among n images.

    Both ends solve |hits / n - q| = z sqrt(q (1 - q) / n) for q, where a standard normal number lies between -z and z
    with probability `confidence`: these q are not too far from hits / n to have led to it.

    Raises  ValueError: no images, hits that are not among 0 ... n, or a confidence outside 0 < confidence < 1.
    Source  Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"interval: expected 0 <= hits <= n and 1 <= n, got hits {hits}, n {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"interval: expected 0 < confidence < 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    half = z * math.sqrt(hits * (n - hits) / n + z * z / 4)
    low = (hits + z * z / 2 - half) / (n + z * z)
    return low, 1 - (n - hits + z * z / 2 - half) / (n + z * z)


@has_forms
def mcnemar(right_a: Array, right_b: Array) -> float:
    """Return the p-value of McNemar's exact, two-sided test of two networks on the same images.

    right_a, right_b  bools (N,): True where a network is right, image by image

    Only the m images on which exactly one of them is right count. If the networks were equally good, a fair coin would
    decide which one it is. The p-value is the probability that m coins fall at least as unevenly as that, either way.
    It is 1 if the networks are never apart.

    Raises  ValueError: arrays of different shapes.
    Source  McNemar 1947, "Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages".
    """
    right_a, right_b = xp.asarray(right_a, dtype=bool), xp.asarray(right_b, dtype=bool)
    if right_a.shape != right_b.shape or right_a.ndim != 1:
        raise ValueError(
            f"mcnemar: expected two arrays of one shape (N,), got {right_a.shape} and {right_b.shape}"
        )
    m = int((right_a ^ right_b).sum())
    fewer = min(int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum()))
    ways = total = 1  # of k coins among m, and of at most k; as integers, they are exact
    for k in range(fewer):
        ways = ways * (m - k) // (k + 1)
        total += ways
    return min(2 * total / 2**m, 1.0)
