"""From logits to a loss: softmax, cross entropy, mean squared error."""

from minires.backend import has_kernel, has_kernels, is_array, refuse_foreign, to_host, widened, xp


def softmax(x, *, axis=-1):
    """e**x / sum(e**x) along `axis`. The largest x is taken off first: no overflow, the same result.

    Keeps  the result.
    """
    powers = xp.exp(x - x.max(axis=axis, keepdims=True))
    y = powers / powers.sum(axis=axis, keepdims=True)

    def backward(g):
        return (y * (g - (g * y).sum(axis=axis, keepdims=True)),)

    return y, backward


def log_softmax(x, *, axis=-1):
    """x - log(sum(e**x)) along `axis`, with the largest x taken off first.

    Keeps  the result.
    """
    x = x - x.max(axis=axis, keepdims=True)
    y = x - xp.log(xp.exp(x).sum(axis=axis, keepdims=True))

    def backward(g):
        return (g - xp.exp(y) * g.sum(axis=axis, keepdims=True),)

    return y, backward


def cross_entropy(logits, labels, *, label_smoothing=0.0):
    """The mean over the batch of -sum(target * log softmax(logits)), in nats.

    logits  (N, K)    labels  (N,), ints from 0 to K - 1    result  ()
    The target is 1 - label_smoothing at the label, plus label_smoothing / K everywhere.
    The gradient is (softmax(logits) - target) / N.

    Keeps  softmax(logits) - target.
    Raises  TypeError: labels that are no ints. ValueError: labels out of range (on a GPU the loss is NaN then: to say more it
    would have to be waited for), or of another number than the logits. BackendError: labels of another library.
    """
    _check_labels(labels, logits)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is {label_smoothing}, wanted 0 <= label_smoothing <= 1")
    n = len(logits)
    difference, losses = softmax_losses(logits, labels, label_smoothing)

    def backward(g):
        return g * difference / n, None

    return losses.sum() / n, backward


@has_kernel
def softmax_losses(logits, labels, label_smoothing):
    """(softmax(logits) - target, the loss of each example); of half types in float32."""
    logits = widened(logits)
    k = logits.shape[1]
    log_p, _ = log_softmax(logits)
    one_hot = (labels[:, None] == xp.arange(k)).astype(logits.dtype)
    target = (1 - label_smoothing) * one_hot + label_smoothing / k
    difference = xp.exp(log_p) - target
    log_p = xp.where(target > 0, log_p, 0)  # a class that is impossible (-inf) and not the target costs nothing
    return difference, -(target * log_p).sum(axis=1)


def mse_loss(x, target):
    """The mean of (x - target)**2 over all elements.

    Keeps  x - target.
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

    return (difference * difference).mean(), backward


def _check_labels(labels, logits):
    """Their range is read on the host; kernels look at it themselves, as to read it would be to wait for the card."""
    if logits.ndim != 2:
        raise ValueError(f"cross_entropy: logits have shape {logits.shape}, wanted (N, K)")
    n, k = logits.shape
    if not is_array(labels):
        refuse_foreign(labels, "cross_entropy: labels")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: labels are {labels.dtype}, wanted ints: the index of each class")
    if labels.shape != (n,):
        raise ValueError(f"cross_entropy: labels have shape {labels.shape}, logits have {logits.shape}: wanted ({n},)")
    if n and not has_kernels():
        low, high = (int(to_host(end)) for end in (labels.min(), labels.max()))
        if low < 0 or high >= k:
            raise ValueError(f"cross_entropy: labels run from {low} to {high}, logits have {k} classes: wanted 0 to {k - 1}")
