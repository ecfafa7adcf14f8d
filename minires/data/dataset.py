"""Images with labels, checked once, on the host."""

import numpy

from minires import backend


class Dataset:
    """Images and what they show.

    images  uint8 (N, H, W, C)    labels  ints (N,), from 0 to len(classes) - 1    classes  a name for each label
    white  the number that stands for white: images / white lies between 0 and 1
    mean, std  of each channel of images / white, of the *training* part, which other parts take over

    Raises  TypeError, ValueError: arrays of another type or shape, labels out of range, or no images.
    """

    def __init__(self, images, labels, classes, *, white=255, mean=None, std=None):
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
            raise ValueError(f"labels run from {labels.min()} to {labels.max()}, there are {len(classes)} classes")
        self.images, self.labels, self.classes, self.white = images, labels.astype(numpy.int64), tuple(classes), white
        self.mean = self._statistic(numpy.mean) if mean is None else mean
        self.std = self._statistic(numpy.std) if std is None else std
        self._device = {}

    def _statistic(self, function):
        return tuple(float(function(self.images[..., i] / self.white)) for i in range(self.images.shape[3]))

    def __len__(self):
        return len(self.images)

    def on_device(self):
        """(images, labels) on the backend in use, moved there at the first call."""
        name = backend.name()
        if name not in self._device:
            self._device[name] = backend.to_device(self.images), backend.to_device(self.labels)
        return self._device[name]

    def __repr__(self):
        n, h, w, c = self.images.shape
        return f"Dataset({n:,} images of {h} x {w} x {c}, {len(self.classes)} classes)"
