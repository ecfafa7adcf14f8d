"""A model's first forward pass, on zeros, before a run is made."""

import copy

from minires import nn
from minires.backend import xp
from minires.tensor import Tensor, no_grad


def check_smallest_batch(model, batches, shards=1):
    """Refuse a last batch, or a shard of it, of one image if one of the model's batch norms would refuse it, at the end of the first epoch.

    On 1x1 feature maps, a channel then has one value. Only running the model shows whether it has such maps.

    Raises  ValueError: it says what helps. Whatever the model raises for a batch of two images as well.
    """
    size = batches.batch_size
    last = batches.images % size or size
    if last < shards:
        raise ValueError(
            f"the last batch of an epoch has {last} image{'s' * (last > 1)}, too few for {shards} shards: "
            "leave it out (--drop-last), or choose another --batch-size"
        )
    if last // shards > 1:
        return
    model, shape = copy.deepcopy(model).train(), batches.dataset.images.shape[1:]
    _run(model, (2, *shape))
    try:
        _run(model, (1, *shape))
    except ValueError:
        drop = "leave it out (--drop-last), or " if size > 1 else ""
        what = (
            "the last batch of an epoch has"
            if shards == 1
            else f"one of {shards} shards of the last batch of an epoch has"
        )
        raise ValueError(
            f"{what} one image, too few for the model's batch norm: "
            f"{drop}choose another --batch-size"
        ) from None


def _run(model, shape):
    with no_grad(), nn.init.kept_generator():
        model(Tensor(xp.zeros(shape, dtype=xp.float32)))
