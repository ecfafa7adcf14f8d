"""Batches from all images, on the GPU. Replaces data.batches.gather."""

from minires.backend import xp
from minires.data.batches import MOVES, gather
from minires.fast.cuda.start import c_type, each
from minires.ops.forms import faster


@faster(gather, on="cupy", covers=("crop_and_flip",))
def gather_kernel(images, chosen, moves, cutout, factor, offset):
    """Run one thread per element of the batch."""
    (_, h, w, c), kind, ints = images.shape, c_type(images), c_type(chosen)
    if kind is None or ints is None:
        return NotImplemented
    if moves is None:
        moves = xp.zeros((len(chosen), MOVES), dtype=xp.int32)
    x = xp.empty((len(chosen), h, w, c), dtype=xp.float32)
    each("augment.cu", f"pick<{kind}, {ints}>", x.size, xp.ascontiguousarray(images), chosen, moves, factor, offset, x,
         h, w, c, cutout)  # fmt: skip
    return x
