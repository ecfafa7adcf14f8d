"""Softmax cross entropy."""

from minires.backend import sum_type, xp
from minires.backend.kernels.start import c_float, c_type, each


def softmax_losses(logits, labels, smoothing):
    """ops.loss.softmax_losses."""
    (n, k), kind, ints, dtype = logits.shape, c_float(logits, halves=True), c_type(labels), sum_type(logits.dtype)
    if kind is None or ints is None:
        return NotImplemented
    difference, losses = xp.empty(logits.shape, dtype=dtype), xp.empty(n, dtype=dtype)
    each("loss.cu", f"cross_entropy<{kind}, {ints}>", n, xp.ascontiguousarray(logits), xp.ascontiguousarray(labels),
         difference, losses, dtype.type(smoothing), k)  # fmt: skip
    return difference, losses
