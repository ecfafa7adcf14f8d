"""Batches on the device: shuffled, cropped, flipped and normalised there, all images of a batch at once."""

from numbers import Integral

import numpy

from minires.backend import to_device, xp
from minires.data.dataset import Dataset


class batches:
    """An epoch of a dataset, as pairs (x, labels): float32 (n, H, W, C), normalised, and ints (n,).

    With a `seed`, for training: in an order drawn for (seed, epoch), and each image cropped and flipped by draws of its
    own for (seed, epoch, batch), so that any batch can be made again. Without one, for evaluation: in order, untouched.

    crop  shift each image by up to so many pixels, black beyond its edge    flip  mirror each with probability 1/2
    drop_last  leave out a last batch that is not full

    Raises  TypeError: no Dataset. ValueError: a batch size below 1, or crop or flip without a seed.
    """

    def __init__(self, dataset, batch_size, *, seed=None, epoch=0, crop=0, flip=False, drop_last=False):
        if not isinstance(dataset, Dataset):
            raise TypeError(f"batches takes a Dataset, got a {type(dataset).__name__}")
        if not isinstance(batch_size, Integral) or batch_size < 1:
            raise ValueError(f"batch_size is {batch_size!r}, wanted an int of at least 1")
        if seed is None and (crop or flip):
            raise ValueError("crop and flip are for training: they need a seed (images to be tested stay as they are)")
        self.dataset, self.batch_size, self.seed, self.epoch = dataset, batch_size, seed, epoch
        self.crop, self.flip, self.drop_last = crop, flip, drop_last

    @property
    def images(self):
        """How many images come by."""
        n = len(self.dataset)
        return n - n % self.batch_size if self.drop_last else n

    def __len__(self):
        return -(-self.images // self.batch_size)

    def __iter__(self):
        images, labels = self.dataset.on_device()
        factor, offset = self._normalisation()
        n, training = len(self.dataset), self.seed is not None
        order = numpy.random.default_rng([self.seed, self.epoch]).permutation(n) if training else numpy.arange(n)
        for i in range(len(self)):
            chosen = to_device(order[i * self.batch_size : (i + 1) * self.batch_size])
            x = images[chosen]
            if self.crop or self.flip:
                x = augment(x, numpy.random.default_rng([self.seed, self.epoch, i]), crop=self.crop, flip=self.flip)
            yield x.astype(xp.float32) * factor + offset, labels[chosen]

    def _normalisation(self):
        """(factor, offset) of each channel: (x / white - mean) / std as one product and one sum."""
        mean, std = numpy.asarray(self.dataset.mean), numpy.asarray(self.dataset.std)
        factor, offset = 1 / (std * self.dataset.white), -mean / std
        return to_device(factor.astype(numpy.float32)), to_device(offset.astype(numpy.float32))


def augment(x, rng, *, crop=0, flip=False):
    """Each image of a batch (N, H, W, C) shifted by up to `crop` pixels each way, and mirrored with probability 1/2.

    One gather does both: it says for each row and column of the result where in the image it comes from.
    """
    n, h, w, _ = x.shape
    rows = numpy.arange(h) + rng.integers(-crop, crop + 1, (n, 1))  # (N, H)
    columns = numpy.arange(w) + rng.integers(-crop, crop + 1, (n, 1))  # (N, W)
    if flip:
        columns = numpy.where(rng.random((n, 1)) < 0.5, columns[:, ::-1], columns)
    inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None, :]  # (N, H, W)
    picked = x[
        to_device(numpy.arange(n)[:, None, None]),
        to_device(rows.clip(0, h - 1)[:, :, None]),
        to_device(columns.clip(0, w - 1)[:, None, :]),
    ]
    return picked * to_device(inside[..., None])
