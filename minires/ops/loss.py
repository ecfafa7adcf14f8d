"""From logits to a loss: softmax, cross entropy, mean squared error."""

from minires.backend import xp
from minires.ops.forms import op
from minires.ops.reduce import total


@op
def softmax(x, *, axis=-1):
    """e**x / sum(e**x) along `axis`. The largest x is taken off first: no overflow, the same result.

    Saves  the result.
    """
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    y = powers / total(powers, axis, keepdims=True)

    def backward(g):
        return (y * (g - total(g * y, axis, keepdims=True)),)

    return y, backward


@op
def log_softmax(x, *, axis=-1):
    """x - log(sum(e**x)) along `axis`, with the largest x taken off first.

    Saves  the result.
    """
    x = x - x.max(axis=axis, keepdims=True)
    y = x - xp.log(total(xp.exp(x), axis, keepdims=True))

    def backward(g):
        return (g - xp.exp(y) * total(g, axis, keepdims=True),)

    return y, backward


@op
def cross_entropy(logits, labels, *, label_smoothing=0.0):
    """The mean over the batch of -sum(target * log softmax(logits)), in nats.

    logits  (N, K)    labels  (N,), ints from 0 to K - 1    result  ()
    The target is 1 - label_smoothing at the label, plus label_smoothing / K everywhere.
    The gradient is (softmax(logits) - target) / N.

    Saves  softmax(logits) - target.
    Raises  TypeError: labels that are not ints. ValueError: labels out of range (on a GPU the loss is NaN then: to say more it
    would have to wait for the device), or of another number than the logits.
    """
    check_labels(labels, logits, label_smoothing)
    n, k = logits.shape
    if n and not 0 <= int(labels.min()) <= int(labels.max()) < k:
        low, high = int(labels.min()), int(labels.max())
        raise ValueError(
            f"cross_entropy: labels run from {low} to {high}, logits have {k} classes: wanted 0 to {k - 1}"
        )
    log_p, _ = log_softmax(logits)
    one_hot = (labels[:, None] == xp.arange(k)).astype(logits.dtype)
    target = (1 - label_smoothing) * one_hot + label_smoothing / k
    difference = xp.exp(log_p) - target
    # A class that is impossible (-inf) and not the target costs nothing.
    losses = -(target * xp.where(target > 0, log_p, 0)).sum(axis=1)

    def backward(g):
        return g * difference / n, None

    return losses.sum() / n, backward


@op
def mse_loss(x, target):
    """The mean of (x - target)**2 over all elements.

    Saves  x - target.
    Raises  ValueError: shapes that differ, even if they broadcast. TypeError: no floats on either side.
    """
    shapes = [getattr(array, "shape", ()) for array in (x, target)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"mse_loss: x has shape {shapes[0]}, target has {shapes[1]}")
    difference = x - target
    if difference.dtype.kind != "f":
        raise TypeError(f"mse_loss: x is {x.dtype}, target is {target.dtype}: wanted floats")

    def backward(g):
        g_x = g * difference * 2 / difference.size
        return g_x, -g_x

    return total(difference * difference, divisor=difference.size), backward


def check_labels(labels, logits, label_smoothing):
    """Raises  TypeError: labels that are not an array of ints. ValueError: shapes or a smoothing that do not fit."""
    if logits.ndim != 2:
        raise ValueError(f"cross_entropy: logits have shape {logits.shape}, wanted (N, K)")
    if getattr(getattr(labels, "dtype", None), "kind", None) not in ("i", "u"):
        kind = getattr(labels, "dtype", type(labels).__name__)
        raise TypeError(f"cross_entropy: labels are {kind}, wanted ints: the index of each class")
    if labels.shape != logits.shape[:1]:
        raise ValueError(
            f"cross_entropy: labels have shape {labels.shape}, logits have {logits.shape}: wanted ({len(logits)},)"
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"cross_entropy: label_smoothing is {label_smoothing}, wanted 0 <= label_smoothing <= 1"
        )
