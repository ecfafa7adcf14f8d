"""The training loop: it learns, counts correctly, and reads from the device only when asked for the score."""

import gc
import sys
import tracemalloc
from itertools import islice

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import data, models, nn, optim
from minires import functional as F
from minires.backend import is_array, to_device, to_host
from minires.nn import BatchNorm, GlobalAvgPool, Linear, Module, Sequential
from minires.tensor import Tensor, grad_enabled
from minires.train import Meter, Score, evaluate, train_epoch

pytestmark = pytest.mark.usefixtures("each_backend")


class Fixed(Module):
    """A model whose logits are its input, plus a parameter."""

    def __init__(self):
        self.bias = nn.Parameter(to_device(numpy.zeros(2, numpy.float32)))
        self.saw = []

    def forward(self, x):
        self.saw.append((self.training, grad_enabled()))
        return x + self.bias


def pairs(*batches):
    return [
        (to_device(numpy.array(x, numpy.float32)), to_device(numpy.array(y))) for x, y in batches
    ]


# Three images in two batches; two of them right.
UNEVEN = [([[0.0, 1.0], [2.0, 0.0]], [1, 1]), ([[0.0, 3.0]], [1])]
LOSS = (numpy.log(1 + numpy.exp([-1.0, 2.0, -3.0]))).mean()


def test_evaluate_weighs_images_and_not_batches():
    score = evaluate(Fixed(), pairs(*UNEVEN))
    assert score.accuracy == 2 / 3
    assert_allclose(score.loss, LOSS, rtol=1e-6)


def test_evaluate_runs_in_evaluation_mode_without_a_graph_and_gives_the_mode_back():
    model = Fixed()
    evaluate(model, pairs(*UNEVEN))
    assert model.saw == [(False, False)] * 2 and model.training
    evaluate(model.eval(), pairs(*UNEVEN))
    assert not model.training


def test_train_epoch_gives_the_score_over_the_epoch():
    model = Fixed()
    score = train_epoch(model, pairs(*UNEVEN), optim.SGD(model.parameters(), lr=1e-9))
    assert score.accuracy == 2 / 3 and abs(score.loss - LOSS) < 1e-6
    assert model.saw == [(True, True)] * 2


def test_train_epoch_steps_by_the_gradient_and_forgets_it():
    model = Fixed()
    train_epoch(model, pairs(*UNEVEN), optim.SGD(model.parameters(), lr=0.5))
    w = numpy.zeros(2)
    for x, y in UNEVEN:
        p = numpy.exp(numpy.array(x) + w)
        p /= p.sum(axis=1, keepdims=True)
        w -= 0.5 * (p - numpy.eye(2)[y]).mean(axis=0)
    assert_allclose(to_host(model.bias.data), w, rtol=1e-5)


def test_the_optimizers_schedule_is_asked_at_each_step_from_the_first_one_on():
    model, asked = Fixed(), []
    optimizer = optim.SGD(model.parameters(), lr=lambda step: asked.append(step) or 0.25)
    optimizer.steps = 10
    asked.clear()
    train_epoch(model, pairs(*UNEVEN), optimizer)
    assert asked == [10, 11] and optimizer.lr == 0.25 and optimizer.steps == 12


def test_a_step_forgets_the_gradients_then_goes_back_then_moves():
    calls, model = [], Fixed()

    class Optimizer:
        def zero_grad(self):
            calls.append("zero_grad")
            model.bias.grad = None

        def step(self):
            calls.append("step")
            assert model.bias.grad is not None

    train_epoch(model, pairs(*UNEVEN), Optimizer())
    assert calls == ["zero_grad", "step"] * 2


def test_an_epoch_in_several_parts_gives_the_score_of_one_in_one():
    batches = pairs(*[([[0.0, float(i)], [0.3, 0.1]], [1, 0]) for i in range(5)])

    def scored(*cuts):
        model, meter = Fixed(), Meter()
        for start, stop in zip((0, *cuts), (*cuts, 5)):
            optimizer = optim.SGD(model.parameters(), lr=0.5)
            score = train_epoch(model, batches[start:stop], optimizer, meter=meter)
        return score

    assert scored() == scored(1) == scored(2, 3) and scored().count == 10


def test_a_meter_gets_each_step_after_it_and_reads_nothing_before_it_is_asked(each_backend):
    model, seen = Fixed(), []

    class Watch(Meter):
        def update(self, loss, logits, labels):
            assert not loss.requires_grad or loss.node.backward is None  # it has gone back already
            seen.append((loss.item(), logits.shape, len(labels), to_host(model.bias.data).tolist()))
            super().update(loss, logits, labels)
            loss_, correct, _ = self.unread[-1]  # NumPy's sum gives a scalar
            assert is_array(loss_) and (is_array(correct) or each_backend in ("numpy", "shim"))

    score = train_epoch(model, pairs(*UNEVEN), optim.SGD(model.parameters(), lr=0.5), meter=Watch())
    assert [entry[1:3] for entry in seen] == [((2, 2), 2), ((1, 2), 1)] and seen[0][3] != [
        0,
        0,
    ] != seen[1][3] != seen[0][3]
    assert_allclose(score.losses, 2 * seen[0][0] + seen[1][0], rtol=1e-6)


def test_a_meter_tells_the_score_so_far_as_often_as_it_is_asked():
    logits = Tensor(to_device(numpy.array([[0.0, 1.0], [2.0, 0.0]])))
    meter, labels = Meter(), to_device(numpy.array([1, 1]))
    for times in (1, 2, 3):
        meter.update(Tensor(to_device(numpy.array(0.5))), logits, labels)
        assert (
            meter.score()
            == meter.score()
            == Score(losses=times * 1.0, correct=times, count=2 * times)
        )
    assert [type(number) for number in meter.score()] == [float, int, int]


def test_a_loss_that_is_not_finite_stays_in_the_score():
    """The command line's own meter stops there."""
    batches = pairs(([[0.0, 0.0]], [1]), ([[numpy.nan, 0.0]], [1]))
    model = Fixed()
    score = train_epoch(model, batches, optim.SGD(model.parameters(), lr=1e-9))
    assert numpy.isnan(score.loss) and score.count == 2


def test_a_score_reads_as_a_line():
    score = Score(losses=3.0, correct=3, count=4)
    assert str(score) == "loss 0.750, accuracy 75.00 %" and (score.loss, score.accuracy) == (
        0.75,
        0.75,
    )


def test_label_smoothing_is_handed_on():
    plain, smooth = (
        train_epoch(
            model := Fixed(),
            pairs(*UNEVEN),
            optim.SGD(model.parameters(), lr=1e-9),
            label_smoothing=e,
        )
        for e in (0, 0.2)
    )
    x, y = (to_device(numpy.concatenate([numpy.array(b[i]) for b in UNEVEN])) for i in (0, 1))
    assert_allclose(smooth.loss, F.cross_entropy(x, y, label_smoothing=0.2).item(), rtol=1e-6)
    assert smooth.loss != plain.loss


def test_no_batches_are_refused():
    model = Fixed()
    with pytest.raises(ValueError, match="expected at least one batch, got none"):
        evaluate(model, [])
    with pytest.raises(ValueError, match="expected at least one batch, got none"):
        train_epoch(model, [], optim.SGD(model.parameters(), lr=1))
    with pytest.raises(ValueError, match="expected at least one batch, got none"):
        Meter().score()


def test_a_model_of_five_lines_learns_the_digits():
    nn.manual_seed(0)
    train, validation, _ = data.digits()
    model = Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False),
        BatchNorm(8),
        nn.ReLU(),
        nn.Flatten(),
        Linear(128, 10),
    )
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scores = [
        train_epoch(model, data.batches(train, 64, seed=0, epoch=epoch), optimizer)
        for epoch in range(3)
    ]
    assert scores[0].loss > scores[1].loss > scores[2].loss
    assert evaluate(model, data.batches(validation, 100)).accuracy > 0.9


def test_a_net_that_sees_ten_images_again_and_again_knows_them():
    nn.manual_seed(0)
    train, _, _ = data.digits()
    ten = data.Dataset(train.images[:10], train.labels[:10], train.classes, max_value=16)
    model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), in_channels=1, num_classes=10)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(30):
        score = train_epoch(model, data.batches(ten, 10, seed=0, epoch=epoch), optimizer)
    assert score.accuracy == 1 and score.loss < 0.05


def test_the_same_seed_gives_the_same_bits():
    def run():
        nn.manual_seed(3)
        train, _, _ = data.digits()
        model = Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Dropout(0.2), GlobalAvgPool(), Linear(4, 10)
        )
        train_epoch(
            model, data.batches(train, 128, seed=3, crop=1), optim.SGD(model.parameters(), lr=0.1)
        )
        return model.state_dict()

    first, second = run(), run()
    for name in first:
        assert_array_equal(first[name], second[name])


def test_backends_agree_on_an_epoch(each_backend):
    """The loss of the first epoch is that of float64 NumPy, on every backend."""
    from minires import backend

    def run():
        nn.manual_seed(1)
        train, _, _ = data.digits()
        model = models.ResNet(models.BasicBlock, (1, 1), (4, 8), in_channels=1)
        return train_epoch(
            model,
            data.batches(train, 256, seed=1),
            optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        )

    here = run()
    with backend.using("numpy"):
        there = run()
    assert abs(here.loss - there.loss) < 1e-4


def test_a_frozen_part_stays_frozen_over_an_evaluation_and_over_an_error():
    model = Sequential(Linear(2, 2), BatchNorm(2))
    model[1].eval()
    evaluate(model, pairs(*UNEVEN))
    assert model.training and model[0].training and not model[1].training
    with pytest.raises(ValueError):
        evaluate(model, pairs(([[0.0, 1.0]], [0, 1])))  # two labels for one
    assert model.training and not model[1].training


@pytest.mark.slow
def test_memory_is_flat_over_a_thousand_steps(each_backend):
    """The memory in use after 1,000 steps is that after 200, to a few kilobytes.

    Without Python's own cache of attributes: NumPy's as_strided makes a new string "setflags" at each call, of which that
    cache holds up to 4,096.
    """
    forget = getattr(sys, "_clear_internal_caches", None) or getattr(
        sys, "_clear_type_cache", lambda: None
    )
    train, _, _ = data.digits()
    model = Sequential(
        nn.Conv2d(1, 4, 3, stride=2), BatchNorm(4), nn.ReLU(), GlobalAvgPool(), Linear(4, 10)
    )
    optimizer, held = optim.SGD(model.parameters(), lr=0.01, momentum=0.9), []
    tracemalloc.start()
    try:
        for epoch in range(10):  # of 100 steps
            ten = islice(data.batches(train, 8, seed=0, epoch=epoch, crop=1), 100)
            train_epoch(model, ten, optimizer)
            gc.collect()
            forget()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(held[1:]) - held[1] < 5_000, held
