"""Exercise 04b, chapter 04, 25 minutes: cross entropy and its gradient. Check: pytest exercises/test_e04b_cross_entropy.py"""

from minires.backend import xp
from minires.ops.loss import log_softmax


def cross_entropy(logits, labels, *, label_smoothing=0.0):
    """The mean over the batch of -sum(target * log softmax(logits)), in nats.

    logits  (N, K)    labels  (N,), ints from 0 to K - 1    result  (), of the logits' dtype
    The target is 1 - label_smoothing at the label, plus label_smoothing / K everywhere.

    log_softmax(logits) returns (log_p, its backward); e**log_p is softmax. You needn't check the labels, but
    they may have any int dtype. The loss and its gradient have the dtype of the logits: float32 in, float32 out.
    To derive: the loss of an example is -sum(target * log_p), and its target sums to 1. What is its derivative
    with respect to logits[j]? backward(g) takes one number, an array of shape (), and returns (g_logits, None):
    labels have no gradient. Chapter 04.
    """
    raise NotImplementedError("exercise 04b: write cross_entropy")
