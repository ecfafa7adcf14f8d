"""Softmax cross entropy."""

from minires.backend import xp
from minires.backend.kernels.start import c_float, c_type, each


def softmax_losses(logits, labels, smoothing):
    """ops.loss.softmax_losses."""
    (n, k), kind, ints = logits.shape, c_float(logits), c_type(labels)
    if kind is None or ints is None:
        return NotImplemented
    difference, losses = xp.empty(logits.shape, dtype=logits.dtype), xp.empty(n, dtype=logits.dtype)
    each("loss.cu", f"cross_entropy<{kind}, {ints}, {kind}>", n, xp.ascontiguousarray(logits), xp.ascontiguousarray(labels),
         difference, losses, logits.dtype.type(smoothing), k)  # fmt: skip
    return difference, losses
