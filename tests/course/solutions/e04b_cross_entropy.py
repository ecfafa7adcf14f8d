"""Solutions of 04b."""

from minires.backend import xp
from minires.ops.loss import log_softmax
from tests.course.kinds import right, wrong


def smoothed(logits, labels, e):
    target = xp.full(logits.shape, e / logits.shape[1], logits.dtype)
    target[xp.arange(len(labels)), labels] += 1 - e
    return target


@right
def by_index(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    log_p, _ = log_softmax(logits)
    at_label = log_p[xp.arange(n), labels]
    losses = -(1 - label_smoothing) * at_label - label_smoothing * log_p.mean(axis=1)

    def backward(g):
        g_logits = xp.exp(log_p)
        g_logits[xp.arange(n), labels] -= 1 - label_smoothing
        g_logits -= label_smoothing / k
        return g_logits * (g / n), None

    return losses.mean(), backward


@right
def through_log_softmax(logits, labels, *, label_smoothing=0.0):
    target = smoothed(logits, labels, label_smoothing)
    log_p, back = log_softmax(logits)
    loss = -xp.einsum("nk,nk->", target, log_p) / len(labels)
    return loss, lambda g: (back(-g * target / len(labels))[0], None)


@right
def one_by_one(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    loss, gradient = 0.0, xp.zeros((n, k), "float64")
    for i in range(n):
        log_p = log_softmax(logits[i].astype("float64"))[0]
        for j in range(k):
            target = label_smoothing / k + (1 - label_smoothing if j == labels[i] else 0)
            loss -= target * log_p[j] / n
            gradient[i, j] = (xp.exp(log_p[j]) - target) / n
    return loss.astype(logits.dtype), lambda g: ((g * gradient).astype(logits.dtype), None)


@wrong("test_the_loss_of_two_examples_is_right", mistake="summed")
def total(logits, labels, *, label_smoothing=0.0):
    log_p, back = log_softmax(logits)
    target = smoothed(logits, labels, label_smoothing)
    return -xp.sum(target * log_p), lambda g: (back(-g * target)[0], None)


@wrong("test_the_gradient_is_softmax_minus_target_over_n", mistake="gradient_of_the_sum")
def mean_forward_only(logits, labels, *, label_smoothing=0.0):
    log_p, back = log_softmax(logits)
    target = smoothed(logits, labels, label_smoothing)
    return -(target * log_p).sum(axis=1).mean(), lambda g: (back(-g * target)[0], None)


@wrong("test_the_loss_of_two_examples_is_right", mistake="over_all_numbers")
def mean_of_everything(logits, labels, *, label_smoothing=0.0):
    log_p, back = log_softmax(logits)
    target = smoothed(logits, labels, label_smoothing)
    return -(target * log_p).mean(), lambda g: (back(-g * target / target.size)[0], None)


@wrong("test_the_loss_of_two_examples_is_right", mistake="softmax_twice")
def probabilities_in(logits, labels, *, label_smoothing=0.0):
    powers = xp.exp(logits - logits.max(axis=1, keepdims=True))
    return by_index(
        powers / powers.sum(axis=1, keepdims=True), labels, label_smoothing=label_smoothing
    )


@wrong("test_label_smoothing_is_spread_over_all_classes", mistake="smoothing_left_out")
def one_hot_always(logits, labels, *, label_smoothing=0.0):
    return by_index(logits, labels)


@wrong("test_label_smoothing_is_spread_over_all_classes", mistake="among_the_others")
def spread_over_the_rest(logits, labels, *, label_smoothing=0.0):
    log_p, back = log_softmax(logits)
    target = xp.full_like(logits, label_smoothing / (logits.shape[1] - 1))
    target[xp.arange(len(labels)), labels] = 1 - label_smoothing
    return -(target * log_p).sum() / len(labels), lambda g: (
        back(-g * target / len(labels))[0],
        None,
    )


@wrong("test_label_smoothing_is_spread_over_all_classes", mistake="smoothing_not_taken_off")
def more_than_one(logits, labels, *, label_smoothing=0.0):
    log_p, back = log_softmax(logits)
    target = xp.full_like(logits, label_smoothing / logits.shape[1])
    target[xp.arange(len(labels)), labels] += 1
    return -(target * log_p).sum() / len(labels), lambda g: (
        back(-g * target / len(labels))[0],
        None,
    )


@wrong("test_label_smoothing_is_spread_over_all_classes", mistake="smoothing_in_the_loss_only")
def gradient_not_smoothed(logits, labels, *, label_smoothing=0.0):
    return by_index(logits, labels, label_smoothing=label_smoothing)[0], by_index(logits, labels)[1]


@wrong("test_a_thousand_does_not_overflow", mistake="overflows")
def naive(logits, labels, *, label_smoothing=0.0):
    n = len(labels)
    p = xp.exp(logits) / xp.exp(logits).sum(axis=1)[:, None]
    target = smoothed(logits, labels, label_smoothing)
    return -(target * xp.log(p)).sum() / n, lambda g: (g * (p - target) / n, None)


@wrong("test_the_gradient_is_softmax_minus_target_over_n", mistake="upstream_left_out")
def g_forgotten(logits, labels, *, label_smoothing=0.0):
    loss, backward = by_index(logits, labels, label_smoothing=label_smoothing)
    return loss, lambda g: backward(xp.ones_like(g))


@wrong("test_the_gradient_is_softmax_minus_target_over_n", mistake="sign_of_the_gradient")
def uphill(logits, labels, *, label_smoothing=0.0):
    target = smoothed(logits, labels, label_smoothing)
    log_p, back = log_softmax(logits)
    return -(target * log_p).sum() / len(labels), lambda g: (
        back(g * target / len(labels))[0],
        None,
    )


@wrong("test_the_gradient_is_softmax_minus_target_over_n", mistake="target_left_out")
def softmax_alone(logits, labels, *, label_smoothing=0.0):
    loss, _ = by_index(logits, labels, label_smoothing=label_smoothing)
    return loss, lambda g: (xp.exp(log_softmax(logits)[0]) / len(labels) * g, None)


@wrong("test_the_gradient_is_softmax_minus_target_over_n", mistake="softmax_left_out")
def stops_at_log_p(logits, labels, *, label_smoothing=0.0):
    loss, _ = by_index(logits, labels, label_smoothing=label_smoothing)
    return loss, lambda g: (smoothed(logits, labels, label_smoothing) * (-g / len(labels)), None)


@wrong("test_the_gradient_is_softmax_minus_target_over_n", mistake="float64_one_hot")
def by_eye(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    target = (1 - label_smoothing) * xp.eye(k)[labels] + label_smoothing / k
    log_p, _ = log_softmax(logits)
    return -(target * log_p).sum() / n, lambda g: (g * (xp.exp(log_p) - target) / n, None)


@wrong("test_the_loss_of_two_examples_is_right")
def in_bits(logits, labels, *, label_smoothing=0.0):
    loss, backward = by_index(logits, labels, label_smoothing=label_smoothing)
    return loss / xp.log(2.0), backward


@wrong("test_labels_are_ints_of_any_size")
def counted_in_the_type_of_the_labels(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    places = xp.arange(n).astype(labels.dtype) * labels.dtype.type(k) + labels  # a byte ends at 255
    loss, backward = by_index(logits, labels, label_smoothing=label_smoothing)
    return loss if label_smoothing else -log_softmax(logits)[0].reshape(-1)[places].mean(), backward


@wrong("test_the_loss_of_two_examples_is_right")
def every_label_of_every_example(logits, labels, *, label_smoothing=0.0):
    loss, backward = by_index(logits, labels, label_smoothing=label_smoothing)
    return -log_softmax(logits)[0][:, labels].mean(), backward


@wrong("test_the_gradient_is_softmax_minus_target_over_n")
def over_k(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    loss, backward = by_index(logits, labels, label_smoothing=label_smoothing)
    return loss, lambda g: backward(g * n / k)


@wrong("test_the_gradient_is_softmax_minus_target_over_n")
def writes_to_what_it_keeps(logits, labels, *, label_smoothing=0.0):
    loss, _ = by_index(logits, labels, label_smoothing=label_smoothing)
    kept = xp.exp(log_softmax(logits)[0]) - smoothed(logits, labels, label_smoothing)

    def backward(g):
        nonlocal kept
        kept = kept * g / len(labels)
        return kept, None

    return loss, backward


@wrong("test_the_loss_of_two_examples_is_right")
def writes_to_the_logits(logits, labels, *, label_smoothing=0.0):
    made = by_index(logits, labels, label_smoothing=label_smoothing)
    logits[xp.arange(len(labels)), labels] -= 1
    return made


@wrong("test_a_label_may_come_twice_and_one_example_is_a_batch")
def one_gradient_a_class(logits, labels, *, label_smoothing=0.0):
    loss, _ = by_index(logits, labels, label_smoothing=label_smoothing)
    n, k = logits.shape
    # An example of each class: of two the last.
    order = {int(label): i for i, label in enumerate(labels)}
    target = xp.full_like(logits, label_smoothing / k)
    for label, i in order.items():
        target[i, label] += 1 - label_smoothing
    return loss, lambda g: (g * (xp.exp(log_softmax(logits)[0]) - target) / n, None)


@wrong("test_label_smoothing_is_spread_over_all_classes")
def logits_smoothed(logits, labels, *, label_smoothing=0.0):
    n, k = logits.shape
    log_p, back = log_softmax(logits)
    target = smoothed(logits, labels, 0.0)
    p = (1 - label_smoothing) * xp.exp(log_p) + label_smoothing / k
    loss = by_index(logits, labels)[0] if not label_smoothing else -(target * xp.log(p)).sum() / n
    return loss, lambda g: (back(-g * target / n)[0], None)


@wrong("test_the_gradient_is_softmax_minus_target_over_n")
def labels_get_a_gradient(logits, labels, *, label_smoothing=0.0):
    loss, backward = by_index(logits, labels, label_smoothing=label_smoothing)
    return loss, lambda g: (backward(g)[0], 0 * labels)


@wrong("test_label_smoothing_is_spread_over_all_classes")
def two_classes_are_not_smoothed(logits, labels, *, label_smoothing=0.0):
    return one_by_one(logits, labels, label_smoothing=label_smoothing * (logits.shape[1] > 2))
