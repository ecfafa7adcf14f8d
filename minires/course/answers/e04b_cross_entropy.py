"""Exercise 04b: what goes wrong with cross_entropy."""

from minires.backend import xp
from minires.ops.loss import log_softmax


def _target(logits, labels, smoothing):
    k = logits.shape[1]
    one_hot = (labels[:, None] == xp.arange(k)).astype(logits.dtype)
    return (1 - smoothing) * one_hot + smoothing / k


def _loss(log_p, target, back_target=None, *, over=None, under=None):
    """Return (loss, backward). over, under  what the loss and its gradient are divided by, where it is not N."""
    n = len(log_p)
    difference = xp.exp(log_p) - (target if back_target is None else back_target)
    return -(target * log_p).sum() / (over or n), lambda g: (
        g * difference / (under or over or n),
        None,
    )


def summed(logits, labels, *, label_smoothing=0.0):
    """the losses of the batch are added up: the result should be their mean"""
    return _loss(log_softmax(logits)[0], _target(logits, labels, label_smoothing), over=1)


def gradient_of_the_sum(logits, labels, *, label_smoothing=0.0):
    """the loss is divided by N, but its gradient is not"""
    return _loss(log_softmax(logits)[0], _target(logits, labels, label_smoothing), under=1)


def over_all_numbers(logits, labels, *, label_smoothing=0.0):
    """the mean is taken over all N * K elements: it should be over the N examples, whose losses are sums over K"""
    return _loss(log_softmax(logits)[0], _target(logits, labels, label_smoothing), over=logits.size)


def softmax_twice(logits, labels, *, label_smoothing=0.0):
    """softmax is applied twice: log_softmax takes logits, and here it gets probabilities"""
    log_p = log_softmax(xp.exp(log_softmax(logits)[0]))[0]
    return _loss(log_p, _target(logits, labels, label_smoothing))


def smoothing_left_out(logits, labels, *, label_smoothing=0.0):
    """label_smoothing is left out: the target is 1 at the label and 0 elsewhere"""
    return _loss(log_softmax(logits)[0], _target(logits, labels, 0.0))


def among_the_others(logits, labels, *, label_smoothing=0.0):
    """label_smoothing is spread over the K - 1 other classes: it should be spread over all K, including the label's own"""
    k = logits.shape[1]
    return _loss(log_softmax(logits)[0], _target(logits, labels, label_smoothing * k / (k - 1)))


def smoothing_not_taken_off(logits, labels, *, label_smoothing=0.0):
    """label_smoothing / K is added everywhere, and the label keeps its whole 1: the target no longer sums to 1"""
    spread = label_smoothing / logits.shape[1]
    return _loss(log_softmax(logits)[0], _target(logits, labels, 0.0) + spread)


def smoothing_in_the_loss_only(logits, labels, *, label_smoothing=0.0):
    """label_smoothing is in the loss, but not in its gradient"""
    return _loss(
        log_softmax(logits)[0],
        _target(logits, labels, label_smoothing),
        _target(logits, labels, 0.0),
    )


def overflows(logits, labels, *, label_smoothing=0.0):
    """softmax is computed without subtracting the maximum, and then its logarithm: log_softmax does both safely"""
    powers = xp.exp(logits)
    p = powers / powers.sum(axis=1, keepdims=True)
    return _loss(xp.log(p), _target(logits, labels, label_smoothing))


def upstream_left_out(logits, labels, *, label_smoothing=0.0):
    """backward leaves g out"""
    loss, backward = _loss(log_softmax(logits)[0], _target(logits, labels, label_smoothing))
    return loss, lambda g: backward(1)


def sign_of_the_gradient(logits, labels, *, label_smoothing=0.0):
    """the gradient is target - softmax: a step along it makes the loss larger"""
    loss, backward = _loss(log_softmax(logits)[0], _target(logits, labels, label_smoothing))
    return loss, lambda g: backward(-g)


def target_left_out(logits, labels, *, label_smoothing=0.0):
    """the gradient is softmax / N: the target is not subtracted"""
    log_p = log_softmax(logits)[0]
    return _loss(log_p, _target(logits, labels, label_smoothing), xp.zeros_like(log_p))


def softmax_left_out(logits, labels, *, label_smoothing=0.0):
    """the gradient is that of log_p, -target / N: it still has to pass through log_softmax to the logits"""
    n, target = len(logits), _target(logits, labels, label_smoothing)
    return _loss(log_softmax(logits)[0], target)[0], lambda g: (-g * target / n, None)


def float64_one_hot(logits, labels, *, label_smoothing=0.0):
    """the one-hot target is float64, as xp.eye and xp.zeros make it, so that float32 logits get a float64 gradient"""
    return _loss(log_softmax(logits)[0], _target(logits, labels, label_smoothing).astype("float64"))
