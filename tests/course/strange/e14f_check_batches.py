"""Strange checks of 14f."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong
from tests.course.solutions.e14f_check_batches import (
    MEAN,
    RIGHT_ONES,
    WRONG_ONES,
    close,
    joined,
    judged,
    random_images,
)


@right
def an_exception_of_its_own(candidate):
    try:
        judged(candidate)
    except AssertionError as error:
        raise RuntimeError("wrong") from error


@right
def one_image_in_each_batch(candidate):
    """Batches of two, of an odd number."""
    judged(candidate, n=15, batch_size=2)


@right
def sums_of_rows(candidate):
    """By a code of each image that its mirror image has, too."""
    n, rng = 19, numpy.random.default_rng(4)
    images = rng.integers(0, 90, (n, 2, 3, 1)).astype("uint8")
    images[:, 0, 1, 0] = xp.arange(n) + 200
    labels, codes = xp.arange(n) ** 2 % 11, []
    for training in (True, True, False):
        x, y = joined(candidate, images, labels, 5, training=training, rng=rng)
        number = xp.rint(x[:, 0, 1, 0] * 255 + 100 - 200).astype(int)
        assert sorted(number.tolist()) == list(range(n)) and (labels[number] == y).all()
        edges = (images[number] - MEAN) / 255
        assert close(x.sum(axis=2), edges.sum(axis=2)) and x.min() > -0.5
        codes.append(number.tolist())
    assert (
        close(x, edges)
        and codes[2] == list(range(n))
        and codes[0] != codes[1] != codes[2] != codes[0]
    )


@right
def every_seed(candidate):
    """Several generators."""
    for seed in range(3):
        images, rng = random_images(17, (1, 5, 1), seed), numpy.random.default_rng(seed)
        judged(candidate, n=17, images=images)
        (_, first), (_, second) = (
            joined(candidate, images, xp.arange(17), rng=rng) for _ in range(2)
        )
        assert first.tolist() != second.tolist()


@wrong(RIGHT_ONES)
def generators_only(candidate):
    made = candidate(
        random_images(), xp.arange(30), 4, MEAN, rng=numpy.random.default_rng(0), training=True
    )
    assert hasattr(made, "__next__")
    judged(candidate)


@wrong(RIGHT_ONES)
def lists_only(candidate):
    made = candidate(
        random_images(), xp.arange(30), 4, MEAN, rng=numpy.random.default_rng(0), training=True
    )
    assert len(made) == 8
    judged(candidate)


@wrong(RIGHT_ONES)
def one_way_of_drawing(candidate):
    """The order of rng.permutation."""
    judged(candidate)
    _, y = joined(candidate, random_images(), xp.arange(30), rng=numpy.random.default_rng(0))
    assert (y == numpy.random.default_rng(0).permutation(30)).all()


@wrong(RIGHT_ONES)
def equal_bits(candidate):
    judged(candidate)
    x, _ = joined(candidate, random_images(), xp.arange(30), training=False)
    assert (x == ((random_images() - MEAN) / 255).astype("float32")).all() and (
        x == (random_images() - MEAN.astype("float32")) * numpy.float32(1 / 255)
    ).all()


@wrong(RIGHT_ONES)
def all_mirrored(candidate):
    """As if each image had to be mirrored."""
    judged(candidate)
    images = random_images()
    x, y = joined(candidate, images, xp.arange(30), rng=numpy.random.default_rng(0))
    assert close(x, ((images - MEAN) / 255)[y][:, :, ::-1])


@wrong(RIGHT_ONES)
def never_mirrored(candidate):
    judged(candidate)
    images = random_images()
    x, y = joined(candidate, images, xp.arange(30), rng=numpy.random.default_rng(0))
    assert close(x, ((images - MEAN) / 255)[y])


@wrong(RIGHT_ONES)
def last_batch_full(candidate):
    judged(candidate)
    pairs = candidate(random_images(), xp.arange(30), 4, MEAN, rng=None, training=False)
    assert {len(x) for x, _ in pairs} == {4}


@wrong(RIGHT_ONES)
def one_order_wanted(candidate):
    (_, a), (_, b) = (
        joined(candidate, random_images(), xp.arange(30), rng=numpy.random.default_rng(s))
        for s in (0, 1)
    )
    judged(candidate)
    assert (a == b).all()


@wrong(WRONG_ONES)
def one_image(candidate):
    """One image has one order."""
    images = random_images(1)
    x, _y = joined(candidate, images, xp.arange(1), 1, training=False)
    assert close(x, (images - MEAN) / 255)


@wrong(WRONG_ONES)
def sums_of_batches(candidate):
    """An image and its mirror image have one sum."""
    images = random_images()
    for training in (True, False):
        x, y = joined(
            candidate, images, xp.arange(30), training=training, rng=numpy.random.default_rng(0)
        )
        assert close(x.sum(axis=(1, 2, 3)), ((images - MEAN) / 255)[y].sum(axis=(1, 2, 3)))


@wrong(WRONG_ONES)
def equal_seeds(candidate):
    """Two epochs of new generators with one seed are equal anyway."""
    images = random_images()
    orders = [
        joined(candidate, images, xp.arange(30), rng=numpy.random.default_rng(0))[1].tolist()
        for _ in range(2)
    ]
    assert orders[0] == orders[1] != list(range(30))
    judged(candidate, order=False)


COUNT = []


@wrong(RIGHT_ONES)
def counts_its_calls(candidate):
    COUNT.append(candidate)
    assert len(COUNT) % 3


@wrong(WRONG_ONES)
def large_tolerance(candidate):
    """A pixel may be off by much."""
    images = random_images()
    x, _y = joined(candidate, images, xp.arange(30), training=False)
    assert abs(x - (images - MEAN) / 255).max() < 2


@right
def one_pixel_each(candidate):
    """Two pixels a row: the darker one is the image's number, and which side it is on says whether it is mirrored."""
    n, rng, seen = 13, numpy.random.default_rng(5), []
    images = xp.asarray([[[[10 * k], [10 * k + 1]]] for k in range(n)]).astype("uint8")
    for training in (False, True, True):
        seen.append([])
        made = candidate(
            images, xp.arange(n) + 7, 5, xp.asarray([60.5]), rng=rng, training=training
        )
        for x, y in made:
            for image, label in zip(x, y):
                pixels = (image.ravel() * 255 + 60.5).tolist()
                number = int(label) - 7
                for found, expected in zip(
                    sorted(pixels) if training else pixels, images[number].ravel()
                ):
                    assert abs(found - int(expected)) < 1e-2
                seen[-1].append(number)
        assert sorted(seen[-1]) == list(range(n))
    assert seen[0] == sorted(seen[0]) and seen[1] != seen[2] and sorted(seen[1]) != seen[1]


@wrong(RIGHT_ONES, mistake="equal_digits")
def to_the_last_digit(candidate):
    judged(candidate)
    images = random_images()
    x, y = joined(candidate, images, xp.arange(30), training=False)
    assert numpy.array_equal(x, ((images[y] - MEAN) / 255).astype(x.dtype))


@wrong(RIGHT_ONES)
def half_of_them(candidate):
    """Just half of the images must be mirrored."""
    judged(candidate)
    images = random_images(12)
    x, y = joined(candidate, images, xp.arange(12), rng=numpy.random.default_rng(0))
    assert sum(not close(a, b) for a, b in zip(x, ((images - MEAN) / 255)[y])) == 6


@wrong(RIGHT_ONES)
def looks_into_it_twice(candidate):
    """Counts the images of a generator, and then goes through it again."""
    images = random_images()
    made = candidate(images, xp.arange(30), 4, MEAN, rng=None, training=False)
    assert sum(len(y) for _, y in made) == 30
    assert close(xp.concatenate([x for x, _ in made]), (images - MEAN) / 255)
    judged(candidate)


@wrong(WRONG_ONES)
def returns_its_verdict(candidate):
    try:
        judged(candidate)
    except AssertionError:
        return False
    return True


@wrong(WRONG_ONES)
def pixels_of_two_epochs(candidate):
    """The pixels of two epochs differ even in one order, as different images are mirrored."""
    images, rng = random_images(), numpy.random.default_rng(1)
    (a, _), (b, _) = (joined(candidate, images, xp.arange(30), rng=rng) for _ in range(2))
    assert not close(a, b)
    judged(candidate, epochs=1)
