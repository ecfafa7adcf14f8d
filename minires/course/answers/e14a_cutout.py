"""Exercise 14a: a hole in each image, and what goes wrong with it."""

import numpy

from minires.backend import xp


def cutout(images, size, rng):
    """Return the images with a square hole in each.

    images, result  (N, H, W, C)    size  the side of the squares, in pixels    rng  a numpy.random.Generator
    """
    n, h, w, _ = images.shape
    rows = xp.arange(h) - xp.asarray(rng.integers(0, h, (n, 1))) + size // 2
    columns = xp.arange(w) - xp.asarray(rng.integers(0, w, (n, 1))) + size // 2
    hole = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None]
    return xp.where(hole[..., None], 0, images).astype(images.dtype)


def _centres(images, rng):
    """Draw the rows and columns of the centres."""
    n, h, w, _ = images.shape
    return rng.integers(0, h, n), rng.integers(0, w, n)


def _within(centres, length, size, before=None):
    """Return a mask (N, length): where the squares are, along one axis. before  how far they reach to the left of the centre"""
    first = xp.asarray(centres)[:, None] - (size // 2 if before is None else before)
    place = xp.arange(length)
    return (place >= first) & (place < first + size)


def _cut(images, rows, columns):
    """Return the images, 0 where both masks, (N, H) and (N, W), are true."""
    hole = rows[:, :, None] & columns[:, None, :]
    return xp.where(hole[..., None], xp.zeros((), images.dtype), images)


def _holes(images, size, centres):
    _, h, w, _ = images.shape
    rows, columns = centres
    return _cut(images, _within(rows, h, size), _within(columns, w, size))


def one_hole_for_all(images, size, rng):
    """all images have their hole in the same place: each needs a centre of its own"""
    n, h, w, _ = images.shape
    return _holes(images, size, ([rng.integers(0, h)] * n, [rng.integers(0, w)] * n))


def moved_inside(images, size, rng):
    """a hole near the edge is moved until all of it is inside: it should be cut off"""
    _, h, w, _ = images.shape
    rows, columns = _centres(images, rng)
    rows = numpy.clip(rows, size // 2, max(h - size + size // 2, size // 2))
    columns = numpy.clip(columns, size // 2, max(w - size + size // 2, size // 2))
    return _holes(images, size, (rows, columns))


def drawn_inside(images, size, rng):
    """centres are drawn only where the whole hole fits into the image: every pixel should be equally likely"""
    n, h, w, _ = images.shape
    rows = size // 2 + rng.integers(0, max(h - size + 1, 1), n)
    columns = size // 2 + rng.integers(0, max(w - size + 1, 1), n)
    return _holes(images, size, (rows, columns))


def starts_at_the_pixel(images, size, rng):
    """the pixel that was drawn is the corner of the hole: it should be the centre"""
    _, h, w, _ = images.shape
    rows, columns = _centres(images, rng)
    return _cut(images, _within(rows, h, size, 0), _within(columns, w, size, 0))


def half_to_each_side(images, size, rng):
    """the hole goes from centre - size // 2 to just before centre + size // 2: for an odd size it is a pixel too small"""
    _, h, w, _ = images.shape
    rows, columns = _centres(images, rng)
    side = size // 2 * 2
    return _cut(images, _within(rows, h, side, size // 2), _within(columns, w, side, size // 2))


def twice_as_large(images, size, rng):
    """the hole goes from centre - size to centre + size: size is the side of the square"""
    _, h, w, _ = images.shape
    rows, columns = _centres(images, rng)
    side = 2 * size
    return _cut(images, _within(rows, h, side, size), _within(columns, w, side, size))


def negative_start(images, size, rng):
    """a slice that starts at a negative number is empty, so that holes at the upper and left edges are missing"""
    result = images.copy()
    for image, row, column in zip(result, *_centres(images, rng)):
        top, left = int(row) - size // 2, int(column) - size // 2
        image[top : top + size, left : left + size] = 0
    return result


def comes_back(images, size, rng):
    """what extends beyond an edge comes back at the opposite one: it should be cut off"""
    _, h, w, _ = images.shape
    rows, columns = _centres(images, rng)
    rows = (xp.arange(h) - xp.asarray(rows)[:, None] + size // 2) % h < size
    columns = (xp.arange(w) - xp.asarray(columns)[:, None] + size // 2) % w < size
    return _cut(images, rows, columns)


def writes_to_images(images, size, rng):
    """the holes are cut into images itself, which belongs to the caller: after a few epochs little would be left of it"""
    images[...] = _holes(images, size, _centres(images, rng))
    return images


def one_channel(images, size, rng):
    """only the first channel is 0 in the hole: all of them should be"""
    result = images.copy()
    result[..., :1] = _holes(images[..., :1], size, _centres(images, rng))
    return result


def a_hole_per_channel(images, size, rng):
    """each channel has a hole of its own: an image has one hole, in all of its channels"""
    parts = [
        _holes(images[..., k : k + 1], size, _centres(images, rng)) for k in range(images.shape[3])
    ]
    return xp.concatenate(parts, axis=3)


def filled_with_the_mean(images, size, rng):
    """the hole has the mean of the image: it should be 0"""
    _, h, w, _ = images.shape
    rows, columns = _centres(images, rng)
    hole = _within(rows, h, size)[:, :, None] & _within(columns, w, size)[:, None, :]
    mean = images.mean(axis=(1, 2, 3), keepdims=True).astype(images.dtype)
    return xp.where(hole[..., None], mean, images)


def all_but_the_hole(images, size, rng):
    """everything is 0 except for the square: it should be the other way round"""
    return images - _holes(images, size, _centres(images, rng))


def one_number_for_both(images, size, rng):
    """row and column are one number: holes are only on the diagonal"""
    n, h, w, _ = images.shape
    centres = rng.integers(0, min(h, w), n)
    return _holes(images, size, (centres, centres))


def axes_swapped(images, size, rng):
    """the row is drawn from the columns' numbers, and the column from the rows'"""
    n, h, w, _ = images.shape
    return _holes(images, size, (rng.integers(0, w, n), rng.integers(0, h, n)))


def last_pixel_never(images, size, rng):
    """the last row and the last column are never a centre: integers(0, h - 1) leaves out h - 1"""
    n, h, w, _ = images.shape
    rows, columns = rng.integers(0, max(h - 1, 1), n), rng.integers(0, max(w - 1, 1), n)
    return _holes(images, size, (rows, columns))


def a_generator_of_its_own(images, size, rng):
    """the random numbers come from a new generator with a fixed seed: then the holes are in the same places in each call"""
    return _holes(images, size, _centres(images, numpy.random.default_rng(0)))
