"""Strange solutions of 04b."""

import math
from functools import partial

from minires.backend import xp
from minires.ops.loss import log_softmax
from tests.course.kinds import right, wrong

HAND, GRADIENT = (
    "test_the_loss_of_two_examples_is_right",
    "test_the_gradient_is_softmax_minus_target_over_n",
)
TWICE = "test_a_label_may_come_twice_and_one_example_is_a_batch"
SMOOTH = "test_label_smoothing_is_spread_over_all_classes"
SQUARE, MANY = (
    "test_there_may_be_as_many_examples_as_classes",
    "test_there_may_be_hundreds_of_classes_or_examples",
)


def target_of(logits, labels, e):
    k = logits.shape[1]
    one_hot = (labels.reshape(-1, 1) == xp.arange(k)).astype(logits.dtype)
    return (1 - e) * one_hot + e / k


def op(logits, target, n=None):
    log_p = log_softmax(logits)[0]
    n = n or len(logits)
    return -(target * log_p).sum() / n, lambda g: (g * (xp.exp(log_p) - target) / n, None)


@right
def taken_and_put_along_the_axis(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    place = labels.astype("int64")[:, None]
    log_p = log_softmax(logits)[0]
    at_label = xp.take_along_axis(log_p, place, axis=1)
    losses = (1 - label_smoothing) * at_label[:, 0] + label_smoothing / k * log_p.sum(axis=1)
    target = xp.full(logits.shape, label_smoothing / k, logits.dtype)
    xp.put_along_axis(
        target, place, logits.dtype.type(1 - label_smoothing + label_smoothing / k), 1
    )

    def backward(g):
        return (xp.exp(log_p) - target) * (g / n), None

    return -losses.mean(), backward


@right
def log_of_the_sum_less_the_target(logits, labels, *, label_smoothing=0.0):
    target = target_of(logits, labels, label_smoothing)
    top = logits.max(axis=1, keepdims=True)
    powers = xp.exp(logits - top)
    total = powers.sum(axis=1)
    losses = xp.log(total) - ((logits - top) * target).sum(axis=1)

    def backward(g):
        g_logits = powers / total[:, None]
        g_logits -= target
        g_logits *= g
        g_logits /= len(logits)
        return g_logits, None

    return losses.sum() / len(losses), backward


@right
def diagonal_of_a_square(logits, labels, *, label_smoothing=0.0):
    log_p, back = log_softmax(logits)
    n, k = logits.shape
    at_label = xp.einsum("ii->", log_p[:, labels])
    loss = -((1 - label_smoothing) * at_label + label_smoothing / k * log_p.sum()) / n

    def backward(g):
        pulled = xp.zeros_like(logits)
        xp.add.at(pulled, (xp.arange(n), labels), (label_smoothing - 1) / n)
        pulled -= label_smoothing / k / n
        return back(pulled * g)[0], None

    return loss, backward


@right
def example_by_example_in_python(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    loss, rows = 0.0, []
    for scores, label in zip(logits.tolist(), labels.tolist()):
        top = max(scores)
        norm = top + math.log(math.fsum(math.exp(score - top) for score in scores))
        target = [label_smoothing / k] * k
        target[label] += 1 - label_smoothing
        loss -= math.fsum(t * (score - norm) for t, score in zip(target, scores))
        rows.append([(math.exp(score - norm) - t) / n for t, score in zip(target, scores)])
    gradient = xp.array(rows, dtype=logits.dtype)
    return logits.dtype.type(loss / n), lambda g: (float(g) * gradient, None)


def _back(difference, n, g):
    return xp.multiply(difference, g) / n, None


@right
def partial_of_a_function(logits, labels, *, label_smoothing=0.0):
    target = xp.eye(logits.shape[1], dtype=logits.dtype)[labels] * (1 - label_smoothing)
    target += label_smoothing / logits.shape[1]
    log_p = log_softmax(logits)[0]
    loss = xp.tensordot(target, -log_p, axes=2) / len(labels)
    return loss, partial(_back, xp.exp(log_p) - target, len(labels))


@right
def mean_of_two_losses(logits, labels, *, label_smoothing=0.0):
    """(1 - e) times the loss of the labels, plus e times that of a uniform target."""
    at_label, back_label = op(logits, target_of(logits, labels, 0.0))
    uniform, back_uniform = op(logits, xp.full_like(logits, 1 / logits.shape[1]))

    def backward(g):
        first, second = back_label(g)[0], back_uniform(g)[0]
        return (1 - label_smoothing) * first + label_smoothing * second, None

    return (1 - label_smoothing) * at_label + label_smoothing * uniform, backward


@wrong("test_the_loss_has_the_dtype_of_the_logits")
def float_of_the_loss(logits, labels, *, label_smoothing=0.0):
    loss, backward = op(logits, target_of(logits, labels, label_smoothing))
    return float(loss), backward


@wrong("test_the_loss_has_the_dtype_of_the_logits")
def loss_in_float64(logits, labels, *, label_smoothing=0.0):
    loss, backward = op(logits, target_of(logits, labels, label_smoothing))
    return xp.float64(loss), lambda g: backward(g.astype(logits.dtype))


@wrong(HAND)
def loss_with_an_axis(logits, labels, *, label_smoothing=0.0):
    loss, backward = op(logits, target_of(logits, labels, label_smoothing))
    return xp.full((1,), loss), lambda g: backward(g.sum())


@wrong(MANY)
def labels_as_bytes(logits, labels, *, label_smoothing=0.0):
    return op(logits, target_of(logits, labels.astype("uint8"), label_smoothing))


@wrong(MANY)
def labels_as_signed_bytes(logits, labels, *, label_smoothing=0.0):
    return op(
        logits,
        target_of(logits, labels.astype("int8").astype("int64") % logits.shape[1], label_smoothing),
    )


@wrong(SQUARE)
def rows_by_label_and_columns_by_example(logits, labels, *, label_smoothing=0.0):
    target = target_of(logits, labels, label_smoothing)
    return op(logits, target.T if len(target) == target.shape[1] else target)


@wrong(SMOOTH)
def smoothing_over_the_batch(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    spread = label_smoothing / n - label_smoothing / k
    return op(logits, target_of(logits, labels, label_smoothing) + spread)


@wrong(SMOOTH)
def label_without_its_part_of_the_smoothing(logits, labels, *, label_smoothing=0.0):
    one_hot, k = target_of(logits, labels, 0.0), logits.shape[1]
    return op(
        logits, xp.where(one_hot > 0, 1 - label_smoothing, label_smoothing / k).astype(logits.dtype)
    )


@wrong(SMOOTH)
def full_smoothing_is_none(logits, labels, *, label_smoothing=0.0):
    return op(logits, target_of(logits, labels, label_smoothing if label_smoothing < 1 else 0.0))


@wrong(GRADIENT)
def classes_renumbered(logits, labels, *, label_smoothing=0.0):
    numbers = xp.unique(labels, return_inverse=True)[1]
    return op(logits, target_of(logits, numbers.reshape(-1), label_smoothing))


@wrong(TWICE)
def mean_over_the_classes_of_the_batch(logits, labels, *, label_smoothing=0.0):
    target = target_of(logits, labels, label_smoothing)
    return op(logits, target, n=len(set(labels.tolist())))


@wrong(TWICE)
def each_class_counts_the_same(logits, labels, *, label_smoothing=0.0):
    log_p = log_softmax(logits)[0]
    target = target_of(logits, labels, label_smoothing)
    counts = (labels[:, None] == labels).sum(axis=1)
    share = (1 / counts / (1 / counts).sum()).astype(logits.dtype)[:, None]
    loss = -(share * target * log_p).sum()
    return loss, lambda g: (g * share * (xp.exp(log_p) - target), None)


@wrong(HAND)
def class_0_is_padding(logits, labels, *, label_smoothing=0.0):
    target = target_of(logits, labels, label_smoothing)
    seen = (labels > 0).astype(logits.dtype)[:, None]
    log_p = log_softmax(logits)[0]
    n = max(float(seen.sum()), 1.0)
    return -(seen * target * log_p).sum() / n, lambda g: (
        g * seen * (xp.exp(log_p) - target) / n,
        None,
    )


@wrong(GRADIENT)
def gradient_by_finite_differences(logits, labels, *, label_smoothing=0.0):
    target = target_of(logits, labels, label_smoothing)
    loss = op(logits, target)[0]

    def backward(g):
        g_logits = xp.zeros_like(logits)
        for index in xp.ndindex(logits.shape):
            step = xp.zeros_like(logits)
            step[index] = 1e-5
            higher, lower = op(logits + step, target)[0], op(logits - step, target)[0]
            g_logits[index] = (higher - lower) / 2e-5
        return g * g_logits, None

    return loss, backward


@wrong("test_a_thousand_does_not_overflow")
def a_small_number_in_the_logarithm(logits, labels, *, label_smoothing=0.0):
    p = xp.exp(log_softmax(logits)[0])
    target = target_of(logits, labels, label_smoothing)
    tiny = logits.dtype.type(1e-15)
    return -(target * xp.log(p + tiny)).sum() / len(p), lambda g: (g * (p - target) / len(p), None)


@wrong(GRADIENT)
def state_of_the_function(logits, labels, *, label_smoothing=0.0):
    loss, backward = op(logits, target_of(logits, labels, label_smoothing))
    state_of_the_function.backward = backward
    return loss, lambda g: state_of_the_function.backward(g)


@wrong(HAND)
def labels_counted_from_1(logits, labels, *, label_smoothing=0.0):
    return op(logits, target_of(logits, (labels - 1) % logits.shape[1], label_smoothing))


@wrong(HAND)
def labels_written_to(logits, labels, *, label_smoothing=0.0):
    made = op(logits, target_of(logits, labels, label_smoothing))
    labels *= 0
    return made


@wrong("test_memory_may_be_in_pieces")
def labels_as_they_are_in_memory(logits, labels, *, label_smoothing=0.0):
    base = labels.base if labels.base is not None and labels.base.ndim == 1 else labels
    return op(logits, target_of(logits, base[: len(labels)] % logits.shape[1], label_smoothing))


TARGETS = {}


@wrong(HAND)
def targets_kept_by_the_array_of_labels(logits, labels, *, label_smoothing=0.0):
    key = id(labels), logits.shape, logits.dtype, label_smoothing
    if key not in TARGETS:
        TARGETS[key] = labels, target_of(logits, labels, label_smoothing)
    return op(logits, TARGETS[key][1])


@wrong("test_label_smoothing_is_spread_over_all_classes")
def as_many_classes_as_labels_say(logits, labels, *, label_smoothing=0.0):
    (n, k), (log_p, _) = logits.shape, log_softmax(logits)
    target = xp.full((n, k), label_smoothing / (int(labels.max()) + 1), logits.dtype)
    target[xp.arange(n), labels] += 1 - label_smoothing
    loss = -(target * log_p).sum() / n
    return loss.astype(logits.dtype), lambda g: (
        (g * (xp.exp(log_p) - target) / n).astype(logits.dtype),
        None,
    )


@wrong("test_nan_is_not_hidden")
def nan_sum(logits, labels, *, label_smoothing=0.0):
    target = target_of(logits, labels, label_smoothing)
    loss = -xp.nansum(target * log_softmax(logits)[0]) / len(logits)
    return loss, op(logits, target)[1]
