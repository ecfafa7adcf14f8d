"""If an exercise asks for a plainer function than the library's, its reference returns what the library's does."""

import numpy
import pytest

from minires import data, models, nn, ops, train
from minires.course import manifest
from minires.data.batches import crop_and_flip, sample_augmentation
from minires.nn import init
from minires.tensor import Tensor

PLAIN = {id: exercise.reference() for id, exercise in manifest.exercises().items()}
rng = numpy.random.default_rng(0)


def in_engine(id):
    """The reference, fitted to stand in for the library's function."""
    return manifest.exercise(id).answers().in_engine(PLAIN[id])


def images(n):
    return data.Dataset(
        rng.integers(0, 256, (n, 6, 5, 3)).astype("uint8"), rng.integers(0, 4, n), list("abcd")
    )


@pytest.mark.parametrize("id", ["01a", "02a", "04d", "05e", "07a", "08c"])
def test_a_reference_is_the_librarys_own_where_that_does_the_same(id):
    exercise = manifest.exercise(id)
    assert PLAIN[id] is manifest.resolve(exercise.library).plain and not hasattr(
        exercise.answers(), exercise.function
    )


ARRAYS = [rng.standard_normal(shape) for shape in ((2, 7, 6, 3), (3, 2, 3, 4))]


@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "padding": 1}, {"stride": (3, 2), "padding": (0, 1)}]
)
def test_convolutions(options):
    (result, backward) = PLAIN["05f"](*ARRAYS, **options)
    (expected, back) = ops.conv2d(*ARRAYS, **options)
    assert numpy.allclose(result, expected, atol=1e-12)
    assert numpy.allclose(PLAIN["05b"](*ARRAYS, **options), expected, atol=1e-12)
    g = rng.standard_normal(expected.shape)
    for mine, theirs in zip(backward(g), back(g)[:2], strict=True):
        assert numpy.allclose(mine, theirs, atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [{"kernel": 2}, {"kernel": 3, "stride": 2, "padding": 1}, {"kernel": (2, 3), "stride": 1}],
)
def test_pooling(options):
    x = numpy.round(2 * ARRAYS[0])
    (result, backward), (expected, back) = PLAIN["06e"](x, **options), ops.max_pool2d(x, **options)
    g = rng.standard_normal(expected.shape)
    assert numpy.array_equal(result, expected) and numpy.allclose(
        backward(g)[0], back(g)[0], atol=1e-12
    )


def test_parameters_in_their_order():
    for model in (models.resnet20(), models.resnet18(preactivation=True), nn.BatchNorm(3)):
        assert all(a is b for a, b in zip(PLAIN["08b"](model), model.parameters(), strict=True))


def test_first_weights():
    for mode in ("fan_out", "fan_in"):
        drawn = [
            draw((3, 5, 2, 4), mode=mode, rng=numpy.random.default_rng(1))
            for draw in (in_engine("04f"), init.kaiming_normal)
        ]
        assert numpy.array_equal(*drawn)


def test_crop_and_flip():
    x, mirrored = rng.integers(0, 9, (20, 6, 5, 3)), rng.random(20) < 0.5
    moves = sample_augmentation(rng, 20, (6, 5), crop=3, mirrored=mirrored, cutout=3)
    chosen = numpy.arange(20)[::-1]
    for cutout in (0, 3):
        assert numpy.array_equal(
            in_engine("08d")(x, chosen, moves, cutout), crop_and_flip(x, chosen, moves, cutout)
        )


def test_walk_back():
    def gradients(walk):
        x, y = (Tensor(numpy.arange(1.0, 4) + i, requires_grad=True) for i in range(2))
        root = ((x * y + x) * y).sum().node
        walk(root, numpy.array(2.0))
        return x.grad, y.grad

    assert numpy.array_equal(
        gradients(PLAIN["03a"]), gradients(manifest.resolve(manifest.exercise("03a").target))
    )


def test_evaluate():
    with init.kept_generator():
        model = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm(4), nn.ReLU(), nn.GlobalAvgPool(), nn.Linear(4, 4)
        )
    part = images(18)
    own, theirs = (
        function(model, data.batches(part, 4)) for function in (in_engine("08e"), train.evaluate)
    )
    assert own[1:] == theirs[1:] and own.losses == pytest.approx(theirs.losses)
    with pytest.raises(ValueError, match="no batches"):
        in_engine("08e")(model, [])
    with pytest.raises(ValueError, match="without flips"):
        in_engine("08e")(model, data.batches(part, 4), flips=True)


def test_a_block_stands_in_for_the_basic_one_alone():
    class Block(nn.Module):
        pass

    chosen = manifest.exercise("08a").answers().in_engine(Block)
    assert chosen("basic") is Block
    assert chosen("bottleneck") is chosen("basic", True) is NotImplemented
