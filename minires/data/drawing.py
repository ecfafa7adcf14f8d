"""A picture of your own as an image like those of digits()."""

from collections.abc import Sequence
from pathlib import Path

import numpy

from minires.backend import HostArray
from minires.data.dataset import DataError
from minires.data.image import load_image

SIDE, WHITE = 8, 16  # of the digits
SHADES = {" ": 0, ".": 0, "-": 5, "+": 10, "#": WHITE}


def drawing(picture: str | Path | Sequence[str]) -> HostArray:
    """Return a digit as uint8 (8, 8, 1) with values up to 16, white on black: as digits() has them.

    picture  the path of an image file, or eight strings of eight characters: `.` or a space is black, `-` dark, `+` light,
             and `#` white. In a file, the digit may be dark on bright; it is cut out, and scaled to fill the height

    Raises  DataError: a file without a digit in it, or one that load_image refuses. ValueError: strings of a different
    number or length, or with a different character.
    """
    if isinstance(picture, (str, Path)):
        return _from_file(picture)
    lines = list(picture)
    if len(lines) != SIDE or any(len(line) != SIDE for line in lines):
        raise ValueError(
            f"drawing: expected {SIDE} strings of {SIDE} characters, got {len(lines)} of {[len(line) for line in lines]}"
        )
    unknown = sorted(set("".join(lines)) - set(SHADES))
    if unknown:
        raise ValueError(
            f"drawing: expected the characters {' '.join(map(repr, SHADES))}, got {' '.join(map(repr, unknown))}"
        )
    return numpy.array([[[SHADES[mark]] for mark in line] for line in lines], numpy.uint8)


def _from_file(path: str | Path) -> HostArray:
    from PIL import Image

    light = load_image(path, channels=1)[..., 0].astype(numpy.float32)
    edge = numpy.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    if numpy.median(edge) > (light.min() + light.max()) / 2:
        light = 255 - light  # dark ink on bright paper
    light = light - light.min()
    if light.max() < 32:  # of 255: a sheet of paper with its shadows
        raise DataError(
            f"{path}: expected a digit, got a picture that is nearly the same everywhere"
        )
    rows, columns = ((light > light.max() / 2).any(axis=axis).nonzero()[0] for axis in (1, 0))
    light = light[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    missing = max(light.shape) - numpy.array(light.shape)
    light = numpy.pad(light, [(n // 2, n - n // 2) for n in missing.tolist()])
    small = numpy.asarray(Image.fromarray(light).resize((SIDE, SIDE), Image.Resampling.BOX))
    return (WHITE * small / small.max()).round().astype(numpy.uint8)[..., None]
