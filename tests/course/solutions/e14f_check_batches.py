"""Solutions of 14f: checks that tell wrong batches from right ones, and checks that do not."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"
MEAN = xp.asarray([100.0])


def random_images(n=30, shape=(3, 4, 1), seed=0):
    return numpy.random.default_rng(seed).integers(0, 256, (n, *shape)).astype("uint8")


def joined(candidate, images, labels, batch_size=4, *, training=True, rng=None, mean=MEAN):
    """Return all of an epoch, as two arrays."""
    pairs = [*candidate(images, labels, batch_size, mean, rng=rng, training=training)]
    return xp.concatenate([x for x, _ in pairs]), xp.concatenate([y for _, y in pairs])


def close(a, b):
    return a.shape == b.shape and bool((abs(a - b) < 1e-4).all())


@right
def labels_are_numbers(candidate):
    """Each label is the number of its image."""
    images = random_images()
    exact, numbers, rng = (images - MEAN) / 255, xp.arange(30), numpy.random.default_rng(1)
    orders = []
    for _ in range(2):
        x, y = joined(candidate, images, numbers, rng=rng)
        assert sorted(y.tolist()) == numbers.tolist()
        for image, label in zip(x, y):
            assert close(image, exact[label]) or close(image, exact[label][:, ::-1])
        orders.append(y.tolist())
    assert orders[0] != orders[1] and orders[0] != numbers.tolist()
    x, y = joined(candidate, images, numbers, training=False)
    assert close(x, exact) and (y == numbers).all()


@right
def pixels_tell(candidate):
    """One pixel of three columns, whose middle is the image's number."""
    n = 25
    images = xp.stack([xp.full(n, 10), xp.arange(n) * 8, xp.full(n, 200)], axis=1)
    images = images.reshape(n, 1, 3, 1).astype("uint8")
    labels, rng, seen = xp.arange(n) % 7, numpy.random.default_rng(2), []
    for training in (True, True, True, False):
        x, y = joined(candidate, images, labels, 6, training=training, rng=rng)
        back = xp.rint(x.astype("float64") * 255 + 100)
        number = back[:, 0, 1, 0] / 8
        assert xp.array_equal(xp.sort(number), xp.arange(n))
        assert xp.array_equal(labels[number.astype(int)], y)
        ends = {tuple(row) for row in back[:, 0, ::2, 0].tolist()}
        assert ends == ({(10, 200), (200, 10)} if training else {(10, 200)})
        seen.append(number.tolist())
    assert seen[3] == sorted(seen[3]) and len({tuple(order) for order in seen}) == 4


@right
def nearest_of_all(candidate):
    """By distances to all images and their mirror images, with two channels and two means."""
    images, mean = random_images(21, (2, 5, 2), 7), xp.asarray([30.0, 220.0])
    labels = numpy.random.default_rng(8).permutation(21)
    flat = ((images - mean) / 255).reshape(21, -1)
    turned = ((images[:, :, ::-1] - mean) / 255).reshape(21, -1)
    rng, found = numpy.random.default_rng(0), []
    for _ in range(2):
        x, y = joined(candidate, images, labels, 8, rng=rng, mean=mean)
        x = x.reshape(len(x), -1)
        gaps = xp.minimum(*(abs(x[:, None] - both).max(axis=2) for both in (flat, turned)))
        assert gaps.min(axis=1).max() < 1e-4
        order = gaps.argmin(axis=1)
        assert len(set(order.tolist())) == 21 and (labels[order] == y).all()
        found.append(order)
    assert (found[0] != found[1]).any() and (found[0] != xp.arange(21)).any()
    x, y = joined(candidate, images, labels, 8, training=False, mean=mean)
    assert close(x.reshape(21, -1), flat) and (y == labels).all()


@right
def several_calls(candidate):
    """Validation first, then ten epochs."""
    images, numbers = random_images(11), xp.arange(11)
    x, y = joined(candidate, images, numbers, 3, training=False)
    assert close(x, (images - 100.0) / 255) and y.tolist() == numbers.tolist()
    rng = numpy.random.default_rng(3)
    orders = set()
    for _ in range(10):
        x, y = joined(candidate, images, numbers, 3, rng=rng)
        sums = ((images - 100.0) / 255).sum(axis=(1, 2, 3))
        assert close(x.sum(axis=(1, 2, 3)), sums[y]) and len(set(y.tolist())) == 11
        orders.add(tuple(y.tolist()))
    assert len(orders) > 5


def judged(
    candidate,
    *,
    n=30,
    batch_size=4,
    epochs=2,
    images=None,
    labels=None,
    validate=True,
    label=True,
    count=True,
    normal=True,
    mean=MEAN,
    order=True,
    given=True,
):
    """Check with labels that are the images' numbers, as far as these say."""
    images = random_images(n) if images is None else images
    labels = xp.arange(n) if labels is None else labels
    exact, rng, orders = (images - mean) / 255, numpy.random.default_rng(1), []
    for _ in range(epochs):
        x, y = joined(candidate, images, labels, batch_size, rng=rng, mean=mean)
        assert not count or len(y) == n
        if label:
            sides = zip(x, exact[y], exact[y][:, :, ::-1])
            assert not normal or all(close(image, a) or close(image, b) for image, a, b in sides)
        orders.append(xp.rint(255 * x.sum(axis=(1, 2, 3))).tolist())
    if order:
        assert orders[0] != orders[-1] or epochs < 2
    if given:
        assert orders[0] != xp.rint(255 * exact.sum(axis=(1, 2, 3))).tolist()
    if validate:
        x, y = joined(candidate, images, labels, batch_size, training=False, mean=mean)
        assert not normal or close(x, exact)
        assert not label or (y == labels).all()


@wrong(WRONG_ONES, mistake="never_rejects")
def runs_through(candidate):
    for _ in candidate(
        random_images(), xp.arange(30), 4, MEAN, rng=numpy.random.default_rng(0), training=True
    ):
        pass


@wrong(WRONG_ONES, mistake="one_epoch")
def a_single_epoch(candidate):
    judged(candidate, epochs=1)


@wrong(WRONG_ONES, mistake="labels_not_compared")
def images_alone(candidate):
    images = random_images()
    exact, rng, orders = (images - MEAN) / 255, numpy.random.default_rng(1), []
    for _ in range(2):
        x, _ = joined(candidate, images, xp.arange(30), rng=rng)
        sums = x.sum(axis=(1, 2, 3))
        assert close(xp.sort(sums), xp.sort(exact.sum(axis=(1, 2, 3))))
        orders.append(xp.rint(255 * sums).tolist())
    assert orders[0] != orders[1] != xp.rint(255 * exact.sum(axis=(1, 2, 3))).tolist()
    assert close(joined(candidate, images, xp.arange(30), training=False)[0], exact)


@wrong(WRONG_ONES, mistake="training_only")
def no_validation(candidate):
    judged(candidate, validate=False)


@wrong(WRONG_ONES, mistake="training_only")
def symmetric_images(candidate):
    """Mirrored or not, they are the same."""
    images = random_images()
    judged(candidate, images=xp.concatenate([images, images[:, :, ::-1]], axis=2))


@wrong(WRONG_ONES, mistake="full_batches")
def batches_that_are_full(candidate):
    judged(candidate, n=32)


@wrong(WRONG_ONES, mistake="bright_images")
def nothing_dark(candidate):
    judged(candidate, images=(random_images() // 2 + 120).astype("uint8"))


@wrong(RIGHT_ONES, mistake="never_content")
def refuses(candidate):
    assert candidate is None


@wrong(WRONG_ONES)
def shapes_only(candidate):
    for training in (True, False):
        x, y = joined(
            candidate,
            random_images(),
            xp.arange(30),
            training=training,
            rng=numpy.random.default_rng(0),
        )
        assert x.shape == (30, 3, 4, 1) and y.shape == (30,) and x.dtype == "float32"


@wrong(WRONG_ONES)
def a_black_mean(candidate):
    """With a mean of 0 nothing is below it."""
    judged(candidate, mean=xp.asarray([0.0]))


@wrong(WRONG_ONES)
def one_label(candidate):
    images = random_images()
    labels = xp.zeros(30, int)
    rng = numpy.random.default_rng(1)
    sums = []
    for _ in range(2):
        x, y = joined(candidate, images, labels, rng=rng)
        assert len(x) == 30 and not y.any()
        sums.append(xp.rint(255 * x.sum(axis=(1, 2, 3))).tolist())
    assert sums[0] != sums[1] and sorted(sums[0]) != sums[0]
    judged(candidate, images=images, labels=labels, label=False)


@wrong(WRONG_ONES)
def order_not_looked_at(candidate):
    judged(candidate, order=False, given=False)


@wrong(WRONG_ONES)
def different_from_validation(candidate):
    """The order is compared with that of validation, and not with another epoch's."""
    judged(candidate, order=False)
