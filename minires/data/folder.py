"""Images by class: PATH/train/CLASS/* and PATH/test/CLASS/*, or PATH/CLASS/* alone."""

from pathlib import Path

import numpy
from PIL import Image, ImageOps, UnidentifiedImageError

from minires.data.cifar import DataError
from minires.data.dataset import Dataset

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
PARTS = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}


def folder(path, *, size=None):
    """(train, validation, test) Datasets of RGB images (N, size, size, 3); train and validation are None where they have no folder.

    path  holds train/, test/ and perhaps validation/ (or val/), each with a folder of images for each class. Or it holds
          those of the classes itself; then of each class every fifth image, by name, is for the test.
    size  every image is resized and cropped to that many pixels a side (see load_image); without it all must have one size

    The classes are the names of the folders of train/ (else of test/), sorted. mean and std are those of the training part.
    Raises  DataError: no images, a class that training does not have, or a file that does not decode.
    """
    path = Path(path)
    if not path.is_dir():
        raise DataError(f"{path} is no folder: wanted one with a folder of images for each class")
    parts = {part: next((path / name for name in names if (path / name).is_dir()), None) for part, names in PARTS.items()}
    if parts["train"] is None and parts["test"] is None:
        classes = _classes(path)
        images, labels = _read(path, classes, size)
        rank = numpy.array([sum(labels[:i] == label) for i, label in enumerate(labels)])  # the how-manieth of its class
        everything = Dataset(images, labels, classes, name=path.name, source=f"unverified files in the folder {path.name}")
        train = everything.part(rank % 5 != 4, mean=None, std=None)
        if not (rank % 5 == 4).any():
            raise DataError(f"{path} has no class of five images, and every fifth is for the test: add images, or make train/ and test/")
        return train, None, everything.part(rank % 5 == 4, mean=train.mean, std=train.std)
    if parts["test"] is None:
        raise DataError(f"{path} has a folder train/ and none named test/: make one, or put the classes' folders into {path} itself")
    classes = _classes(parts["train"] or parts["test"])
    facts = {"name": path.name, "source": f"unverified files in the folder {path.name}"}
    train = validation = None
    if parts["train"]:
        train = Dataset(*_read(parts["train"], classes, size), classes, **facts)
        facts.update(mean=train.mean, std=train.std)
        size = size or train.images.shape[1:3]
    if parts["validation"] and train:
        validation = Dataset(*_read(parts["validation"], classes, size), classes, **facts)
    return train, validation, Dataset(*_read(parts["test"], classes, size), classes, **facts)


def load_image(path, *, size=None, channels=3):
    """An image file as uint8 (H, W, channels), as it is to be looked at: turned as its EXIF says, on black where it is
    transparent, in RGB or, for one channel, in grey.

    size  pixels a side, or (height, width): the image is resized, keeping its proportions, until it just covers that, and
          its centre is cut out

    Raises  DataError: the file is no image, is cut off, or is larger than Pillow takes for harmless.
    """
    try:
        with Image.open(path) as image:
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith("I;16") or image.mode in ("I", "F"):  # 16 bits a pixel: Pillow would cut off, not scale
                image = Image.fromarray((numpy.asarray(image, numpy.float64) / 257).clip(0, 255).round().astype(numpy.uint8))
            if image.has_transparency_data:
                image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
            image = image.convert({1: "L", 3: "RGB"}[channels])
            if size is not None:
                h, w = (size, size) if isinstance(size, int) else size
                image = ImageOps.fit(image, (w, h), Image.Resampling.BILINEAR)
            return numpy.asarray(image).reshape(image.height, image.width, channels)
    except FileNotFoundError:
        raise DataError(f"{path} is not there") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{path} is too large to be opened ({error}): scale it down first") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(f"{path} does not decode as an image ({error}): replace or remove it") from None


def _classes(path):
    classes = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        raise DataError(f"{path} holds no folders: wanted one for each class, with its images")
    return classes


def _read(path, classes, size):
    """(images, labels) of all files in the folders of the classes."""
    unknown = sorted(set(_classes(path)) - set(classes))
    if unknown:
        raise DataError(f"{path} has images of {', '.join(unknown)}, the training part has {', '.join(classes)}")
    files = [
        (file, k)
        for k, name in enumerate(classes)
        for file in (sorted((path / name).iterdir()) if (path / name).is_dir() else ())
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]
    if not files:
        raise DataError(f"{path} holds no images: wanted files such as {classes[0]}/1.png")
    images = [load_image(file, size=size) for file, _ in files]
    for image, (file, _) in zip(images, files):
        if image.shape != images[0].shape:
            first, other = (f"{h} x {w}" for h, w, _ in (images[0].shape, image.shape))
            raise DataError(f"{files[0][0]} is {first}, {file} is {other}: --size makes all images the same")
    return numpy.stack(images), numpy.array([k for _, k in files])
