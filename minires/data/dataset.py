"""Images with labels, checked once, on the host."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy

from minires import backend
from minires.backend import Array, HostArray


class DataError(ValueError):
    """An image file, or a file of a dataset, that is damaged or not what it should be."""


class Dataset:
    """Images with their labels.

    images  uint8 (N, H, W, C)    labels  ints (N,), from 0 to len(classes) - 1    classes  a name for each label
    max_value  the value of white: images / max_value is between 0 and 1
    mean, std  of each channel of images / max_value. Those of the *training* set are used for the other sets too. If a
               channel is constant, its std is 1: it is shifted and not scaled
    name, source  what the images are called, and where they come from

    Raises  TypeError, ValueError: arrays of a different type or shape, labels out of range, no images, or mean and std
    that are not one number per channel.
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
            raise TypeError(
                f"images: expected uint8 (N, H, W, C), got {images.dtype} {images.shape}"
            )
        if labels.dtype.kind not in "iu":
            raise TypeError(f"labels: expected ints, got {labels.dtype}")
        if labels.shape != images.shape[:1]:
            raise ValueError(
                f"labels: expected one for each of {len(images)} images, got shape {labels.shape}"
            )
        if not len(images):
            raise ValueError("images: expected at least one, got none")
        if labels.min() < 0 or labels.max() >= len(classes):
            raise ValueError(
                f"labels: expected 0 to {len(classes) - 1} for {len(classes)} classes, "
                f"got {labels.min()} to {labels.max()}"
            )
        if not max_value > 0:
            raise ValueError(f"max_value: expected a number above 0, got {max_value}")
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
        """Return (mean, std) of each channel, from the frequencies of the 256 values."""
        values, mean, std = numpy.arange(256) / self.max_value, [], []
        for i in range(self.images.shape[3]):
            channel = self.images[..., i].ravel()
            frequency = numpy.bincount(channel, minlength=256) / channel.size
            mean.append(float(frequency @ values))
            std.append(float(numpy.sqrt(frequency @ (values - mean[-1]) ** 2)) or 1.0)
        return mean, std

    def normalise(
        self, *, mean: Sequence[float] | None = None, std: Sequence[float] | None = None
    ) -> None:
        """Replace the mean or the std of each channel of images / max_value."""
        for name, values in (("mean", mean), ("std", std)):
            if values is None:
                continue
            values = tuple(float(value) for value in numpy.atleast_1d(values))
            if len(values) != self.images.shape[3]:
                raise ValueError(
                    f"{name}: expected one number for each of {self.images.shape[3]} channels, got {len(values)}"
                )
            if not numpy.isfinite(values).all() or (name == "std" and min(values) <= 0):
                raise ValueError(
                    f"{name}: expected finite numbers{' above 0' if name == 'std' else ''}, got {values}"
                )
            setattr(self, name, values)

    def __len__(self) -> int:
        return len(self.images)

    def part(self, chosen: Any, **changes: Any) -> "Dataset":
        """Return a Dataset of the `chosen` images, a NumPy index. Everything else is the same, except for `changes`."""
        same = {key: getattr(self, key) for key in ("max_value", "mean", "std", "name", "source")}
        return Dataset(
            self.images[chosen], self.labels[chosen], self.classes, **{**same, **changes}
        )

    def some(self, n: int, *, option: str = "n") -> "Dataset":
        """Return a Dataset of n of the images, drawn at random, always the same ones, in their order. option  n's name in an error

        Raises  ValueError: there are fewer.
        """
        if not 1 <= n <= len(self):
            raise ValueError(
                f"{option} is {n}, expected 1 to {len(self)}, the number of images of {self.name}"
            )
        order = numpy.random.default_rng(0).permutation(len(self))
        return self.part(numpy.sort(order[:n]))

    def counts(self) -> list[int]:
        """Return the number of images in each class."""
        return numpy.bincount(self.labels, minlength=len(self.classes)).tolist()

    def examples(self, each: int, *, classes: int = 10) -> tuple[HostArray, HostArray]:
        """Return (images, labels): the first `each` images of the first `classes` classes, with pixels from 0 to 255."""
        shown = range(min(classes, len(self.classes)))
        chosen = numpy.concatenate([numpy.flatnonzero(self.labels == k)[:each] for k in shown])
        images = (self.images[chosen] * (255 / self.max_value)).astype(numpy.uint8)
        return images, self.labels[chosen]

    def fingerprint(self) -> str:
        """Return a checksum of images and labels: 16 hexadecimal digits."""
        digest = hashlib.sha256(numpy.ascontiguousarray(self.images).data)
        digest.update(self.labels.data)
        return digest.hexdigest()[:16]

    def on_device(self) -> tuple[Array, Array]:
        """Return (images, labels) on the backend in use, moved there at the first call."""
        name = backend.name()
        if name not in self._device:
            self._device[name] = backend.to_device(self.images), backend.to_device(self.labels)
        return self._device[name]

    def __repr__(self) -> str:
        n, h, w, c = self.images.shape
        return f"Dataset({n:,} images of {h} x {w} x {c}, {len(self.classes)} classes)"


def held_out(dataset: Dataset, share: float) -> tuple[Dataset, Dataset | None]:
    """Split a dataset into (training, validation): a fraction `share` of each class, evenly spaced, is for validation.

    Both have the mean and std of the training set. If share is 0, the validation set is None.

    Raises  ValueError: a share outside 0 <= share < 1, or one that leaves either set empty.
    """
    if not 0 <= share < 1:
        raise ValueError(f"held_out: expected 0 <= share < 1, got {share}")
    if share == 0:
        return dataset, None
    held = numpy.zeros(len(dataset), bool)
    for k in range(len(dataset.classes)):
        members = numpy.flatnonzero(dataset.labels == k)
        number = numpy.arange(1, len(members) + 1)
        held[members] = (number * share + 1e-9) // 1 > (
            (number - 1) * share + 1e-9
        ) // 1  # whenever one more image is due
    if not held.any() or held.all():
        empty = "training" if held.all() else "validation"
        raise ValueError(
            f"a fraction of {share} of {len(dataset)} images leaves no images for {empty}"
        )
    training = dataset.part(~held, mean=None, std=None)
    return training, dataset.part(held, mean=training.mean, std=training.std)
