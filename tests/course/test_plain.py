"""Where a reference is the plain form of something that the library does faster, or does more with, the two agree."""

import numpy
import pytest

from minires import data, models, nn, ops, optim, train
from minires.course import manifest
from minires.data.batches import _moved, draw_moves
from minires.nn import init

PLAIN = {id: exercise.reference() for id, exercise in manifest.exercises().items()}
rng = numpy.random.default_rng(0)


def in_engine(id):
    """The reference, fitted into the library's place."""
    return manifest.exercise(id).answers().in_engine(PLAIN[id])


def images(n):
    return data.Dataset(rng.integers(0, 256, (n, 6, 5, 3)).astype("uint8"), rng.integers(0, 4, n), list("abcd"))


@pytest.mark.parametrize("shape", [(7, 3), (2, 5, 4, 3), (64, 40, 30, 8)])
def test_channel_stats(shape):
    x = rng.standard_normal(shape) + numpy.arange(shape[-1])
    for plain, fast in zip(PLAIN["07a"](x), ops.channel_stats(x)):
        assert numpy.allclose(plain, fast, rtol=1e-12)


def test_parameters_in_their_order():
    for model in (models.resnet20(), models.resnet18(preactivation=True), nn.BatchNorm(3)):
        assert all(a is b for a, b in zip(PLAIN["08b"](model), model.parameters(), strict=True))


def test_crop_and_flip():
    x, moves = rng.integers(0, 9, (20, 6, 5, 3)), draw_moves(rng, 20, (6, 5), crop=3, mirrored=rng.random(20) < 0.5, cutout=3)
    chosen = numpy.arange(20)[::-1]
    for cutout in (0, 3):
        assert numpy.array_equal(in_engine("08d")(x, chosen, moves, cutout), _moved(x, chosen, moves, cutout))


ALL = images(18)


def epochs(train_epoch, evaluate):
    """(score of two parts of an epoch, score of an evaluation, weights)."""
    with init.kept_generator():
        init.manual_seed(1)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm(4), nn.ReLU(), nn.GlobalAvgPool(), nn.Linear(4, 4)).astype(
            "float64"
        )
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    options = {"schedule": optim.schedules.cosine(0.1, steps=8), "label_smoothing": 0.1}
    parts = [*data.batches(ALL, 4, seed=0)]
    score = train_epoch(model, parts[:3], optimizer, **options)
    score = train_epoch(model, parts[3:], optimizer, step=3, score=score, **options)
    return score, evaluate(model, data.batches(ALL, 4)), model.state_dict()


def test_train_epoch_and_evaluate():
    fast, plain = epochs(train.train_epoch, train.evaluate), epochs(in_engine("08c"), in_engine("08e"))
    for a, b in zip(fast[:2], plain[:2]):
        assert (a.hits, a.images) == (b.hits, b.images) and a.losses == pytest.approx(b.losses)
    assert all(numpy.array_equal(a, b) for a, b in zip(fast[2].values(), plain[2].values(), strict=True))


def test_what_train_epoch_refuses_it_refuses_in_the_engine_too():
    model = nn.Sequential(nn.Flatten(), nn.Linear(90, 4))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="no batches"):
        in_engine("08c")(model, [], optimizer)
    with pytest.raises(ValueError, match="no batches"):
        in_engine("08e")(model, [])
    model[1].bias.data[0] = numpy.inf
    with pytest.raises(FloatingPointError, match="smaller learning rate"), numpy.errstate(all="ignore"):
        in_engine("08c")(model, data.batches(ALL, 4), optimizer)
    with pytest.raises(ValueError, match="GradScaler"):
        in_engine("08c")(model, data.batches(ALL, 4), optimizer, scaler=optim.GradScaler())
