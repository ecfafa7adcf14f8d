"""Exercise 14c: cross entropy with a smoothed target, and what goes wrong with it."""

from minires.backend import xp


def smoothed_cross_entropy(logits, labels, e):
    """The mean cross entropy of a batch, in nats, with a smoothed target.

    logits  (N, K)    labels  (N,), ints from 0 to K - 1    e  how much of the target is spread over all classes
    """
    n, k = logits.shape
    x = logits - logits.max(axis=1, keepdims=True)
    powers = xp.exp(x)
    total = powers.sum(axis=1)
    target = (1 - e) * (labels[:, None] == xp.arange(k)).astype(logits.dtype) + e / k
    losses = xp.log(total) - (target * x).sum(axis=1)

    def backward(g):
        return g * (powers / total[:, None] - target) / n, None

    return losses.sum() / n, backward


def in_engine(smoothed_cross_entropy):
    """Return what the network calls: it leaves the hard target to exercise 04b."""

    def cross_entropy(logits, labels, *, label_smoothing=0.0):
        if not label_smoothing:
            return NotImplemented
        return smoothed_cross_entropy(logits, labels, label_smoothing)

    return cross_entropy


def _target(logits, labels, e):
    k = logits.shape[1]
    one_hot = (labels[:, None] == xp.arange(k)).astype(logits.dtype)
    return (1 - e) * one_hot + e / k


def _loss(logits, target, *, back=None, over=None, under=None):
    """Return (loss, backward). back  the target in backward    over, under  divisors of the loss and its gradient, if not N"""
    n = len(logits)
    x = logits - logits.max(axis=1, keepdims=True)
    log_p = x - xp.log(xp.exp(x).sum(axis=1, keepdims=True))
    difference = xp.exp(log_p) - (target if back is None else back)
    return -(target * log_p).sum() / (over or n), lambda g: (
        g * difference / (under or over or n),
        None,
    )


def among_the_others(logits, labels, e):
    """e is spread over the K - 1 other classes: the label gets its share, e / K, too"""
    k = logits.shape[1]
    return _loss(logits, _target(logits, labels, e * k / max(k - 1, 1)))


def gradient_of_the_hard_target(logits, labels, e):
    """the loss is smoothed, and its gradient is that of the hard target"""
    target = _target(logits, labels, e)
    return _loss(logits, target, back=_target(logits, labels, 0.0))


def loss_of_the_hard_target(logits, labels, e):
    """the gradient is smoothed, and the loss is that of the hard target"""
    hard = _target(logits, labels, 0.0)
    return _loss(logits, hard, back=_target(logits, labels, e))


def never_smoothed(logits, labels, e):
    """e is ignored"""
    return _loss(logits, _target(logits, labels, 0.0))


def label_keeps_one(logits, labels, e):
    """e / K is added everywhere, and the label still has its whole 1: the target sums to 1 + e"""
    return _loss(logits, _target(logits, labels, 0.0) + e / logits.shape[1])


def nothing_spread(logits, labels, e):
    """the label has 1 - e, and the other classes get none of the e: the target sums to 1 - e"""
    return _loss(logits, _target(logits, labels, e) - e / logits.shape[1])


def e_for_each(logits, labels, e):
    """each class gets e instead of e / K"""
    k = logits.shape[1]
    return _loss(logits, _target(logits, labels, e) + (e - e / k))


def turned_round(logits, labels, e):
    """the label gets e and the classes share 1 - e: it should be the other way round"""
    return _loss(logits, _target(logits, labels, 1 - e))


def log_missing_in_part(logits, labels, e):
    """the part that is spread counts the logits' mean without the logarithm of the sum: then large logits cost less and less"""
    hard, n, k = _target(logits, labels, 0.0), *logits.shape
    loss, backward = _loss(logits, hard)
    return (1 - e) * loss - e * logits.sum() / (n * k), lambda g: (
        (1 - e) * backward(g)[0] - g * e / (n * k),
        None,
    )


def summed(logits, labels, e):
    """the losses of the batch are added up: the result should be their mean"""
    return _loss(logits, _target(logits, labels, e), over=1)


def gradient_of_the_sum(logits, labels, e):
    """the loss is divided by N, but its gradient is not"""
    return _loss(logits, _target(logits, labels, e), under=1)


def over_all_numbers(logits, labels, e):
    """the mean is taken over N * K numbers: the loss of an example is a sum over the classes"""
    return _loss(logits, _target(logits, labels, e), over=logits.size)


def overflows(logits, labels, e):
    """e**x overflows for large logits: subtract the largest one first"""
    target, n = _target(logits, labels, e), len(logits)
    powers = xp.exp(logits)
    total = powers.sum(axis=1, keepdims=True)
    loss = (xp.log(total[:, 0]) - (target * logits).sum(axis=1)).sum() / n
    return loss, lambda g: (g * (powers / total - target) / n, None)


def log_of_zero(logits, labels, e):
    """the logarithm is taken of probabilities, some of which are rounded to 0: take it of the sum of powers only"""
    target, n = _target(logits, labels, e), len(logits)
    powers = xp.exp(logits - logits.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    return -(target * xp.log(p)).sum() / n, lambda g: (g * (p - target) / n, None)


def upstream_left_out(logits, labels, e):
    """backward leaves g out"""
    loss, backward = _loss(logits, _target(logits, labels, e))
    return loss, lambda g: backward(1)


def sign_of_the_gradient(logits, labels, e):
    """the gradient is target - softmax: a step along it makes the loss larger"""
    loss, backward = _loss(logits, _target(logits, labels, e))
    return loss, lambda g: backward(-g)
