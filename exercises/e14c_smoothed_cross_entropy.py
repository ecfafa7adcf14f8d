"""Exercise 14c, chapter 14, 25 minutes: a softer target. Check: pytest exercises/test_e14c_smoothed_cross_entropy.py"""

from minires.backend import xp


def smoothed_cross_entropy(logits, labels, e):
    """The mean cross entropy of a batch, in nats, with a smoothed target.

    logits  (N, K)    labels  (N,), ints from 0 to K - 1    e  how much of the target is spread over all classes

    The target of an example is e / K for each of the K classes, and 1 - e more for its label. Its loss is -sum(target *
    log(softmax(logits))), and the loss is the mean over the N examples. Return (loss, backward), as ops do; backward(g)
    takes an array of shape () and returns a tuple (g_logits, None). Leave logits and labels unchanged. e is a Python float
    from 0 to 1. labels may have any int dtype, and you needn't check them. Loss and gradient have the dtype of the logits,
    float32 or float64, and the loss has shape (). Logits of 1000 must not overflow. This time there's no log_softmax to
    import: write the loss from the logits. Chapter 14.
    To derive: the target sums to 1, so the loss of an example is a logarithm minus two terms that are linear in the logits.
    Which ones? And what is its gradient?
    """
    raise NotImplementedError("exercise 14c: write smoothed_cross_entropy")
