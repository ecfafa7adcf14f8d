"""Strange solutions of 14c."""

import math

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong
from tests.course.solutions.e14c_smoothed_cross_entropy import (
    DTYPE,
    FEW,
    GRADIENT,
    HARD,
    LARGE,
    LOSS,
    ONE,
    lse,
    made,
    smoothed,
    softmax,
)

SQUARE, LABELS = (
    "test_there_may_be_as_many_examples_as_classes",
    "test_labels_are_ints_of_any_dtype",
)
OFTEN, PIECES = "test_a_label_may_come_several_times_or_never", "test_memory_may_be_in_pieces"


@right
def logaddexp(logits, labels, e):
    n = len(logits)
    total = numpy.logaddexp.reduce(logits, axis=1, keepdims=True)
    target = smoothed(logits, labels, e)
    loss = (total[:, 0] - (target * logits).sum(axis=1)).mean()
    return loss, lambda g: ((xp.exp(logits - total) - target) * g / n, None)


class Loss:
    """An op as a class, with backward as a method."""

    def __init__(self, logits, labels, e):
        self.difference = softmax(logits) - smoothed(logits, labels, e)

    def backward(self, g):
        return self.difference * (g / len(self.difference)), None


@right
def bound_method(logits, labels, e):
    target = smoothed(logits, labels, e)
    return (lse(logits) - (logits * target).sum(axis=1)).mean(), Loss(logits, labels, e).backward


@right
def labels_as_python_ints(logits, labels, e):
    k = logits.shape[1]
    target = [[e / k + (1 - e) * (j == label) for j in range(k)] for label in labels.tolist()]
    return made(logits, xp.asarray(target, dtype=logits.dtype))


@right
def exact_sums(logits, labels, e):
    n, k = logits.shape
    x = logits.astype("float64")
    losses = []
    for row, label in zip(x.tolist(), labels.tolist()):
        top = max(row)
        total = top + math.log(math.fsum(math.exp(v - top) for v in row))
        losses.append(total - (1 - e) * row[label] - e * math.fsum(row) / k)
    loss = xp.asarray(math.fsum(losses) / n).astype(logits.dtype)
    return loss, lambda g: made(logits, smoothed(logits, labels, e))[1](g)


@right
def by_differences(logits, labels, e):
    """The mean over the targets' classes of log(sum of e**(x - x[j]))."""
    n = len(logits)
    d = logits[:, :, None] - logits[:, None, :]  # (N, K, K): how far each is above each
    top = d.max(axis=1, keepdims=True)
    minus_log_p = (top + xp.log(xp.exp(d - top).sum(axis=1, keepdims=True)))[:, 0]
    target = smoothed(logits, labels, e)
    return (target * minus_log_p).sum() / n, lambda g: (
        g * (xp.exp(-minus_log_p) - target) / n,
        None,
    )


KEPT = {}


@wrong(HARD)
def kept_on_the_module(logits, labels, e):
    KEPT["difference"] = softmax(logits) - smoothed(logits, labels, e)
    loss, _ = made(logits, smoothed(logits, labels, e))
    return loss, lambda g: (g * KEPT["difference"] / len(KEPT["difference"]), None)


@wrong(HARD)
def target_kept_by_the_shape(logits, labels, e):
    target = KEPT.setdefault((logits.shape, e, logits.dtype.str), smoothed(logits, labels, e))
    return made(logits, target)


@wrong(HARD)
def backward_in_place(logits, labels, e):
    difference, n = softmax(logits) - smoothed(logits, labels, e), len(logits)
    loss, _ = made(logits, smoothed(logits, labels, e))

    def backward(g):
        nonlocal difference
        difference *= g / n
        return difference, None

    return loss, backward


@wrong(HARD)
def logits_in_place(logits, labels, e):
    logits -= logits.max(axis=1, keepdims=True)
    return made(logits, smoothed(logits, labels, e))


@wrong(DTYPE)
def python_float(logits, labels, e):
    loss, backward = made(logits.astype("float64"), smoothed(logits, labels, e).astype("float64"))
    return numpy.float64(loss), lambda g: (backward(g)[0].astype(logits.dtype), None)


@wrong(DTYPE)
def target_in_float64(logits, labels, e):
    one_hot = xp.eye(logits.shape[1])[labels]
    return made(logits, (1 - e) * one_hot + e / logits.shape[1])


@wrong(LABELS)
def labels_in_a_byte(logits, labels, e):
    return made(logits, smoothed(logits, labels.astype("uint8").astype(int) % logits.shape[1], e))


@wrong(LARGE)
def largest_of_all(logits, labels, e):
    """One maximum for the batch: a row of small logits underflows to log 0."""
    x, target, n = logits - logits.max(), smoothed(logits, labels, e), len(logits)
    powers = xp.exp(x)
    total = powers.sum(axis=1, keepdims=True)
    loss = (xp.log(total[:, 0]) - (target * x).sum(axis=1)).sum() / n
    return loss, lambda g: (g * (powers / total - target) / n, None)


@wrong(SQUARE)
def softmax_over_the_batch_if_square(logits, labels, e):
    if logits.shape[0] == logits.shape[1]:
        return made(logits.T.copy(), smoothed(logits, labels, e).T.copy())
    return made(logits, smoothed(logits, labels, e))


@wrong(FEW)
def squeezed(logits, labels, e):
    loss, backward = made(logits, smoothed(logits, labels, e))
    return loss, lambda g: (backward(g)[0].squeeze(), None)


@wrong(OFTEN)
def classes_that_occur(logits, labels, e):
    """e is spread over the classes of the batch only."""
    k = logits.shape[1]
    seen = (xp.arange(k)[:, None] == labels).any(axis=1)
    hard = smoothed(logits, labels, 0.0)
    return made(logits, (1 - e) * hard + e * (seen / seen.sum()).astype(logits.dtype))


@wrong(LARGE)
def clipped(logits, labels, e):
    x = xp.clip(logits, -50, 50)
    return made(x, smoothed(logits, labels, e))


@wrong(PIECES)
def by_memory(logits, labels, e):
    """The logits in the order in which they are in memory."""
    x = logits.ravel(order="K").reshape(logits.shape)
    return made(x, smoothed(logits, labels, e))


@wrong(ONE)
def never_quite_one(logits, labels, e):
    return made(logits, smoothed(logits, labels, min(e, 0.99)))


@wrong(LOSS)
def probabilities_expected(logits, labels, e):
    n, target = len(logits), smoothed(logits, labels, e)
    return -(target * logits).sum() / n, lambda g: (-g * target / n, None)


@wrong(GRADIENT)
def gradient_through_one_term(logits, labels, e):
    n = len(logits)
    loss, _ = made(logits, smoothed(logits, labels, e))
    return loss, lambda g: (g * (softmax(logits) - smoothed(logits, labels, e / 2)) / n, None)


@wrong(LABELS)
def places_in_the_dtype_of_the_labels(logits, labels, e):
    """The place in a flat array, which a small int can't hold."""
    n, k = logits.shape
    places = xp.arange(n).astype(labels.dtype) * labels.dtype.type(k) + labels
    target = xp.full(n * k, e / k, logits.dtype)
    target[places] += 1 - e
    target, total = target.reshape(n, k), lse(logits)[:, None]
    loss = (target * (total - logits)).sum() / n
    return loss, lambda g: ((xp.exp(logits - total) - target) * g / n, None)
