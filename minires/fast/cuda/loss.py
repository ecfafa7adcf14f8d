"""Softmax cross entropy as a kernel. Replaces ops.cross_entropy."""

from minires.backend import accumulation_dtype, xp
from minires.fast.cuda.start import c_float, c_type, each
from minires.ops.forms import faster
from minires.ops.loss import check_labels


@faster("cross_entropy", on="cupy", covers=("log_softmax",))
def cross_entropy_kernel(logits, labels, *, label_smoothing=0.0):
    """Run one thread per example. Labels out of range make its loss NaN, as reading them on the host would mean a wait for the GPU.

    Saves  softmax(logits) - target.
    """
    check_labels(labels, logits, label_smoothing)
    (n, k), kind, ints = logits.shape, c_float(logits, halves=True), c_type(labels)
    dtype = accumulation_dtype(logits.dtype)
    if kind is None or ints is None:
        return NotImplemented
    difference, losses = xp.empty(logits.shape, dtype=dtype), xp.empty(n, dtype=dtype)
    each("loss.cu", f"cross_entropy<{kind}, {ints}>", n, xp.ascontiguousarray(logits), xp.ascontiguousarray(labels),
         difference, losses, dtype.type(label_smoothing), k)  # fmt: skip

    def backward(g):
        return g * difference / n, None

    return losses.sum() / n, backward
