"""Batches from all images, on the card."""

from minires.backend import xp
from minires.backend.kernels.start import c_type, each


def pick(images, chosen, moves, cutout, factor, offset):
    """data.batches.pick."""
    (_, h, w, c), kind, ints = images.shape, c_type(images), c_type(chosen)
    if kind is None or ints is None:
        return NotImplemented
    if moves is None:
        moves = xp.zeros((len(chosen), 5), dtype=xp.int32)
    x = xp.empty((len(chosen), h, w, c), dtype=xp.float32)
    each("augment.cu", f"pick<{kind}, {ints}>", x.size, xp.ascontiguousarray(images), chosen, moves, factor, offset, x,
         h, w, c, cutout)  # fmt: skip
    return x
