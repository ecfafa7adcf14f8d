"""From logits to a loss: softmax, cross entropy, mean squared error."""

from minires.backend import xp
from minires.ops.forms import op
from minires.ops.reduce import total


@op
def softmax(x, *, axis=-1):
    """e**x / sum(e**x) along `axis`. The largest x is subtracted first: no overflow, the same result.

    Saves  the result.
    """
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    y = powers / total(powers, axis, keepdims=True)

    def backward(g):
        return (y * (g - total(g * y, axis, keepdims=True)),)

    return y, backward


@op
def log_softmax(x, *, axis=-1):
    """x - log(sum(e**x)) along `axis`, with the largest x subtracted first.

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

    logits  (N, K)    labels  (N,), ints from 0 to K - 1    result  (), of the logits' dtype
    The target is 1 - label_smoothing at the label, plus label_smoothing / K everywhere.
    The gradient is (softmax(logits) - target) / N.

    Saves  softmax(logits) - target.
    Raises  TypeError: labels that are not ints. ValueError: labels out of range (on a GPU the loss is NaN instead, because an
    error would have to wait for the device), or more or fewer labels than logits.
    """
    check_labels(labels, logits, label_smoothing)
    n, k = logits.shape
    if n and not 0 <= int(labels.min()) <= int(labels.max()) < k:
        low, high = int(labels.min()), int(labels.max())
        raise ValueError(
            f"cross_entropy: expected labels from 0 to {k - 1}, for {k} classes, got labels from {low} to {high}"
        )
    log_p, _ = log_softmax(logits)
    one_hot = (labels[:, None] == xp.arange(k)).astype(logits.dtype)
    target = (1 - label_smoothing) * one_hot + label_smoothing / k
    difference = xp.exp(log_p) - target
    # An impossible class (-inf) that is not the target costs nothing.
    losses = -(target * xp.where(target > 0, log_p, 0)).sum(axis=1)

    def backward(g):
        return g * difference / n, None

    return losses.sum() / n, backward


@op
def mse_loss(x, target):
    """The mean of (x - target)**2 over all elements.

    Saves  x - target.
    Raises  ValueError: shapes that differ, even if they broadcast. TypeError: x and target are not floats.
    """
    shapes = [getattr(array, "shape", ()) for array in (x, target)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"mse_loss: expected a target of x's shape, {shapes[0]}, got {shapes[1]}")
    difference = x - target
    if difference.dtype.kind != "f":
        raise TypeError(
            f"mse_loss: expected floats, got an x of {x.dtype} and a target of {target.dtype}"
        )

    def backward(g):
        g_x = g * difference * 2 / difference.size
        return g_x, -g_x

    return total(difference * difference, divisor=difference.size), backward


def check_labels(labels, logits, label_smoothing):
    """Check the operands of cross_entropy.

    Raises  TypeError: labels that are not an array of ints. ValueError: shapes that do not match, or a smoothing out of range.
    """
    if logits.ndim != 2:
        raise ValueError(f"cross_entropy: expected logits of shape (N, K), got {logits.shape}")
    if getattr(getattr(labels, "dtype", None), "kind", None) not in ("i", "u"):
        kind = getattr(labels, "dtype", type(labels).__name__)
        raise TypeError(
            f"cross_entropy: expected ints as labels, the index of each class, got {kind}"
        )
    if labels.shape != logits.shape[:1]:
        raise ValueError(
            f"cross_entropy: expected labels of shape ({len(logits)},), one per row of the logits, got {labels.shape}"
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"cross_entropy: expected 0 <= label_smoothing <= 1, got {label_smoothing}"
        )
