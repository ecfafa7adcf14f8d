"""Solutions of 14c."""

from minires.backend import xp
from tests.course.kinds import right, wrong

HARD, LOSS = "test_without_smoothing_it_is_cross_entropy", "test_the_loss_of_two_examples_is_right"
GRADIENT, ONE, DTYPE = (
    "test_the_gradient_is_that_of_the_loss",
    "test_e_may_be_1",
    "test_the_loss_has_the_dtype_of_the_logits",
)
LARGE, FEW = "test_a_thousand_does_not_overflow", "test_there_may_be_one_example_or_two_classes"


def lse(x):
    """Return the logarithm of the sum of e**x, for each row."""
    top = x.max(axis=1)
    return top + xp.log(xp.exp(x - top[:, None]).sum(axis=1))


def softmax(x):
    return xp.exp(x - lse(x)[:, None])


def smoothed(logits, labels, e):
    target = xp.full(logits.shape, e / logits.shape[1], logits.dtype)
    target[xp.arange(len(labels)), labels] += 1 - e
    return target


@right
def three_terms(logits, labels, e):
    n, k = logits.shape
    at_label = logits[xp.arange(n), labels]
    loss = (lse(logits) - (1 - e) * at_label - e * logits.mean(axis=1)).mean()

    def backward(g):
        g_logits = softmax(logits) - logits.dtype.type(e / k)
        g_logits[xp.arange(n), labels] -= 1 - e
        return g_logits * (g / n), None

    return loss, backward


@right
def two_losses(logits, labels, e):
    """(1 - e) times the hard one, and e times that of a uniform target."""
    n = len(logits)
    log_p = logits - lse(logits)[:, None]
    hard, uniform = -log_p[xp.arange(n), labels], -log_p.mean(axis=1)
    target = smoothed(logits, labels, e)
    return ((1 - e) * hard + e * uniform).sum() / n, lambda g: (
        g * (xp.exp(log_p) - target) / n,
        None,
    )


@right
def one_by_one(logits, labels, e):
    n, k = logits.shape
    loss, gradient = 0.0, xp.zeros((n, k), "float64")
    for i in range(n):
        x = logits[i].astype("float64")
        x = x - x.max()
        log_sum = xp.log(xp.exp(x).sum())
        for j in range(k):
            target = e / k + (1 - e if j == labels[i] else 0)
            loss -= target * (x[j] - log_sum) / n
            gradient[i, j] = (xp.exp(x[j] - log_sum) - target) / n
    return xp.asarray(loss).astype(logits.dtype), lambda g: (
        (g * gradient).astype(logits.dtype),
        None,
    )


@right
def relative_to_the_label(logits, labels, e):
    """Distances from the label's logit."""
    n, k = logits.shape
    d = logits - logits[xp.arange(n), labels][:, None]
    loss = (lse(d) - e * d.sum(axis=1) / k).sum() / n
    return loss, lambda g: ((softmax(d) - smoothed(logits, labels, e)) * g / n, None)


@right
def by_eye(logits, labels, e):
    n, k = logits.shape
    target = (1 - e) * xp.eye(k, dtype=logits.dtype)[labels] + e / k
    loss = lse(logits) - xp.einsum("nk,nk->n", target, logits)
    return xp.mean(loss), lambda g: (g / n * (softmax(logits) - target), None)


def made(logits, target, *, back=None, over=None, under=None):
    """Return (loss, backward) by three terms."""
    n = len(logits)
    back = target if back is None else back
    loss = (lse(logits)[:, None] * target - target * logits).sum() / (over or n)
    return loss, lambda g: (g * (softmax(logits) - back) / (under or over or n), None)


@wrong(LOSS, mistake="among_the_others")
def others_only(logits, labels, e):
    n, k = logits.shape
    target = xp.full((n, k), e / (k - 1), logits.dtype)
    target[xp.arange(n), labels] = 1 - e
    return made(logits, target)


@wrong(GRADIENT, mistake="gradient_of_the_hard_target")
def smooth_forward_only(logits, labels, e):
    return made(logits, smoothed(logits, labels, e), back=smoothed(logits, labels, 0.0))


@wrong(LOSS, mistake="loss_of_the_hard_target")
def smooth_backward_only(logits, labels, e):
    return made(logits, smoothed(logits, labels, 0.0), back=smoothed(logits, labels, e))


@wrong(LOSS, mistake="never_smoothed")
def hard(logits, labels, e):
    return made(logits, smoothed(logits, labels, 0.0))


@wrong(LOSS, mistake="label_keeps_one")
def whole_one_and_more(logits, labels, e):
    return made(logits, smoothed(logits, labels, 0.0) + logits.dtype.type(e / logits.shape[1]))


@wrong(LOSS, mistake="nothing_spread")
def less_than_one(logits, labels, e):
    return made(logits, (1 - e) * smoothed(logits, labels, 0.0))


@wrong(LOSS, mistake="e_for_each")
def e_everywhere(logits, labels, e):
    return made(logits, (1 - e) * smoothed(logits, labels, 0.0) + e)


@wrong(HARD, mistake="turned_round")
def e_at_the_label(logits, labels, e):
    return made(logits, smoothed(logits, labels, 1 - e))


@wrong(LOSS, mistake="log_missing_in_part")
def minus_the_mean(logits, labels, e):
    n, k = logits.shape
    loss, backward = made(logits, smoothed(logits, labels, 0.0))
    return loss * (1 - e) - logits.mean() * e, lambda g: (
        backward(g)[0] * (1 - e) - g * e / n / k,
        None,
    )


@wrong(HARD, mistake="summed")
def total(logits, labels, e):
    return made(logits, smoothed(logits, labels, e), over=1)


@wrong(HARD, mistake="gradient_of_the_sum")
def mean_forward_only(logits, labels, e):
    return made(logits, smoothed(logits, labels, e), under=1)


@wrong(HARD, mistake="over_all_numbers")
def mean_of_everything(logits, labels, e):
    return made(logits, smoothed(logits, labels, e), over=logits.size)


@wrong(LARGE, mistake="overflows")
def plain_powers(logits, labels, e):
    powers, n = xp.exp(logits), len(logits)
    target, total = smoothed(logits, labels, e), powers.sum(axis=1)
    loss = xp.log(total) - (target * logits).sum(axis=1)
    return loss.sum() / n, lambda g: (g * (powers / total[:, None] - target) / n, None)


@wrong(LARGE, mistake="log_of_zero")
def log_of_p(logits, labels, e):
    p, target, n = softmax(logits), smoothed(logits, labels, e), len(logits)
    return -(target * xp.log(p)).sum() / n, lambda g: (g * (p - target) / n, None)


@wrong(HARD, mistake="upstream_left_out")
def without_g(logits, labels, e):
    loss, backward = made(logits, smoothed(logits, labels, e))
    return loss, lambda g: (backward(1)[0], None)


@wrong(HARD, mistake="sign_of_the_gradient")
def uphill(logits, labels, e):
    loss, backward = made(logits, smoothed(logits, labels, e))
    return loss, lambda g: (-backward(g)[0], None)


@wrong(ONE)
def logarithm_of_the_target(logits, labels, e):
    """The distance of two distributions: less by the target's own entropy."""
    target = smoothed(logits, labels, e)
    loss, backward = made(logits, target)
    own = xp.where(target > 0, target * xp.log(xp.where(target > 0, target, 1)), 0).sum() / len(
        logits
    )
    return loss + own, backward


@wrong(HARD)
def base_2(logits, labels, e):
    loss, backward = made(logits, smoothed(logits, labels, e))
    bits = logits.dtype.type(1.4426950408889634)
    return loss * bits, lambda g: (backward(g)[0] * bits, None)


@wrong(HARD)
def gradient_of_the_labels_too(logits, labels, e):
    loss, backward = made(logits, smoothed(logits, labels, e))
    return loss, lambda g: (*backward(g), None)


@wrong(LARGE)
def a_little_inside_the_log(logits, labels, e):
    p, target, n = softmax(logits), smoothed(logits, labels, e), len(logits)
    return -(target * xp.log(p + 1e-30)).sum() / n, lambda g: (g * (p - target) / n, None)
