"""Images with labels, checked once, on the host."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy

from minires import backend
from minires.backend import Array, HostArray


class DataError(ValueError):
    """Files of images that are damaged, or not what they should be."""


class Dataset:
    """Images and what they show.

    images  uint8 (N, H, W, C)    labels  ints (N,), from 0 to len(classes) - 1    classes  a name for each label
    max_value  the number that stands for white: images / max_value lies between 0 and 1
    mean, std  of each channel of images / max_value, of the *training* part, which other parts take over. Where a channel
               is the same everywhere, std is 1: it is shifted and not stretched
    name, source  what the images are called, and where they come from

    Raises  TypeError, ValueError: arrays of another type or shape, labels out of range, no images, or mean and std that
    are no numbers for each channel.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __init__(
        self,
        images: HostArray,
        labels: HostArray,
        classes: Sequence[str],
        *,
        max_value: float = 255,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        name: str = "images",
        source: str = "",
    ) -> None:
        images, labels = numpy.asarray(images), numpy.asarray(labels)
        if images.dtype != numpy.uint8 or images.ndim != 4:
            raise TypeError(f"images are {images.dtype} {images.shape}, wanted uint8 (N, H, W, C)")
        if labels.dtype.kind not in "iu":
            raise TypeError(f"labels are {labels.dtype}, wanted ints")
        if labels.shape != images.shape[:1]:
            raise ValueError(f"labels have shape {labels.shape}, there are {len(images)} images")
        if not len(images):
            raise ValueError("there are no images")
        if labels.min() < 0 or labels.max() >= len(classes):
            raise ValueError(
                f"labels run from {labels.min()} to {labels.max()}, there are {len(classes)} classes"
            )
        if not max_value > 0:
            raise ValueError(f"max_value is {max_value}, wanted more than 0")
        self.images = images
        self.labels = labels.astype(numpy.int64)
        self.classes = tuple(classes)
        self.max_value = max_value
        self.name, self.source = name, source
        if mean is None or std is None:
            own_mean, own_std = self._statistics()
        self.normalise(mean=own_mean if mean is None else mean, std=own_std if std is None else std)
        self._device: dict[str, tuple[Array, Array]] = {}

    def _statistics(self) -> tuple[list[float], list[float]]:
        """(mean, std) of each channel, from how often each of the 256 values occurs."""
        values, mean, std = numpy.arange(256) / self.max_value, [], []
        for i in range(self.images.shape[3]):
            share = (
                numpy.bincount(self.images[..., i].ravel(), minlength=256)
                / self.images[..., i].size
            )
            mean.append(float(share @ values))
            std.append(float(numpy.sqrt(share @ (values - mean[-1]) ** 2)) or 1.0)
        return mean, std

    def normalise(
        self, *, mean: Sequence[float] | None = None, std: Sequence[float] | None = None
    ) -> None:
        """Take another mean and std of each channel of images / max_value."""
        for name, values in (("mean", mean), ("std", std)):
            if values is None:
                continue
            values = tuple(float(value) for value in numpy.atleast_1d(values))
            if len(values) != self.images.shape[3]:
                raise ValueError(
                    f"{name} has {len(values)} numbers, the images have {self.images.shape[3]} channels"
                )
            if not numpy.isfinite(values).all() or (name == "std" and min(values) <= 0):
                raise ValueError(
                    f"{name} is {values}, wanted finite numbers"
                    + (" above 0" if name == "std" else "")
                )
            setattr(self, name, values)

    def __len__(self) -> int:
        return len(self.images)

    def part(self, chosen: Any, **changes: Any) -> "Dataset":
        """A Dataset of some of the images: `chosen` is an index of NumPy. The rest is as here, but for `changes`."""
        same = {key: getattr(self, key) for key in ("max_value", "mean", "std", "name", "source")}
        return Dataset(
            self.images[chosen], self.labels[chosen], self.classes, **{**same, **changes}
        )

    def counts(self) -> list[int]:
        """How many images of each class there are."""
        return numpy.bincount(self.labels, minlength=len(self.classes)).tolist()

    def examples(self, each: int, *, classes: int = 10) -> tuple[HostArray, HostArray]:
        """(images, labels): the first so many of each class, for the first so many classes; they run from 0 to 255."""
        chosen = numpy.concatenate(
            [
                numpy.flatnonzero(self.labels == k)[:each]
                for k in range(min(classes, len(self.classes)))
            ]
        )
        return (self.images[chosen] * (255 / self.max_value)).astype(numpy.uint8), self.labels[
            chosen
        ]

    def fingerprint(self) -> str:
        """A checksum of images and labels, as 16 hexadecimal digits."""
        digest = hashlib.sha256(numpy.ascontiguousarray(self.images).data)
        digest.update(self.labels.data)
        return digest.hexdigest()[:16]

    def on_device(self) -> tuple[Array, Array]:
        """(images, labels) on the backend in use, moved there at the first call."""
        name = backend.name()
        if name not in self._device:
            self._device[name] = backend.to_device(self.images), backend.to_device(self.labels)
        return self._device[name]

    def __repr__(self) -> str:
        n, h, w, c = self.images.shape
        return f"Dataset({n:,} images of {h} x {w} x {c}, {len(self.classes)} classes)"


def held_out(dataset: Dataset, share: float) -> tuple[Dataset, Dataset | None]:
    """(training, validation): of each class evenly spaced images are held out, `share` of them; mean and std are those of
    the training. With a share of 0 the validation is None.

    Raises  ValueError: a share that is none, or that leaves nothing on one side.
    """
    if not 0 <= share < 1:
        raise ValueError(f"the share for validation is {share}, wanted 0 <= share < 1")
    if share == 0:
        return dataset, None
    held = numpy.zeros(len(dataset), bool)
    for k in range(len(dataset.classes)):
        members = numpy.flatnonzero(dataset.labels == k)
        number = numpy.arange(1, len(members) + 1)
        held[members] = (number * share + 1e-9) // 1 > (
            (number - 1) * share + 1e-9
        ) // 1  # each time another whole one is due
    if not held.any() or held.all():
        lacking = "training" if held.all() else "validation"
        raise ValueError(
            f"a share of {share} of {len(dataset)} images leaves no images for {lacking}"
        )
    training = dataset.part(~held, mean=None, std=None)
    return training, dataset.part(held, mean=training.mean, std=training.std)
