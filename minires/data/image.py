"""An image file as an array: upright, opaque, RGB or grey, with 8 bits per channel."""

from numbers import Integral
from pathlib import Path
from typing import Any

import numpy

from minires import names
from minires.backend import HostArray
from minires.data.dataset import DataError

# Pillow's names of the formats that are read. Among the others are programs, such as EPS.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "DIB", "ICO", "TGA")  # fmt: skip

BITS_PER_SAMPLE, PHOTOMETRIC = (
    258,
    262,
)  # tags of TIFF; a photometric interpretation of 0 means that 0 is white


def suffixes() -> set[str]:
    """Return the suffixes of these formats, as far as this Pillow reads them: .png, .jpg, .jfif, ..."""
    from PIL import Image

    return {
        suffix
        for suffix, name in Image.registered_extensions().items()
        if name in FORMATS and name in Image.OPEN
    }


def load_image(
    path: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int = 3,
    resize: int | None = None,
    interpolation: str = "bilinear",
) -> HostArray:
    """Read an image file as uint8 (H, W, channels), as a viewer shows it.

    It is rotated as its EXIF data says, in RGB or (with one channel) grey, and black where it is transparent. 16 bits per
    channel become 8. Of several images in a file, such as an animation, the first is read.

    size  pixels per side, or (height, width): the image is resized (averaging where it shrinks), keeping its proportions,
          until it just covers that size, and its centre is cut out
    resize  first make the shorter side this long, so that the edges fall away: with 256 and a size of 224 an image is
            prepared as for ImageNet networks    interpolation  "bilinear" or "bicubic"

    Raises  DataError: the file is not an image, is cut off, is larger than Pillow considers safe, or has pixels whose
    white is unknown (floats, 32-bit integers). ValueError: a size below 1, a smaller resize, a different number of
    channels, or an unknown interpolation.
    """
    from PIL import Image, ImageOps

    sides = (size, size) if isinstance(size, (int, Integral)) else size
    if sides is not None and (len(sides) != 2 or min(sides) < 1):
        raise ValueError(f"size: expected at least 1 pixel per side, got {size}")
    if resize is not None and (sides is None or resize < max(sides)):
        raise ValueError(f"resize: expected a size of at most {resize} as well, got size {size}")
    names.check("interpolation", interpolation, ("bilinear", "bicubic"))
    method = Image.Resampling[interpolation.upper()]
    if channels not in (1, 3):
        raise ValueError(f"channels: expected 1 (grey) or 3 (RGB), got {channels}")
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        with Image.open(path, formats=formats) as file:
            image = _eight_bits(file, _upright(file))
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
    except PermissionError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except Image.DecompressionBombError as error:
        raise DataError(
            f"{path} is too large to be opened ({error}): scale it down first"
        ) from None
    except MemoryError:
        raise DataError(f"{path}: there is not enough memory for it at size {size}") from None
    except Exception as error:  # a damaged image may raise anything
        raise DataError(f"{path} does not decode as an image ({_reason(path, error)})") from None


def _reason(path: str | Path, error: Exception) -> str:
    """Return why a file does not decode: what it is instead, or what Pillow says."""
    from PIL import UnidentifiedImageError

    if Path(path).is_dir():
        return "it is a folder"
    if not isinstance(error, UnidentifiedImageError):
        return str(error)
    with open(path, "rb") as file:
        begins = file.read(12)
    return f"it begins with {begins!r}" if begins else "it is empty"


def _upright(file: Any) -> Any:
    """Return the image in a file, rotated as its EXIF data says; unrotated if that data is damaged."""
    from PIL import ImageOps

    file.load()
    try:
        return ImageOps.exif_transpose(file)
    except Exception:  # it may raise anything
        return file


def _eight_bits(file: Any, image: Any) -> Any:
    """Return a file's image with 8 bits per channel. (Pillow would clip values above 255 instead of scaling them.)

    Raises  ValueError: the value of white is unknown.
    """
    from PIL import Image

    if image.mode[0] not in "IF":
        return image
    tags = getattr(file, "tag_v2", {})
    # A 16-bit PNG and PGM is of mode I in some versions of Pillow; any other of mode I has 32 bits, or a sign.
    if not image.mode.startswith("I;16") and file.format not in ("PNG", "PPM"):
        kind = "floats" if image.mode == "F" else "integers of 32 bits, or with a sign"
        raise ValueError(f"its pixels are {kind}: expected 8 or 16 bits, without a sign")
    white = 2 ** tags.get(BITS_PER_SAMPLE, (16,))[0] - 1
    pixels = numpy.asarray(image).astype(numpy.float64)
    pixels[pixels == file.info.get("transparency")] = 0
    if tags.get(PHOTOMETRIC) == 0:
        pixels = white - pixels
    return Image.fromarray((pixels * 255 / white).round().astype(numpy.uint8))


def _center(image: Any, sides: tuple[int, int], resize: int, method: Any) -> Any:
    """Return the centre of an image whose shorter side becomes `resize` pixels long; rounded as in torchvision."""
    short = min(image.size)
    image = image.resize(
        [resize if side == short else resize * side // short for side in image.size], method
    )
    top, left = (round((have - side) / 2) for have, side in zip(image.size[::-1], sides))
    return image.crop((left, top, left + sides[1], top + sides[0]))
