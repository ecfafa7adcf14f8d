"""Images sorted by class: PATH/train/CLASS/* and PATH/test/CLASS/*, or PATH/CLASS/* alone."""

import os
from pathlib import Path
from typing import Any

import numpy

from minires.backend import HostArray
from minires.data.dataset import DataError, Dataset
from minires.data.image import load_image
from minires.data.listing import PARTS, Listing, described
from minires.data.notice import notice


def folder(
    path: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    mixed_size: int | None = None,
    **prepared: Any,
) -> tuple[Dataset | None, Dataset | None, Dataset]:
    """Read (train, validation, test) Datasets of RGB images (N, size, size, 3); train and validation may be None.

    path  contains train/, test/ and perhaps validation/ (or val/), each with a folder of images per class. Or it contains
          the class folders; then every fifth image of each class, by name, is in the test set.
    size  pixels per side to which every image is resized and cropped; without it, all must have the same size
    mixed_size  the size to take if they do not, instead of raising an error
    prepared  resize and interpolation, see load_image

    The classes are the names of the folders in train/ (or else in test/), sorted; each has images there, and may have none
    in the other parts. mean and std are those of the training set. Other files, and sub-folders of a class, are passed over
    and counted in a line on stderr; hidden ones silently.
    Raises  DataError: no images, a class that the training set does not have, or a file that does not decode.
    """
    listing = Listing(Path(path))
    parts = listing.parts
    if parts and "test" not in parts:
        there = " and ".join(f"{entry.name}/" for entry in parts.values())
        raise DataError(
            f"{path} has {there} and no folder test/: make one, or put the classes into {path} itself"
        )
    classes = listing.classes(parts.get("train") or parts.get("test") or listing.path)
    if parts:
        found = {
            part: listing.images(parts[part], classes, all_classes=part == "train")
            for part in PARTS
            if part in parts
        }
    else:
        found = {"": listing.images(listing.path, classes, all_classes=True)}
    if passed_over := described(listing.passed_over):
        number = listing.passed_over.total()
        notice(f"passed over {number:,} file{'s' * (number > 1)} in {path}: {passed_over}")
    name = Path(os.path.abspath(path)).name
    facts: dict[str, Any] = {"name": name, "source": f"unverified files in the folder {name}"}
    read = {}
    for part, files in found.items():
        images = _read(files, size, mixed_size, prepared)
        size = size or (images.shape[1], images.shape[2])
        read[part] = Dataset(images, numpy.array([k for _, k in files]), classes, **facts)
        if part == "train":
            facts.update(mean=read[part].mean, std=read[part].std)
    if parts:
        return read.get("train"), read.get("validation"), read["test"]
    return _every_fifth(read[""], path)


def _every_fifth(dataset: Dataset, path: str | Path) -> tuple[Dataset, None, Dataset]:
    """Return (train, None, test): every fifth image of each class is in the test set."""
    rank = numpy.concatenate([numpy.arange(n) for n in dataset.counts()])  # within its class
    test = rank % 5 == 4
    if not test.any():
        raise DataError(
            f"{path} has no class of five images, and every fifth is for the test set: "
            "add images, or make train/ and test/"
        )
    train = dataset.part(~test, mean=None, std=None)
    return train, None, dataset.part(test, mean=train.mean, std=train.std)


def _read(
    files: list[tuple[Path, int]],
    size: int | tuple[int, int] | None,
    mixed_size: int | None,
    prepared: dict[str, Any],
) -> HostArray:
    """Read the images in these files: uint8 (N, H, W, 3)."""
    for i, (file, _) in enumerate(files):
        image = load_image(file, size=size, **prepared)
        if i == 0:
            images = _room_for(len(files), image)
        if image.shape != images.shape[1:]:
            break
        images[i] = image
    else:
        return images
    (h, w, _), (other_h, other_w, _) = images.shape[1:], image.shape
    differ = f"{files[0][0]} is {h} x {w}, {file} is {other_h} x {other_w}"
    if mixed_size is None:
        raise DataError(f"{differ}: --size makes all images the same")
    notice(
        f"{differ}: all are resized and cropped to {mixed_size} x {mixed_size} (--size changes that)"
    )
    del images
    return _read(files, mixed_size, None, prepared)


def _room_for(n: int, image: HostArray) -> HostArray:
    try:
        return numpy.empty((n, *image.shape), numpy.uint8)
    except MemoryError:
        h, w, _ = image.shape
        raise DataError(
            f"{n:,} images of {h} x {w} do not fit in memory: --size makes them smaller"
        ) from None
