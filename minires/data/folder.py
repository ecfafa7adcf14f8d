"""Images by class: PATH/train/CLASS/* and PATH/test/CLASS/*, or PATH/CLASS/* alone."""

from numbers import Integral
from pathlib import Path
from typing import Any

import numpy

from minires.backend import HostArray
from minires.data.dataset import DataError, Dataset

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
PARTS = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}


def folder(
    path: str | Path, *, size: int | tuple[int, int] | None = None, **prepared: Any
) -> tuple[Dataset | None, Dataset | None, Dataset]:
    """(train, validation, test) Datasets of RGB images (N, size, size, 3); train and validation are None without a folder.

    path  holds train/, test/ and perhaps validation/ (or val/), each with a folder of images for each class. Or it holds
          those of the classes itself; then of each class every fifth image, by name, is for the test.
    size  every image is resized and cropped to that many pixels a side; without it all must have one size
    prepared  resize and interpolation, see load_image

    The classes are the names of the folders of train/ (else of test/), sorted; each has images there, and need have none
    in the other parts. mean and std are those of the training part. Hidden files and those of other suffixes are passed over.
    Raises  DataError: no images, a class that training does not have, or a file that does not decode.
    """
    path = Path(path)
    if not path.is_dir():
        raise DataError(f"{path} is no folder: wanted one with a folder of images for each class")
    parts = {
        part: next((path / name for name in names if (path / name).is_dir()), None)
        for part, names in PARTS.items()
    }
    if parts["train"] is None and parts["test"] is None:
        classes = _classes(path)
        images, labels = _read_images(path, classes, size, prepared, all_classes=True)
        # The how-manieth of its class.
        rank = numpy.concatenate([numpy.arange(n) for n in numpy.bincount(labels)])
        everything = Dataset(
            images,
            labels,
            classes,
            name=path.name,
            source=f"unverified files in the folder {path.name}",
        )
        others = everything.part(rank % 5 != 4, mean=None, std=None)
        if not (rank % 5 == 4).any():
            raise DataError(
                f"{path} has no class of five images, and every fifth is for the test: add images, or make train/ and test/"
            )
        return others, None, everything.part(rank % 5 == 4, mean=others.mean, std=others.std)
    if parts["test"] is None:
        raise DataError(
            f"{path} has a folder train/ and none named test/: make one, or put the classes into {path} itself"
        )
    classes = _classes(parts["train"] or parts["test"])
    source = f"unverified files in the folder {path.name}"
    facts: dict[str, Any] = {"name": path.name, "source": source}
    train = validation = None
    if parts["train"]:
        train = Dataset(
            *_read_images(parts["train"], classes, size, prepared, all_classes=True),
            classes,
            **facts,
        )
        facts.update(mean=train.mean, std=train.std)
        size = size or (train.images.shape[1], train.images.shape[2])
    if parts["validation"] and train:
        validation = Dataset(
            *_read_images(parts["validation"], classes, size, prepared), classes, **facts
        )
    return (
        train,
        validation,
        Dataset(*_read_images(parts["test"], classes, size, prepared), classes, **facts),
    )


def load_image(
    path: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int = 3,
    resize: int | None = None,
    interpolation: str = "bilinear",
) -> HostArray:
    """An image file as uint8 (H, W, channels), as it is to be looked at: turned as its EXIF says, on black where it is
    transparent, in RGB or, for one channel, in grey; 16 bits a channel become 8. Of an animation the first image counts.

    size  pixels a side, or (height, width): the image is resized (averaging where it shrinks), keeping its proportions, until
          it just covers that, and its centre is cut out
    resize  that many pixels become the shorter side before, so that the edges fall away: with 256 and a size of 224 an image is
            prepared as for nets of ImageNet    interpolation  "bilinear" or "bicubic"

    Raises  DataError: the file is no image, is cut off, has floats for pixels, or is larger than Pillow takes for harmless.
    ValueError: a size below 1, a smaller resize, another number of channels, or an unknown interpolation.
    """
    from PIL import Image, ImageOps

    sides = (size, size) if isinstance(size, (int, Integral)) else size
    if sides is not None and (len(sides) != 2 or min(sides) < 1):
        raise ValueError(f"size is {size}, wanted at least 1 pixel a side")
    if resize is not None and (sides is None or resize < max(sides)):
        raise ValueError(
            f"resize is {resize}, wanted a size as well, and not more than that: size is {size}"
        )
    method = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}.get(
        interpolation
    )
    if method is None:
        raise ValueError(f"interpolation is {interpolation!r}, wanted bilinear or bicubic")
    if channels not in (1, 3):
        raise ValueError(
            f"an image is wanted in {channels} channels: it can be had in 1 (grey) or 3 (RGB)"
        )
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
            # More than 8 bits a pixel: Pillow would cut off, not scale.
            if image.mode[0] == "I" or image.mode == "F":
                image = _from_16_bits(image)
            if image.has_transparency_data:
                image = Image.alpha_composite(
                    Image.new("RGBA", image.size, "black"), image.convert("RGBA")
                )
            image = image.convert({1: "L", 3: "RGB"}[channels])
            if sides is not None and resize is not None:
                image = _center(image, sides, resize, method)
            elif sides is not None:
                h, w = sides
                image = ImageOps.fit(image, (w, h), method)
            return numpy.asarray(image).reshape(image.height, image.width, channels)
    except FileNotFoundError:
        raise DataError(f"{path} is not there") from None
    except Image.DecompressionBombError as error:
        raise DataError(
            f"{path} is too large to be opened ({error}): scale it down first"
        ) from None
    except MemoryError:
        raise DataError(f"{path}: there is not enough memory for it at size {size}") from None
    except Exception as error:  # a damaged image fails in any way it likes
        raise DataError(
            f"{path} does not decode as an image ({error}): replace or remove it"
        ) from None


def _center(image: Any, sides: tuple[int, int], resize: int, method: Any) -> Any:
    """The centre of an image whose shorter side becomes `resize` pixels long; rounded as torchvision does."""
    short = min(image.size)
    image = image.resize(
        [resize if side == short else resize * side // short for side in image.size], method
    )
    top, left = (round((have - wanted) / 2) for have, wanted in zip(image.size[::-1], sides))
    return image.crop((left, top, left + sides[1], top + sides[0]))


def _from_16_bits(image: Any) -> Any:
    """A grey image of 8 bits a pixel from one of 16."""
    from PIL import Image

    pixels = numpy.asarray(image)
    if pixels.dtype.kind == "f" or pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError(
            f"its pixels are {pixels.dtype} from {pixels.min()} to {pixels.max()}, wanted ints from 0 to 65535"
        )
    return Image.fromarray((pixels / 257).round().astype(numpy.uint8))


def _classes(path: Path) -> list[str]:
    classes = sorted(
        entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )
    if not classes:
        raise DataError(f"{path} holds no folders: wanted one for each class, with its images")
    return classes


def _read_images(
    path: Path,
    classes: list[str],
    size: int | tuple[int, int] | None,
    prepared: dict[str, Any],
    *,
    all_classes: bool = False,
) -> tuple[HostArray, HostArray]:
    """(images, labels) of all files in the folders of the classes, class by class."""
    unknown = sorted(set(_classes(path)) - set(classes))
    if unknown:
        raise DataError(
            f"{path} has images of {', '.join(unknown)}, the training part has {', '.join(classes)}"
        )
    files = [
        (file, k)
        for k, name in enumerate(classes)
        for file in (sorted((path / name).iterdir()) if (path / name).is_dir() else ())
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]
    if not files:
        raise DataError(f"{path} holds no images: wanted files such as {classes[0]}/1.png")
    labels = numpy.array([k for _, k in files])
    empty = [name for k, name in enumerate(classes) if k not in labels]
    if all_classes and empty:
        raise DataError(
            f"{path} has no images of {', '.join(empty)}: add some, or remove the empty folders"
        )
    for i, (file, _) in enumerate(files):
        image = load_image(file, size=size, **prepared)
        if i == 0:
            images = numpy.empty((len(files), *image.shape), numpy.uint8)
        if image.shape != images[0].shape:
            first, other = (f"{h} x {w}" for h, w, _ in (images[0].shape, image.shape))
            raise DataError(
                f"{files[0][0]} is {first}, {file} is {other}: --size makes all images the same"
            )
        images[i] = image
    return images, labels
