"""Exercise 14e: an epoch of shifted images, and what goes wrong with the arrays that it writes to."""

import numpy

from minires.backend import xp


def epoch_of_batches(images, labels, batch_size, *, crop, rng):
    """Yield the batches (x, y) of an epoch, in a new order, each image shifted at random.

    images  uint8 (N, H, W, C)    labels  ints (N,)    crop  the most pixels by which an image is shifted
    rng  a numpy.random.Generator
    x  float32 (n, H, W, C), pixels / 255    y  the labels of these images (n,)    n  batch_size, in the last batch what is left
    """
    h, w = images.shape[1:3]
    order = rng.permutation(len(images))
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        x = xp.empty((len(chosen), *images.shape[1:]), "float32")
        for k, n in enumerate(chosen):
            down, across = rng.integers(-crop, crop + 1, 2)
            framed = xp.pad(images[n], ((crop, crop), (crop, crop), (0, 0)))
            x[k] = framed[crop + down : crop + down + h, crop + across : crop + across + w] / 255
        yield x, labels[chosen]


def hunted(images, labels, batch_size, *, crop, rng):
    """nothing has changed: the shifted image is still written to images, and every batch to the same x"""
    h, w = images.shape[1:3]
    order = rng.permutation(len(images))
    x = xp.empty((batch_size, *images.shape[1:]), "float32")
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        for k, n in enumerate(chosen):
            image = images[n]
            down, across = rng.integers(-crop, crop + 1, 2)
            framed = xp.pad(image, ((crop, crop), (crop, crop), (0, 0)))
            image[...] = framed[crop + down : crop + down + h, crop + across : crop + across + w]
            x[k] = image / 255
        yield x[: len(chosen)], labels[chosen]


def _moved(image, down, across):
    """Return an image seen through a window that is shifted; what moves in is 0."""
    h, w, _ = image.shape
    frame = max(abs(down), abs(across))
    framed = xp.pad(image, ((frame, frame), (frame, frame), (0, 0)))
    return framed[frame + down : frame + down + h, frame + across : frame + across + w]


def _epoch(
    images, labels, batch_size, crop, rng, *, shifts=None, order=None, keep=False, moved=_moved
):
    """Yield batches. shifts, order  drawn differently    keep  one array for all batches"""
    order = rng.permutation(len(images)) if order is None else order
    whole = xp.empty((batch_size, *images.shape[1:]), "float32")
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        n = len(chosen)
        down, across = rng.integers(-crop, crop + 1, (2, n)) if shifts is None else shifts(n)
        x = whole[:n] if keep else xp.empty((n, *images.shape[1:]), "float32")
        for k in range(n):
            x[k] = moved(images[chosen[k]], int(down[k]), int(across[k])) / 255
        yield x, labels[chosen]


def images_still_change(images, labels, batch_size, *, crop, rng):
    """the batches are arrays of their own, but the shifted images are still written to images"""

    def moved(image, down, across):
        image[...] = _moved(image, down, across)
        return image

    yield from _epoch(images, labels, batch_size, crop, rng, moved=moved)


def batches_still_change(images, labels, batch_size, *, crop, rng):
    """images stays unchanged, but every batch is still written to the same x"""
    yield from _epoch(images, labels, batch_size, crop, rng, keep=True)


def never_shifted(images, labels, batch_size, *, crop, rng):
    """the shift is gone: it was right, except for the array that it was written to"""
    yield from _epoch(images, labels, batch_size, crop, rng, shifts=lambda n: numpy.zeros((2, n)))


def one_shift_per_batch(images, labels, batch_size, *, crop, rng):
    """all images of a batch are shifted alike: each has its own numbers"""

    def shifts(n):
        return numpy.repeat(rng.integers(-crop, crop + 1, (2, 1)), n, axis=1)

    yield from _epoch(images, labels, batch_size, crop, rng, shifts=shifts)


def comes_back(images, labels, batch_size, *, crop, rng):
    """what moves out at one edge comes in at the other: it should be 0"""

    def moved(image, down, across):
        return xp.roll(image, (-down, -across), (0, 1))

    yield from _epoch(images, labels, batch_size, crop, rng, moved=moved)


def in_the_given_order(images, labels, batch_size, *, crop, rng):
    """the order is gone: the images come as they are given"""
    yield from _epoch(images, labels, batch_size, crop, rng, order=numpy.arange(len(images)))


def not_divided(images, labels, batch_size, *, crop, rng):
    """x contains pixels from 0 to 255: they should be divided by 255"""
    for x, y in _epoch(images, labels, batch_size, crop, rng):
        yield x * 255, y


def last_batch_lost(images, labels, batch_size, *, crop, rng):
    """a last batch that isn't full is left out"""
    for x, y in _epoch(images, labels, batch_size, crop, rng):
        if len(x) == batch_size:
            yield x, y


def last_batch_filled(images, labels, batch_size, *, crop, rng):
    """the last batch has batch_size images, of which some are left over from the one before"""
    last = None
    for x, y in _epoch(images, labels, batch_size, crop, rng):
        if last is not None and len(x) < len(last):
            x = xp.concatenate([x, last[len(x) :]])
        last = x
        yield x, y
