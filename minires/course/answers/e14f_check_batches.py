"""Exercise 14f: batches that should be told apart, a check that does it, and checks that do not."""

import numpy

from minires.backend import xp

MEAN = xp.asarray([90.0, 60.0])
PIXELS = [[40, 70, 110], [10, 200, 130]]  # each image's pattern, which is not its own mirror image


def check(candidate):
    """Raise AssertionError unless a candidate is a right epoch of batches.

    candidate  candidate(images, labels, batch_size, mean, rng=rng, training=True) returns an iterable of pairs (x, y)
    """
    images, labels = _images()
    rng = numpy.random.default_rng(5)
    first = _order(candidate, images, labels, rng, True)
    second = _order(candidate, images, labels, rng, True)
    assert first != second, "a new order"
    assert _order(candidate, images, labels, None, False) == sorted(first), "as given"


def _images(n=23):
    """Return images whose first pixels say which one it is, and labels."""
    pattern = xp.asarray(PIXELS)[None, :, :, None] + 3 * xp.arange(n)[:, None, None, None]
    return xp.concatenate([pattern, pattern // 2], axis=3).astype("uint8"), xp.arange(n) * 7 % 10


def _order(candidate, images, labels, rng, training, batch_size=5):
    """Return the numbers of the images in the order in which they come. Check that each is right, and so is its label."""
    order, exact = [], (images - MEAN) / 255
    for x, y in candidate(images, labels, batch_size, MEAN, rng=rng, training=training):
        assert x.dtype == "float32" and len(x) == len(y) <= batch_size
        for image, label in zip(x, y):
            sides = [exact, exact[:, :, ::-1]] if training else [exact]
            (number,) = {
                int(i)
                for side in sides
                for i in xp.flatnonzero(abs(side - image).max(axis=(1, 2, 3)) < 1e-5)
            }
            assert label == labels[number], "its label"
            order.append(number)
    assert sorted(order) == list(range(len(images))), "each image once"
    return order


# The candidates.


def _epoch(
    images,
    labels,
    batch_size,
    mean,
    rng,
    training,
    *,
    order=None,
    shuffled=None,
    mirrored=None,
    whole=False,
    normalised=None,
):
    """Yield batches. order, mirrored  drawn differently    shuffled  the labels in an order of their own"""
    n = len(images)
    if order is None:
        order = rng.permutation(n) if training else numpy.arange(n)
    if mirrored is None:
        mirrored = rng.random(n) < 0.5 if training else numpy.zeros(n, bool)
    for first in range(0, n - n % batch_size if whole else n, batch_size):
        part = slice(first, first + batch_size)
        x = images[order[part]]
        x = xp.where(xp.asarray(mirrored[part])[:, None, None, None], x[:, :, ::-1], x)
        x = normalised(x) if normalised else (x - mean) / 255
        yield x.astype("float32"), labels[(order if shuffled is None else shuffled)[part]]


def _right(images, labels, batch_size, mean, *, rng, training):
    return _epoch(images, labels, batch_size, mean, rng, training)


def _right_too(images, labels, batch_size, mean, *, rng, training):
    """One by one, in a list; the normalised images are computed at once, in float32."""
    found, x = [], (images.astype("float32") - mean.astype("float32")) / 255
    numbers = list(range(len(images)))
    if training:
        rng.shuffle(numbers)
    for first in range(0, len(images), batch_size):
        chosen = numbers[first : first + batch_size]
        sides = [1 if not training or rng.integers(2) else -1 for _ in chosen]
        found.append(
            (xp.stack([x[i, :, ::side] for i, side in zip(chosen, sides)]), labels[chosen])
        )
    return found


def _right_as_well(images, labels, batch_size, mean, *, rng, training):
    """In the order of random numbers; images that are mirrored are drawn first, by their numbers in the dataset."""
    n = len(images)
    side = rng.integers(0, 2, n) if training else None
    order = numpy.argsort(rng.random(n)) if training else numpy.arange(n)
    mirrored = side[order] == 1 if training else None
    return iter(
        [*_epoch(images, labels, batch_size, mean, rng, training, order=order, mirrored=mirrored)]
    )


def _right_in_other_digits(images, labels, batch_size, mean, *, rng, training):
    """In float32, times 1/255 instead of divided by 255: the last digits differ."""

    def normalised(x):
        return (x.astype("float32") - mean.astype("float32")) * xp.float32(1 / 255)

    return _epoch(images, labels, batch_size, mean, rng, training, normalised=normalised)


def _in_order(images, labels, batch_size, mean, *, rng, training):
    return _epoch(images, labels, batch_size, mean, rng, training, order=numpy.arange(len(images)))


def _one_order(images, labels, batch_size, mean, *, rng, training):
    order = numpy.random.default_rng(0).permutation(len(images)) if training else None
    return _epoch(images, labels, batch_size, mean, rng, training, order=order)


def _apart(images, labels, batch_size, mean, *, rng, training):
    shuffled = rng.permutation(len(images)) if training else None
    return _epoch(images, labels, batch_size, mean, rng, training, shuffled=shuffled)


def _always_mirrored(images, labels, batch_size, mean, *, rng, training):
    drawn = numpy.random.default_rng(3) if rng is None else rng
    mirrored = drawn.random(len(images)) < 0.5
    return _epoch(images, labels, batch_size, mean, rng, training, mirrored=mirrored)


def _last_lost(images, labels, batch_size, mean, *, rng, training):
    return _epoch(images, labels, batch_size, mean, rng, training, whole=True)


def _wraps(images, labels, batch_size, mean, *, rng, training):
    dark = xp.asarray(mean).astype("uint8")
    return _epoch(
        images, labels, batch_size, mean, rng, training, normalised=lambda x: (x - dark) / 255
    )


RIGHT = {
    "a right one": _right,
    "a right one that returns a list": _right_too,
    "a right one that draws the sides first": _right_as_well,
    "a right one whose last digits differ": _right_in_other_digits,
}
WRONG = {
    "the one whose order is never drawn": _in_order,
    "the one with one order for all epochs": _one_order,
    "the one that shuffles images and labels apart": _apart,
    "the one that mirrors images for validation": _always_mirrored,
    "the one that leaves out the last batch": _last_lost,
    "the one whose pixels wrap around": _wraps,
}


# Checks that do not tell them apart.


def _checked(
    candidate, *, images=None, labels=None, batch_size=5, epochs=2, validation=True, pairs=True
):
    """Check as the right one does, except for these parts."""
    images, labels = _images() if images is None else (images, labels)
    rng, orders = numpy.random.default_rng(5), []
    shown = (images - MEAN) / 255
    for training in [True] * epochs + [False] * validation:
        order = []
        made = candidate(
            images, labels, batch_size, MEAN, rng=rng if training else None, training=training
        )
        for x, y in made:
            for image, label in zip(x, y):
                sides = [shown, shown[:, :, ::-1]] if training else [shown]
                near = [abs(side - image).max(axis=(1, 2, 3)) for side in sides]
                number = int(xp.stack(near).min(axis=0).argmin())
                assert min(n[number] for n in near) < 1e-3
                assert not pairs or label == labels[number]
                order.append(number)
        assert sorted(order) == list(range(len(images)))
        assert training or order == sorted(order)
        orders.append(order)
    assert orders[0] != sorted(orders[0])
    assert epochs < 2 or orders[0] != orders[1]


def never_rejects(candidate):
    """the check accepts all batches, right or wrong"""
    images, labels = _images()
    list(candidate(images, labels, 5, MEAN, rng=numpy.random.default_rng(5), training=True))


def one_epoch(candidate):
    """the check accepts one order for all epochs: look at two of them"""
    _checked(candidate, epochs=1)


def labels_not_compared(candidate):
    """the check accepts images and labels that are shuffled apart: compare each label, which must differ, with its image"""
    _checked(candidate, pairs=False)


def training_only(candidate):
    """the check accepts images for validation that are mirrored: look at training=False, and at asymmetric images"""
    _checked(candidate, validation=False)


def full_batches(candidate):
    """the check accepts a last batch that is left out: count the images, whose number is not a multiple of batch_size"""
    images, labels = _images(25)
    _checked(candidate, images=images, labels=labels)


def bright_images(candidate):
    """the check accepts pixels that wrap around: none of its pixels is darker than the mean"""
    images, labels = _images()
    _checked(candidate, images=(images.astype(int) * 2 // 5 + 92).astype("uint8"), labels=labels)


def equal_digits(candidate):
    """the check rejects a right one whose last digits differ: compare with a tolerance"""
    check(candidate)
    images, labels = _images()
    made = candidate(images, labels, 5, MEAN, rng=None, training=False)
    x = xp.concatenate([x for x, _ in made])
    assert (x == ((images - MEAN) / 255).astype("float32")).all()


def never_content(candidate):
    """the check rejects all batches, including the right ones"""
    raise AssertionError
