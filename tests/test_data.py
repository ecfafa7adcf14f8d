"""Datasets, the digits and their split, batches and augmentation."""

import threading

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import backend, data
from minires.backend import is_array, to_device, to_host
from minires.data.batches import AUGMENTATION, ORDER, SIDES, augment

pytestmark = pytest.mark.usefixtures("each_backend")

IMAGES = numpy.arange(10 * 4 * 3 * 2, dtype=numpy.uint8).reshape(10, 4, 3, 2)
LABELS = numpy.arange(10) % 3


def small(**options):
    return data.Dataset(IMAGES, LABELS, "abc", **options)


def collected(batches):
    pairs = [(to_host(x), to_host(labels)) for x, labels in batches]
    return numpy.concatenate([x for x, _ in pairs]), numpy.concatenate(
        [labels for _, labels in pairs]
    )


# The digits.


def test_the_digits_are_split_once_for_all_without_overlap():
    train, validation, test = data.digits()
    assert (len(train), len(validation), len(test)) == (1257, 185, 355)
    everything = numpy.concatenate([part.images for part in (train, validation, test)])
    assert (
        everything.shape == (1797, 8, 8, 1)
        and everything.dtype == numpy.uint8
        and everything.max() == 16
    )
    again = data.digits()
    assert all(
        (a.images == b.images).all() and (a.labels == b.labels).all()
        for a, b in zip((train, validation, test), again)
    )


def test_each_part_has_each_digit_in_its_share():
    for part, low, high in zip(data.digits(), (120, 18, 34), (130, 19, 36)):
        counts = numpy.bincount(part.labels, minlength=10)
        assert counts.min() >= low and counts.max() <= high
        assert part.classes == tuple("0123456789")


def test_the_pictures_show_the_digits_that_the_labels_say():
    """A one has its ink in the middle columns; a zero has none in its centre."""
    train, _, _ = data.digits()
    mean = {digit: train.images[train.labels == digit].mean(axis=0)[..., 0] for digit in range(10)}
    assert mean[0][3:5, 3:5].max() < 4 < mean[1][3:5, 3:5].min()
    assert mean[1][:, 0].max() < 1 and mean[1][:, 3:5].mean() > 8


def test_mean_and_deviation_come_from_the_training_part_alone():
    train, validation, test = data.digits()
    assert train.mean == validation.mean == test.mean and train.std == validation.std == test.std
    assert_allclose(train.mean, (train.images / 16).mean())
    assert_allclose(train.std, (train.images / 16).std())
    x, _ = collected(data.batches(train, 500))
    assert abs(x.mean()) < 1e-5 and abs(x.std() - 1) < 1e-5


# Datasets.


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (
            IMAGES.astype(float),
            LABELS,
            TypeError,
            r"images: expected uint8 \(N, H, W, C\), got float64 \(10, 4, 3, 2\)",
        ),
        (IMAGES[0], LABELS, TypeError, r"expected uint8 \(N, H, W, C\)"),
        (IMAGES, LABELS.astype(float), TypeError, "labels: expected ints, got float64"),
        (
            IMAGES,
            LABELS[:9],
            ValueError,
            r"labels: expected one for each of 10 images, got shape \(9,\)",
        ),
        (IMAGES, LABELS + 1, ValueError, "labels: expected 0 to 2 for 3 classes, got 1 to 3"),
        (IMAGES, LABELS - 1, ValueError, "got -1 to 1"),
        (IMAGES[:0], LABELS[:0], ValueError, "images: expected at least one, got none"),
    ],
)
def test_a_dataset_refuses(images, labels, error, message):
    with pytest.raises(error, match=message):
        data.Dataset(images, labels, "abc")


def test_statistics_are_per_channel():
    dataset = small(max_value=100)
    assert_allclose(dataset.mean, (IMAGES / 100).reshape(-1, 2).mean(axis=0))
    assert_allclose(dataset.std, (IMAGES / 100).reshape(-1, 2).std(axis=0))
    assert repr(dataset) == "Dataset(10 images of 4 x 3 x 2, 3 classes)"


def test_a_channel_that_is_the_same_everywhere_is_shifted_and_not_stretched():
    images = IMAGES.copy()
    images[..., 1] = 51
    dataset = data.Dataset(images, LABELS, "abc")
    assert dataset.std[1] == 1 and dataset.mean[1] == pytest.approx(0.2)
    x, _ = collected(data.batches(dataset, 4))
    assert abs(x[..., 1]).max() < 1e-6 and numpy.isfinite(x).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": (0.5,)}, "mean: expected one number for each of 2 channels, got 1"),
        ({"std": (1, 2, 3)}, "std: expected one number for each of 2 channels, got 3"),
        ({"std": (1, 0)}, "std: expected finite numbers above 0, got .1.0, 0.0."),
        ({"mean": (0, float("nan"))}, "mean: expected finite numbers, got"),
        ({"max_value": 0}, "max_value: expected a number above 0, got 0"),
    ],
)
def test_a_preparation_that_is_none_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_a_part_has_some_of_the_images_and_all_else():
    whole = small(max_value=100, name="n", source="s")
    part = whole.part([7, 2])
    assert_array_equal(part.images, IMAGES[[7, 2]])
    assert_array_equal(part.labels, LABELS[[7, 2]])
    assert (part.mean, part.std, part.max_value, part.name, part.source) == (
        whole.mean,
        whole.std,
        100,
        "n",
        "s",
    )
    assert whole.counts() == [4, 3, 3] and part.counts() == [0, 1, 1]


def test_examples_are_the_first_of_each_class_on_a_scale_to_255():
    images, labels = small(max_value=250).examples(2, classes=2)
    assert labels.tolist() == [0, 0, 1, 1]
    assert_array_equal(images, (IMAGES[[0, 3, 1, 4]] * (255 / 250)).astype(numpy.uint8))


def test_the_set_is_moved_to_the_device_once():
    dataset = small()
    first, second = dataset.on_device(), dataset.on_device()
    assert all(a is b and is_array(a) for a, b in zip(first, second))


# Batches.


def test_without_a_seed_everything_comes_once_in_order_and_normalised():
    batches = data.batches(small(mean=(0.5, 0.25), std=(2.0, 4.0)), 4)
    x, labels = collected(batches)
    assert x.dtype == numpy.float32 and labels.dtype.kind == "i"
    assert_allclose(x, (IMAGES / 255 - [0.5, 0.25]) / [2, 4], atol=1e-6)
    assert_array_equal(labels, LABELS)
    assert [len(y) for _, y in batches] == [4, 4, 2] and len(batches) == 3 and batches.images == 10
    assert_array_equal(collected(batches)[0], x)


def test_drop_last_leaves_out_what_is_not_full():
    batches = data.batches(small(), 4, drop_last=True)
    assert [len(y) for _, y in batches] == [4, 4] and len(batches) == 2 and batches.images == 8
    assert data.batches(small(), 5, drop_last=True).images == 10


def test_with_a_seed_each_image_comes_once_in_an_order_of_seed_and_epoch():
    def order(seed, epoch):
        x, labels = collected(
            data.batches(small(mean=(0, 0), std=(1, 1)), 3, seed=seed, epoch=epoch)
        )
        pixels = numpy.rint(x[:, 0, 0, 0] * 255).astype(int)
        assert_array_equal(labels, LABELS[pixels // 24])
        return list(pixels // 24)

    assert sorted(order(0, 0)) == list(range(10))
    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)}) == 6


def test_a_batch_is_the_same_whether_or_not_those_before_it_are_made():
    batches = data.batches(small(), 4, seed=3, epoch=2, crop=1, flip=True)
    whole = list(batches)
    again = iter(batches)
    next(again)
    assert_array_equal(to_host(next(again)[0]), to_host(whole[1][0]))


def test_labels_stay_with_their_images_under_augmentation():
    images = numpy.repeat(LABELS.astype(numpy.uint8), 12).reshape(10, 4, 3, 1) + 1
    dataset = data.Dataset(images, LABELS, "abc", mean=(0,), std=(1,))
    for x, labels in data.batches(dataset, 4, seed=0, flip=True, crop=1):
        seen = numpy.rint(to_host(x).max(axis=(1, 2, 3)) * 255).astype(int) - 1
        assert_array_equal(seen, to_host(labels))


@pytest.mark.parametrize("size", [0, -1, 2.5, "4"])
def test_a_batch_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="batch_size: expected an int of at least 1, got"):
        data.batches(small(), size)


@pytest.mark.parametrize(
    "options", [{"crop": 1}, {"flip": True}, {"flip": "alternating"}, {"cutout": 2}]
)
def test_images_to_be_tested_are_not_augmented(options):
    with pytest.raises(
        ValueError, match="crop, flip and cutout are for training: they need a seed"
    ):
        data.batches(small(), 4, **options)


# Augmentation, against a loop over the images.


def by_loops(x, shifts, flips):
    result = numpy.zeros_like(x)
    _, h, w, _ = x.shape
    for n, ((down, right), flip) in enumerate(zip(shifts, flips)):
        for i in range(h):
            for j in range(w):
                column = w - 1 - j if flip else j
                if 0 <= i + down < h and 0 <= column + right < w:
                    result[n, i, j] = x[n, i + down, column + right]
    return result


@pytest.mark.parametrize(("crop", "flip"), [(0, True), (1, False), (2, True), (3, False)])
def test_augment_shifts_and_mirrors_each_image_on_its_own(crop, flip):
    x = numpy.random.default_rng(1).integers(1, 256, (40, 5, 4, 2)).astype(numpy.uint8)
    flips = numpy.random.default_rng(2).random(40) < (0.5 if flip else 0)
    result = to_host(augment(to_device(x), numpy.random.default_rng(5), crop=crop, mirrored=flips))
    rng = numpy.random.default_rng(5)
    down, right = rng.integers(-crop, crop + 1, 40), rng.integers(-crop, crop + 1, 40)
    assert result.dtype == numpy.uint8
    assert_array_equal(result, by_loops(x, zip(down, right), flips))
    if crop:
        assert set(down) == set(range(-crop, crop + 1))


@pytest.mark.parametrize("side", [1, 2, 3, 9])
def test_cutout_blackens_one_square_an_image_that_may_lie_over_the_edge(side):
    x = numpy.full((60, 6, 5, 2), 200, numpy.uint8)
    black = to_host(augment(to_device(x), numpy.random.default_rng(3), cutout=side)) == 0
    areas = set()
    for hole in black:
        assert_array_equal(hole[..., 0], hole[..., 1])
        rows = numpy.flatnonzero(hole[..., 0].any(axis=1))
        columns = numpy.flatnonzero(hole[..., 0].any(axis=0))
        assert (
            hole[..., 0][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all() and hole.any()
        )
        for places, size in ((rows, 6), (columns, 5)):
            cut = places[0] == 0 or places[-1] == size - 1
            assert len(places) <= side and (len(places) == side or cut)
        areas.add((len(rows), len(columns)))
    assert (min(side, 6), min(side, 5)) in areas and (side < 2 or len(areas) > 1)


def mirrored(epoch, flip, seed=0):
    """Return for each of ten images whether it is mirrored."""
    images = numpy.zeros((10, 1, 2, 1), numpy.uint8)
    images[:, 0, 1, 0] = numpy.arange(10) + 1
    dataset = data.Dataset(images, LABELS, "abc", mean=(0,), std=(1,))
    x, _ = collected(data.batches(dataset, 4, seed=seed, epoch=epoch, flip=flip))
    pairs = numpy.rint(x[:, 0, :, 0] * 255).astype(int)
    return [bool(pair[0]) for pair in pairs[numpy.argsort(pairs.max(axis=1))]]


def test_an_alternating_flip_shows_each_image_both_ways_in_any_two_epochs():
    for seed in range(5):
        epochs = [mirrored(epoch, "alternating", seed) for epoch in range(4)]
        assert epochs[0] == epochs[2] and epochs[1] == epochs[3] == [not side for side in epochs[0]]
    assert len({tuple(mirrored(0, "alternating", seed)) for seed in range(5)}) == 5


def test_a_random_flip_is_drawn_anew_each_epoch():
    assert len({tuple(mirrored(epoch, True)) for epoch in range(6)}) == 6 and not any(
        mirrored(0, False)
    )


# The next batch, ahead.


def test_an_epoch_can_be_begun_at_any_batch():
    options = {"seed": 3, "epoch": 1, "crop": 1, "flip": True, "cutout": 2}
    whole = list(data.batches(small(), 3, **options))
    for start in range(5):
        rest = data.batches(small(), 3, start=start, **options)
        assert len(rest) == 4 - start
        for (x, labels), (x_whole, labels_whole) in zip(rest, whole[start:], strict=True):
            assert_array_equal(to_host(x), to_host(x_whole))
            assert_array_equal(to_host(labels), to_host(labels_whole))
    assert len(data.batches(small(), 3, start=9)) == 0 and not list(
        data.batches(small(), 3, start=9)
    )


def test_the_next_batch_is_prepared_while_one_is_in_use(monkeypatch):
    ready, draw = [threading.Event() for _ in range(4)], data.batches._drawn
    monkeypatch.setattr(
        data.batches, "_drawn", lambda self, *words: (draw(self, *words), ready[words[-1]].set())[0]
    )
    coming = iter(data.batches(small(), 3))
    next(coming)
    assert ready[1].wait(10) and not ready[2].wait(0.05)
    next(coming)
    assert ready[2].wait(10)
    coming.close()


def test_on_numpy_the_whole_next_batch_is_made_in_another_thread(monkeypatch):
    makers, make = [], data.batches._made
    monkeypatch.setattr(
        data.batches,
        "_made",
        lambda *words: (makers.append(threading.get_ident()), make(*words))[1],
    )
    assert len(list(data.batches(small(), 3))) == len(makers) == 4
    here = threading.get_ident()
    assert here not in makers if backend.name() == "numpy" else set(makers) == {here}


def test_an_error_in_the_making_of_a_batch_is_raised_where_it_is_wanted(monkeypatch):
    monkeypatch.setattr(data.batches, "_mirrored", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(data.batches(small(), 3, seed=0, flip=True))


def test_no_two_streams_of_random_numbers_are_one():
    """Weights, order, augmentation and flips of a run have the same seed, but different random numbers."""
    streams = [numpy.random.default_rng(5).random(4)]
    batches = data.batches(small(), 4, seed=5)
    streams += [batches._draw(epoch, ORDER).random(4) for epoch in range(3)] + [
        batches._draw(SIDES).random(4)
    ]
    streams += [
        batches._draw(epoch, i, AUGMENTATION).random(4) for epoch in range(3) for i in range(3)
    ]
    assert len({tuple(stream) for stream in streams}) == len(streams) == 14


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed: expected an int of at least 0, got -1"),
        ({"seed": 0, "crop": 1.5}, "crop: .*, got 1.5"),
        ({"seed": 0, "cutout": -1}, "cutout: .*, got -1"),
        ({"epoch": -1}, "epoch: .*, got -1"),
        ({"start": None}, "start: .*, got None"),
        ({"seed": 0, "flip": "alternate"}, "unknown flip 'alternate': .*alternating"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        data.batches(small(), 4, **options)


def test_augment_without_options_changes_nothing():
    x = numpy.arange(24, dtype=numpy.uint8).reshape(2, 4, 3, 1)
    assert_array_equal(to_host(augment(to_device(x), numpy.random.default_rng(0))), x)


def test_batches_of_something_else_are_refused():
    with pytest.raises(TypeError, match="^batches: expected a Dataset, got a list$"):
        data.batches([1, 2], 2)
