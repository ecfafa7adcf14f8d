"""Solutions of 14e: fixed ones, and ones that were fixed in the wrong place."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

FIRST, GIVEN = (
    "test_the_first_epoch_is_right_if_each_batch_is_used_at_once",
    "test_the_images_and_labels_stay_as_they_are_given",
)
EVERY, STAY = (
    "test_every_epoch_starts_from_the_images_as_they_are_given",
    "test_batches_stay_as_they_are",
)
UNSHIFTED, SIZES = "test_without_a_crop_the_images_come_unshifted", "test_the_sizes_of_the_batches"
FULL, OWN, ORDER = (
    "test_batches_may_be_full_or_of_one_image_or_of_all",
    "test_each_image_is_shifted_by_its_own_numbers",
    "test_the_order_is_drawn_from_rng",
)
MOVES_IN = "test_what_moves_in_is_0"
SHIFTS, MEMORY = "test_the_shifts_are_drawn_from_rng", "test_a_batch_has_memory_of_its_own"


@right
def two_lines_changed(images, labels, batch_size, *, crop, rng):
    """The file as provided, with a copy of the image and of the batch."""
    h, w = images.shape[1:3]
    order = rng.permutation(len(images))
    x = xp.empty((batch_size, *images.shape[1:]), "float32")
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        for k, n in enumerate(chosen):
            image = images[n].copy()
            down, across = rng.integers(-crop, crop + 1, 2)
            framed = xp.pad(image, ((crop, crop), (crop, crop), (0, 0)))
            image[...] = framed[crop + down : crop + down + h, crop + across : crop + across + w]
            x[k] = image / 255
        yield x[: len(chosen)].copy(), labels[chosen]


@right
def a_copy_at_the_top(images, labels, batch_size, *, crop, rng):
    """The whole data set is copied for each epoch: much memory, but right."""
    images = images.copy()
    h, w = images.shape[1:3]
    order = rng.permutation(len(images))
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        x = xp.empty((len(chosen), *images.shape[1:]), "float32")
        for k, n in enumerate(chosen):
            image = images[n]
            down, across = rng.integers(-crop, crop + 1, 2)
            framed = xp.pad(image, ((crop, crop), (crop, crop), (0, 0)))
            image[...] = framed[crop + down : crop + down + h, crop + across : crop + across + w]
            x[k] = image / 255
        yield x, labels[chosen]


@right
def all_at_once(images, labels, batch_size, *, crop, rng):
    """By indices, in a list; all shifts are drawn first."""
    n, h, w, _ = images.shape
    down, across = rng.integers(-crop, crop + 1, (2, n, 1, 1)) + crop
    framed = xp.pad(images, ((0, 0), (crop, crop), (crop, crop), (0, 0)))
    rows, columns = numpy.arange(h)[:, None] + down, numpy.arange(w) + across
    moved = framed[numpy.arange(n)[:, None, None], rows, columns] / numpy.float32(255)
    order = numpy.argsort(rng.random(n))
    parts = [order[first : first + batch_size] for first in range(0, n, batch_size)]
    return [(moved[part].astype("float32"), labels[part]) for part in parts]


@right
def stacked(images, labels, batch_size, *, crop, rng):
    h, w = images.shape[1:3]
    numbers = list(range(len(images)))
    rng.shuffle(numbers)
    while numbers:
        chosen, numbers = numbers[:batch_size], numbers[batch_size:]
        shifted = []
        for n in chosen:
            window = xp.zeros_like(images[n])
            i, j = int(rng.integers(-crop, crop + 1)), int(rng.integers(-crop, crop + 1))
            to = slice(max(-i, 0), h - max(i, 0)), slice(max(-j, 0), w - max(j, 0))
            window[to] = images[n][max(i, 0) : h - max(-i, 0), max(j, 0) : w - max(-j, 0)]
            shifted.append(window)
        yield xp.stack(shifted).astype("float32") / 255, labels[xp.asarray(chosen)]


def shifted(image, i, j):
    h, w, _ = image.shape
    frame = max(abs(i), abs(j))
    framed = xp.pad(image, ((frame, frame), (frame, frame), (0, 0)))
    return framed[frame + i : frame + i + h, frame + j : frame + j + w]


def epoch(images, labels, batch_size, crop, rng, *, order=None, one=None, shifts=None):
    """Yield batches. one  takes an image and two numbers    shifts  takes n and returns n pairs"""
    order = rng.permutation(len(images)) if order is None else order
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        pairs = shifts(len(chosen)) if shifts else rng.integers(-crop, crop + 1, (len(chosen), 2))
        x = [(one or shifted)(images[n], int(i), int(j)) for n, (i, j) in zip(chosen, pairs)]
        yield xp.stack(x).astype("float32") / 255, labels[chosen]


@wrong(GIVEN, mistake="images_still_change")
def x_in_the_loop(images, labels, batch_size, *, crop, rng):
    def one(image, i, j):
        image[...] = shifted(image, i, j)
        return image

    return epoch(images, labels, batch_size, crop, rng, one=one)


@wrong(STAY, mistake="batches_still_change")
def image_copied(images, labels, batch_size, *, crop, rng):
    x = xp.empty((batch_size, *images.shape[1:]), "float32")
    for batch, y in epoch(images, labels, batch_size, crop, rng):
        x[: len(batch)] = batch
        yield x[: len(batch)], y


@wrong(OWN, mistake="never_shifted")
def no_shift(images, labels, batch_size, *, crop, rng):
    return epoch(images, labels, batch_size, 0, rng)


@wrong(OWN, mistake="one_shift_per_batch")
def all_alike(images, labels, batch_size, *, crop, rng):
    def shifts(n):
        return [rng.integers(-crop, crop + 1, 2)] * n

    return epoch(images, labels, batch_size, crop, rng, shifts=shifts)


COPIES = {}


@wrong(EVERY)
def copied_once(images, labels, batch_size, *, crop, rng):
    own = COPIES.setdefault(images.shape, images.copy())

    def one(image, i, j):
        image[...] = shifted(image, i, j)
        return image

    return epoch(own, labels, batch_size, crop, rng, one=one)


@wrong(FIRST, mistake="comes_back")
def rolled(images, labels, batch_size, *, crop, rng):
    return epoch(
        images,
        labels,
        batch_size,
        crop,
        rng,
        one=lambda image, i, j: xp.roll(xp.roll(image, -i, 0), -j, 1),
    )


@wrong(ORDER, mistake="in_the_given_order")
def no_order(images, labels, batch_size, *, crop, rng):
    return epoch(images, labels, batch_size, crop, rng, order=numpy.arange(len(images)))


@wrong(FIRST, mistake="not_divided")
def pixels(images, labels, batch_size, *, crop, rng):
    return ((x * 255, y) for x, y in epoch(images, labels, batch_size, crop, rng))


@wrong(FIRST, mistake="last_batch_lost")
def full_ones(images, labels, batch_size, *, crop, rng):
    return ((x, y) for x, y in epoch(images, labels, batch_size, crop, rng) if len(y) == batch_size)


@wrong(SIZES, mistake="last_batch_filled")
def always_full(images, labels, batch_size, *, crop, rng):
    before = None
    for x, y in epoch(images, labels, batch_size, crop, rng):
        if before is not None and len(x) < len(before):
            x = xp.concatenate((x, before[len(x) - len(before) :]))
        before = x
        yield x, y


@wrong(GIVEN)
def put_back_unshifted_too_late(images, labels, batch_size, *, crop, rng):
    """The images are put back before the next batch, and at the end the last ones stay as they are."""
    order = rng.permutation(len(images))
    before = None
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        if before is not None:
            images[before[0]] = before[1]
        before = chosen, images[chosen]
        for n in chosen:
            images[n] = shifted(images[n], *map(int, rng.integers(-crop, crop + 1, 2)))
        yield (images[chosen] / 255).astype("float32"), labels[chosen]


@wrong(STAY)
def two_in_turn(images, labels, batch_size, *, crop, rng):
    """Two arrays, so that a batch stays until the one after the next."""
    room = xp.empty((2, batch_size, *images.shape[1:]), "float32")
    for k, (x, y) in enumerate(epoch(images, labels, batch_size, crop, rng)):
        room[k % 2, : len(x)] = x
        yield room[k % 2, : len(x)], y


@wrong(OWN)
def only_forwards(images, labels, batch_size, *, crop, rng):
    """From 0 to crop."""
    return epoch(
        images, labels, batch_size, crop, rng, shifts=lambda n: rng.integers(0, crop + 1, (n, 2))
    )


@wrong(OWN)
def never_the_largest(images, labels, batch_size, *, crop, rng):
    """integers(-crop, crop) leaves out crop."""
    return epoch(
        images,
        labels,
        batch_size,
        crop,
        rng,
        shifts=lambda n: rng.integers(-crop, max(crop, 1), (n, 2)) * (crop > 0),
    )


@wrong(GIVEN)
def labels_shuffled_in_place(images, labels, batch_size, *, crop, rng):
    order = rng.permutation(len(images))
    y = labels[order]
    batches = [(x, part) for x, part in epoch(images, labels, batch_size, crop, rng, order=order)]
    labels[...] = y
    return batches
