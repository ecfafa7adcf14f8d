"""Judgements about a run's evidence: jumps of a loss, weights of another run, predictions, copies of the answers."""

import numpy
import pytest

from minires import models
from minires.cli.verify.training import CLOSE, GROWTH, MOST, tolerances
from minires.course import manifest
from minires.course.evidence import arrays, copies, losses

RNG = numpy.random.default_rng(0)


def falling(n, noise, seed=0):
    """A loss that falls from 2.3 to about 0.5, with noise."""
    steps = numpy.arange(n)
    drawn = numpy.random.default_rng(seed).normal(0, noise, n)
    return list(0.5 + 1.8 * numpy.exp(-3 * steps / n) + drawn)


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.1, 0.3])
def test_an_honest_loss_never_jumps(noise):
    for seed in range(20):
        found = falling(300, noise, seed)
        assert not any(losses.jump(found, at) for at in range(300))


@pytest.mark.parametrize("at", [20, 150, 280])
def test_borrowed_weights_make_a_jump(at):
    found = falling(300, 0.05)
    found[at:] = [loss * 0.2 for loss in found[at:]]
    before, after = losses.jump(found, at)
    assert before > 2 * after
    assert losses.jump(found, at + 60) is None


def test_where_there_are_too_few_steps_nothing_is_said():
    assert losses.jump([2.0, 0.1], 1) is None
    assert losses.jump([2.0] * 20 + [0.1] * 5, 20) is None


def test_the_loss_of_an_epoch_weighs_its_steps_by_images():
    assert losses.epoch_loss([1, 2, 4], [96, 96, 48]) == (96 + 192 + 192) / 240


def test_nan_agrees_with_nothing():
    assert not losses.close(float("nan"), 1, 1e9) and not losses.close(1, float("nan"), 1e9)
    assert losses.farthest([1, float("nan")], [1, 1]) == (1, float("inf"))


def test_a_loss_may_be_off_by_as_much_as_rounding_was_amplified():
    assert tolerances([2.3, 2.0], [2.3, 2.0]) == [CLOSE, CLOSE]
    allowed = tolerances([2.3, 2.0, 1.9, 1.8], [2.3, 2.0 + 2e-4, 1.9, 3.0])
    # In the second step, at most GROWTH times as much as in the first: a learner's code that is wrong can't make room for itself.
    assert allowed == pytest.approx([CLOSE, GROWTH * CLOSE, 1e-3, MOST], rel=1e-3)


def state(seed, scale=1.0):
    rng = numpy.random.default_rng(seed)
    shapes = {"conv1.weight": (3, 3, 3, 16), "conv2.weight": (3, 3, 16, 32), "fc.bias": (10,)}
    return {name: scale * rng.standard_normal(shape) for name, shape in shapes.items()}


def test_weights_of_different_seeds_are_perpendicular():
    one, other = state(0), state(1)
    further = {name: array + other[name] for name, array in one.items()}
    assert arrays.alikeness(one, one) == pytest.approx(1)
    assert arrays.alikeness(one, further) == pytest.approx(0.7, abs=0.05)
    assert abs(arrays.alikeness(one, other)) < arrays.ALIKE


def test_the_array_that_differs_most_is_named():
    one = state(0)
    other = {**one, "fc.bias": one["fc.bias"] + 0.1}
    assert arrays.farthest(one, one) == ("", 0.0)
    assert arrays.farthest(other, one)[0] == "fc.bias"
    lacking = {"fc.bias": one["fc.bias"]}
    assert arrays.farthest(lacking, one) == ("conv1.weight", float("inf"))
    assert arrays.farthest({**one, "fc.bias": one["fc.bias"] * numpy.nan}, one)[1] == float("inf")


def test_a_whitening_convolution_may_have_either_sign():
    white = RNG.standard_normal((3, 3, 3, 12))
    one = {"conv1.weight": numpy.concatenate([white, -white], axis=-1)}
    other = {"conv1.weight": numpy.concatenate([-white, white], axis=-1)}
    assert arrays.farthest(one, other)[1] > 1
    ours, theirs = (arrays.without_signs(each, "conv1.weight") for each in (one, other))
    assert arrays.farthest(ours, theirs)[1] == 0


def test_initial_weights_are_told_from_trained_ones():
    first, second = (models.resnet20(rng=numpy.random.default_rng(seed)).state_dict() for seed in (0, 1))  # fmt: skip
    assert arrays.unlike_the_library(first, second) == []
    smaller = {**first, "layer1.0.conv1.weight": 0.8 * first["layer1.0.conv1.weight"]}
    assert arrays.unlike_the_library(smaller, second) == ["layer1.0.conv1.weight"]
    moved = {**first, "bn1.running_mean": first["bn1.running_mean"] + 0.1}
    assert arrays.unlike_the_library(moved, second) == ["bn1.running_mean"]


def test_correct_predictions_and_ties_that_may_go_either_way():
    logits = numpy.array([[1.0, 0.0], [0.5, 0.5004], [0.0, 1.0]])
    assert arrays.hits(logits, numpy.array([0, 0, 0])) == (1, 1)


def test_predictions_may_differ_by_rounding_alone():
    logits = RNG.standard_normal((50, 10)) * 8
    saved = logits.astype("float16")
    assert arrays.different_predictions(saved, logits) == 0
    saved[3, 4] += 0.1
    saved[7] = numpy.nan
    assert arrays.different_predictions(saved, logits) == 2


@pytest.mark.parametrize(
    "found",
    [
        {"logits": numpy.zeros((3, 10), "float32"), "labels": numpy.zeros(3, "uint8")},
        {"logits": numpy.zeros((3, 10), "float16"), "labels": numpy.zeros(3)},
        {"logits": numpy.zeros((3, 10), "float16")},
        {"logits": numpy.array([print]), "labels": numpy.zeros(3, "uint8")},
    ],
)
def test_other_predictions_are_refused(tmp_path, found):
    numpy.savez(tmp_path / "predictions.npz", **found)
    with pytest.raises(ValueError, match=r"predictions\.npz"):
        arrays.predictions(tmp_path / "predictions.npz")


def test_a_copied_function_is_noted(tmp_path):
    import inspect

    exercise = manifest.exercise("05c")
    text = inspect.getsource(inspect.unwrap(exercise.reference()))
    (tmp_path / exercise.file).write_text(text.replace("@op\n", "# mine\n"))
    other = manifest.exercise("05d")
    (tmp_path / other.file).write_text("def col2im(columns):\n    return columns\n")
    assert copies.copied(["05c", "05d"], tmp_path) == ["05c im2col"]


def test_unusual_imports_are_noted(tmp_path):
    text = "import numpy as np\nimport torch.nn\nfrom e05c_im2col import im2col\nfrom minires.fast import conv\nfrom minires import ops\n"
    exercise = manifest.exercise("05e")
    (tmp_path / exercise.file).write_text(text)
    assert copies.imported(["05e"], tmp_path) == ["torch.nn", "minires.fast"]
    (tmp_path / exercise.file).write_text("import (")
    assert copies.imported(["05e"], tmp_path) == []
