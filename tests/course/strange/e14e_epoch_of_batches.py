"""Strange solutions of 14e."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong
from tests.course.solutions.e14e_epoch_of_batches import (
    EVERY,
    FIRST,
    FULL,
    GIVEN,
    MEMORY,
    MOVES_IN,
    ORDER,
    OWN,
    SHIFTS,
    SIZES,
    UNSHIFTED,
    epoch,
    shifted,
)


class Epoch:
    """An iterable."""

    def __init__(self, images, labels, batch_size, crop, rng):
        self.made = list(epoch(images, labels, batch_size, crop, rng))

    def __iter__(self):
        return iter(self.made)


@right
def an_object(images, labels, batch_size, *, crop, rng):
    return Epoch(images, labels, batch_size, crop, rng)


@right
def backwards(images, labels, batch_size, *, crop, rng):
    """The order read from its end; each image goes through integers."""
    order = rng.permutation(len(images))[::-1]
    return epoch(images.astype(int), labels, batch_size, crop, rng, order=order)


@right
def images_put_back(images, labels, batch_size, *, crop, rng):
    """In place, and each image is put back at once."""
    order = rng.permutation(len(images))
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        x = xp.zeros((len(chosen), *images.shape[1:]), "float32")
        for k, n in enumerate(chosen):
            kept = images[n].copy()
            images[n] = shifted(images[n], *rng.integers(-crop, crop + 1, 2).tolist())
            x[k] = images[n] / 255
            images[n] = kept
        yield x, labels[chosen]


@right
def a_stack_of_lists(images, labels, batch_size, *, crop, rng):
    x, y = [], []
    for n in rng.permutation(len(images)):
        i, j = (int(rng.choice(numpy.arange(-crop, crop + 1))) for _ in range(2))
        x.append((shifted(images[n], i, j) / 255).astype("float32"))
        y.append(labels[n])
    for first in range(0, len(x), batch_size):
        yield xp.array(x[first : first + batch_size]), xp.array(y[first : first + batch_size])


KEPT = {}


@wrong(ORDER)
def an_order_of_its_own(images, labels, batch_size, *, crop, rng):
    order = numpy.random.default_rng(0).permutation(len(images))
    return epoch(images, labels, batch_size, crop, rng, order=order)


@wrong(SHIFTS)
def shifts_of_their_own(images, labels, batch_size, *, crop, rng):
    own = numpy.random.default_rng(0)
    return epoch(
        images,
        labels,
        batch_size,
        crop,
        rng,
        shifts=lambda n: own.integers(-crop, crop + 1, (n, 2)),
    )


@wrong(ORDER)
def order_kept(images, labels, batch_size, *, crop, rng):
    """One order for all epochs of as many images."""
    order = KEPT.setdefault(len(images), rng.permutation(len(images)))
    return epoch(images, labels, batch_size, crop, rng, order=order)


@wrong(MEMORY)
def slices_of_one_array(images, labels, batch_size, *, crop, rng):
    """The batches overlap by one image."""
    whole = next(iter(epoch(images, labels, len(images), crop, rng)))
    x, y = whole
    for first in range(0, len(x), batch_size):
        last = min(first + batch_size, len(x))
        yield x[first:last] if first else x, y[first:last] if first else y


@wrong(FIRST)
def in_float64(images, labels, batch_size, *, crop, rng):
    return ((x.astype("float64"), y) for x, y in epoch(images, labels, batch_size, crop, rng))


@wrong(FIRST)
def divided_by_256(images, labels, batch_size, *, crop, rng):
    return ((x * 255 / 256, y) for x, y in epoch(images, labels, batch_size, crop, rng))


@wrong(FIRST)
def labels_of_the_next(images, labels, batch_size, *, crop, rng):
    return ((x, xp.roll(y, 1)) for x, y in epoch(images, labels, batch_size, crop, rng))


@wrong(FIRST)
def edges_repeated(images, labels, batch_size, *, crop, rng):
    def one(image, i, j):
        h, w, _ = image.shape
        framed = xp.pad(image, ((crop, crop), (crop, crop), (0, 0)), mode="edge")
        return framed[crop + i : crop + i + h, crop + j : crop + j + w]

    return epoch(images, labels, batch_size, crop, rng, one=one)


@wrong(FIRST)
def drawn_with_replacement(images, labels, batch_size, *, crop, rng):
    order = rng.integers(0, len(images), len(images))
    return epoch(images, labels, batch_size, crop, rng, order=order)


@wrong(UNSHIFTED)
def at_least_one_pixel(images, labels, batch_size, *, crop, rng):
    return epoch(images, labels, batch_size, max(crop, 1), rng)


@wrong(SIZES)
def one_batch(images, labels, batch_size, *, crop, rng):
    return epoch(images, labels, len(images), crop, rng)


@wrong(FULL)
def an_empty_batch_at_the_end(images, labels, batch_size, *, crop, rng):
    yield from epoch(images, labels, batch_size, crop, rng)
    if len(images) % batch_size == 0:
        yield xp.ones((1, *images.shape[1:]), "float32"), labels[:1]


@wrong(EVERY)
def shifted_again_each_epoch(images, labels, batch_size, *, crop, rng):
    """Remembers the shifted images by the labels."""
    key = labels.tobytes(), images.shape
    own = KEPT.get(key, images)
    new = own.copy()

    def one(image, i, j):
        return shifted(image, i, j)

    for x, y in epoch(own, labels, batch_size, crop, rng, one=one):
        for image, label in zip(x, y):
            new[list(labels).index(label)] = (image * 255).round().astype("uint8")
        yield x, y
    KEPT[key] = new


@wrong(OWN)
def rows_only(images, labels, batch_size, *, crop, rng):
    return epoch(
        images,
        labels,
        batch_size,
        crop,
        rng,
        shifts=lambda n: rng.integers(-crop, crop + 1, (n, 2)) * [1, 0],
    )


@wrong(OWN)
def one_number_for_both(images, labels, batch_size, *, crop, rng):
    return epoch(
        images,
        labels,
        batch_size,
        crop,
        rng,
        shifts=lambda n: numpy.repeat(rng.integers(-crop, crop + 1, (n, 1)), 2, axis=1),
    )


@wrong(GIVEN)
def a_mark_left(images, labels, batch_size, *, crop, rng):
    """The last image is marked as used."""
    yield from epoch(images.copy(), labels, batch_size, crop, rng)
    images[-1, 0, 0, 0] ^= 1


@right
def what_is_left(images, labels, batch_size, *, crop, rng):
    """A list of numbers that becomes shorter; windows by slices of black images."""
    numbers, (h, w) = list(range(len(images))), images.shape[1:3]
    rng.shuffle(numbers)
    while numbers:
        chosen, numbers = numbers[:batch_size], numbers[batch_size:]
        x = xp.zeros((len(chosen), *images.shape[1:]), "float32")
        for image, n in zip(x, chosen):
            d, a = (int(rng.integers(-crop, crop, endpoint=True)) for _ in range(2))
            rows, columns = slice(max(d, 0), h + min(d, 0)), slice(max(a, 0), w + min(a, 0))
            to = slice(max(-d, 0), h - max(d, 0)), slice(max(-a, 0), w - max(a, 0))
            image[to] = images[n, rows, columns] / xp.float32(255)
        yield x, labels[xp.asarray(chosen)]


@wrong(GIVEN)
def put_back_in_the_end(images, labels, batch_size, *, crop, rng):
    """The images are changed as long as the epoch goes on."""
    kept = images.copy()
    order = rng.permutation(len(images))
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        x = xp.empty((len(chosen), *images.shape[1:]), "float32")
        for k, n in enumerate(chosen):
            images[n] = shifted(images[n], *rng.integers(-crop, crop + 1, 2).tolist())
            x[k] = images[n] / 255
        yield x, labels[chosen]
    images[...] = kept


@wrong(SHIFTS)
def a_shift_of_its_own_for_ever(images, labels, batch_size, *, crop, rng):
    """Each image has its shift, which is the same in each epoch."""
    own = numpy.random.default_rng(0).integers(-crop, crop + 1, (len(images), 2)).tolist()
    order = rng.permutation(len(images))
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        x = xp.stack([shifted(images[n], *own[n]) for n in chosen])
        yield x.astype("float32") / 255, labels[chosen]


@wrong(ORDER)
def begins_somewhere(images, labels, batch_size, *, crop, rng):
    """Only the place at which the epoch begins is drawn."""
    order = numpy.roll(numpy.arange(len(images)), rng.integers(len(images)))
    return epoch(images, labels, batch_size, crop, rng, order=order)


@wrong(ORDER)
def batches_in_a_new_order(images, labels, batch_size, *, crop, rng):
    """The images of a batch are shuffled, and the batches come as given."""
    parts = [
        rng.permutation(numpy.arange(first, min(first + batch_size, len(images))))
        for first in range(0, len(images), batch_size)
    ]
    return epoch(images, labels, batch_size, crop, rng, order=numpy.concatenate(parts))


@wrong(MOVES_IN)
def the_edge_again(images, labels, batch_size, *, crop, rng):
    """What moves in repeats the edge."""
    h, w = images.shape[1:3]
    order = rng.permutation(len(images))
    for first in range(0, len(order), batch_size):
        chosen, found = order[first : first + batch_size], []
        for n in chosen:
            framed = xp.pad(images[n], ((crop, crop), (crop, crop), (0, 0)), mode="edge")
            d, a = rng.integers(0, 2 * crop + 1, 2)
            found.append(framed[d : d + h, a : a + w])
        yield xp.stack(found).astype("float32") / 255, labels[chosen]


@wrong(FIRST)
def by_256(images, labels, batch_size, *, crop, rng):
    for x, y in epoch(images, labels, batch_size, crop, rng):
        yield x * xp.float32(255 / 256), y


@wrong(UNSHIFTED)
def nothing_before_minus_0(images, labels, batch_size, *, crop, rng):
    """A slice that ends at -0 is empty."""
    order = rng.permutation(len(images))
    for first in range(0, len(order), batch_size):
        chosen, found = order[first : first + batch_size], []
        for n in chosen:
            d, a = rng.integers(-crop, crop + 1, 2)
            framed = xp.pad(images[n], ((2 * crop, 2 * crop), (2 * crop, 2 * crop), (0, 0)))
            framed = framed[crop + d :, crop + a :]
            h, w = images.shape[1:3]
            found.append(framed[crop:-crop][:h, crop:][:, :w] if crop else framed[crop:-crop])
        yield xp.stack(found).astype("float32") / 255, labels[chosen]
