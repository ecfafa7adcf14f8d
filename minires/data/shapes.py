"""Ten coloured shapes of 32 x 32 pixels, drawn from a seed: images to train on, with exact masks, and nothing to download."""

from collections.abc import Callable
from typing import NamedTuple

import numpy

from minires.backend import HostArray
from minires.data.dataset import Dataset

SIDE = 32
DIFFICULTY = 0.5  # of shapes() where nothing is said
MEAN, STD = 0.4, 0.3  # about those of the images, at the default difficulty
SMALLEST, LARGEST = 7, 12  # radius in pixels of the circle around a shape
TURN = 0.3  # tangent of half the largest rotation: 33 degrees either way
CLUTTER = 8  # bars behind the shape, at difficulty 1
CHUNK = 100  # images drawn at a time, which bounds the memory
POSE, BAR = 4, 6  # random numbers of a shape's pose, and of a bar

Inside = Callable[[HostArray, HostArray], HostArray]


def _star(x: HostArray, y: HostArray) -> HostArray:
    """Return where at least four of a pentagon's five half-planes hold: the pentagon, and a point on each side of it."""
    normals = ((0, 1), (0.9510565, 0.309017), (0.5877853, -0.809017), (-0.5877853, -0.809017), (-0.9510565, 0.309017))  # fmt: skip
    return numpy.sum([x * a + y * b <= 0.309017 for a, b in normals], axis=0) >= 4


def _heart(x: HostArray, y: HostArray) -> HostArray:
    x, y = 1.36 * x, 1.36 * y + 0.12
    round_ = x * x + y * y - 1
    return round_ * round_ * round_ <= x * x * y * y * y


# Each shape lies in the unit circle, and is its own mirror image. (x, y) -> inside or not, where y points up.
SHAPES: dict[str, Inside] = {
    "circle": lambda x, y: x * x + y * y <= 0.72,
    "square": lambda x, y: numpy.maximum(abs(x), abs(y)) <= 0.7,
    "triangle": lambda x, y: (y >= -0.55) & (y <= 0.95 - 1.85 * abs(x)),
    "star": _star,
    "cross": lambda x, y: (numpy.minimum(abs(x), abs(y)) <= 0.24) & (numpy.maximum(abs(x), abs(y)) <= 0.9),
    "ring": lambda x, y: abs(x * x + y * y - 0.5) <= 0.25,
    "crescent": lambda x, y: (x * x + y * y <= 0.9) & (x * x + (y - 0.5) * (y - 0.5) >= 0.5),
    "heart": _heart,
    "hourglass": lambda x, y: (abs(x) <= 0.08 + 0.62 * abs(y)) & (abs(y) <= 0.8),
    "arrow": lambda x, y: ((y >= 0) & (y <= 0.95 - 1.2 * abs(x))) | ((y < 0) & (y >= -0.95) & (abs(x) <= 0.22)),
}  # fmt: skip
CLASSES = tuple(SHAPES)


class Drawn(NamedTuple):
    """Images and all that is known about them.

    images  uint8 (N, 32, 32, 3)    labels  ints (N,)    masks  bool (N, 32, 32): the pixels of which the shape covers half or more
    boxes   ints (N, 4): top, left, bottom, right of the mask, so that image[top:bottom, left:right] just contains it
    """

    images: HostArray
    labels: HostArray
    masks: HostArray
    boxes: HostArray


def shapes(n: int, seed: int = 0, *, difficulty: float = DIFFICULTY) -> Dataset:
    """Draw `n` coloured shapes, uint8 (N, 32, 32, 3), as a Dataset of ten classes; image i shows class i % 10.

    Image i depends on (seed, i) and difficulty alone: shapes(100) begins with shapes(10). Size, position and rotation are
    random. mean and std are 0.4 and 0.3 in each channel, whatever the seed: training and test images are normalised alike.

    difficulty  from 0 (light on dark, little noise) to 1 (any colours, bars behind the shape, noise)

    Raises  TypeError, ValueError: n below 1, a seed below 0, or difficulty outside [0, 1].
    """
    drawn = drawn_shapes(n, seed, difficulty=difficulty)
    source, mean, std = f"drawn from seed {seed}", [MEAN] * 3, [STD] * 3
    return Dataset(
        drawn.images, drawn.labels, CLASSES, mean=mean, std=std, name="shapes", source=source
    )


def drawn_shapes(n: int, seed: int = 0, *, difficulty: float = DIFFICULTY) -> Drawn:
    """Draw the images of shapes(n, seed), and return them as arrays with their masks and boxes.

    Raises  as shapes().
    """
    for name, value, low in (("n", n, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, numpy.integer)):
            raise TypeError(f"shapes: {name}: expected an int, got {value!r}")
        if value < low:
            raise ValueError(f"shapes: {name}: expected at least {low}, got {value}")
    if isinstance(difficulty, bool) or not isinstance(difficulty, (float, int, numpy.number)):
        raise TypeError(f"shapes: difficulty: expected a number, got {difficulty!r}")
    if not 0 <= difficulty <= 1:
        raise ValueError(f"shapes: difficulty: expected 0 to 1, got {difficulty}")
    labels = numpy.arange(n) % len(CLASSES)
    images = numpy.empty((n, SIDE, SIDE, 3), numpy.uint8)
    masks = numpy.empty((n, SIDE, SIDE), bool)
    for start in range(0, n, CHUNK):
        part = slice(start, min(start + CHUNK, n))
        images[part], masks[part] = _draw(labels[part], seed, start, float(difficulty))
    return Drawn(images, labels, masks, _boxes(masks))


def _draw(
    labels: HostArray, seed: int, start: int, difficulty: float
) -> tuple[HostArray, HostArray]:
    """Return (images, masks) of some images. Only + - * / and comparisons are used, so that the bits are the same everywhere."""
    bars = round(CLUTTER * difficulty)
    noise = numpy.empty((len(labels), SIDE, SIDE, 3))
    numbers = numpy.empty((POSE + 9 + CLUTTER * BAR, len(labels)))
    for i in range(len(labels)):
        rng = numpy.random.default_rng(numpy.random.SeedSequence(seed, spawn_key=(start + i,)))
        numbers[:, i] = rng.random(len(numbers))
        noise[i] = rng.random(noise.shape[1:])
    size, *place, turn = numbers[:POSE]
    dark, light, swap = numbers[POSE : POSE + 9].reshape(3, 3, -1)
    # Colours: of each channel, one value below and one above the middle, swapped in up to half of them.
    dark, light = (0.3 + 0.15 * difficulty) * dark, 1 - (0.3 + 0.15 * difficulty) * light
    swapped = swap < difficulty / 2
    back, front = numpy.where(swapped, light, dark), numpy.where(swapped, dark, light)
    radius = SMALLEST + (LARGEST - SMALLEST) * size
    centre = [radius + (SIDE - 2 * radius) * u for u in place]
    # Four points in each pixel, so that edges are smooth.
    x, y = _turned(2 * SIDE, centre, TURN * (2 * turn - 1))
    x, y = x / radius[:, None, None], -y / radius[:, None, None]
    inside = numpy.empty(x.shape, bool)
    for k in numpy.unique(labels):
        inside[labels == k] = SHAPES[CLASSES[k]](x[labels == k], y[labels == k])
    cover = inside.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4))
    image = numpy.broadcast_to(back.T[:, None, None], noise.shape).copy()
    for bar in numbers[POSE + 9 :].reshape(CLUTTER, BAR, -1)[:bars]:
        length, width, shade, turn, *place = bar
        x, y = (at[..., None] for at in _turned(SIDE, [SIDE * u for u in place], 2 * turn - 1))
        half = [v[:, None, None, None] for v in (2 + 6 * length, 0.5 + 1.5 * width)]
        hit = (abs(x) <= half[0]) & (abs(y) <= half[1])
        colour = (back + shade * (front - back)).T[:, None, None]
        image = numpy.where(hit, colour, image)
    image += cover[..., None] * (front.T[:, None, None] - image)
    image += (0.1 + 0.5 * difficulty) * (noise - 0.5)
    return (255 * image.clip(0, 1) + 0.5).astype(numpy.uint8), cover >= 0.5


def _turned(
    side: int, centre: list[HostArray], half_tangent: HostArray
) -> tuple[HostArray, HostArray]:
    """Return x, y (N, side, side), in pixels from each centre, along axes that are rotated.

    half_tangent  the tangent t of half the angle: its cosine is (1 - t^2) / (1 + t^2), its sine 2 t / (1 + t^2)
    """
    at = (numpy.arange(side) + 0.5) * (SIDE / side)
    cx, cy, t = (v[:, None, None] for v in (*centre, half_tangent))
    cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    x, y = at - cx, at[:, None] - cy
    return cosine * x + sine * y, cosine * y - sine * x


def _boxes(masks: HostArray) -> HostArray:
    """Return top, left, bottom, right (N, 4) of each mask."""
    rows, columns = masks.any(axis=2), masks.any(axis=1)
    first = [side.argmax(axis=1) for side in (rows, columns)]
    last = [SIDE - numpy.flip(side, axis=1).argmax(axis=1) for side in (rows, columns)]
    return numpy.stack([*first, *last], axis=1)
