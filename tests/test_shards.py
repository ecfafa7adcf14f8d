"""Training on shards of a batch: against loops, float64 and PyTorch; threads stand in for processes (tests/ranks.py)."""

import copy
from itertools import pairwise

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from minires import backend, data, nn, optim, shards
from minires import functional as F
from minires.backend import to_device, to_host
from minires.nn.layers import update_running
from minires.ops import standing_in
from minires.parallel import Alone
from minires.tensor import Tensor
from tests import ranks
from tests.strategies import SEEDS

pytestmark = pytest.mark.usefixtures("each_backend")


def network(seed=0, channels=2, classes=3, momentum=0.1):
    """A convolution, batch norm with an affine part that is not 1 and 0, and a linear layer."""
    rng = numpy.random.default_rng(seed)
    norm = nn.BatchNorm(4, momentum=momentum)
    model = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1, rng=rng), norm, nn.ReLU(),
        nn.GlobalAvgPool(), nn.Linear(4, classes, rng=rng))  # fmt: skip
    norm.weight.data[...] = to_device(rng.uniform(0.5, 2, 4).astype("f4"))
    norm.bias.data[...] = to_device(rng.normal(size=4).astype("f4"))
    norm.running_mean[...] = to_device(rng.normal(size=4).astype("f4"))
    return model


def examples(seed, n, channels=2, mean=0.0, classes=3, side=4):
    """(x, labels) of n random images, on the host."""
    rng = numpy.random.default_rng(seed)
    x = rng.normal(mean, 1, (n, side, side, channels)).astype("f4")
    return x, rng.integers(0, classes, n)


def in_shards(x, labels, edges):
    """A batch as shards that end at these numbers of images."""
    n = len(x)
    return [
        shards.Shard(to_device(x[a:b]), to_device(labels[a:b]), (b - a) / n)
        for a, b in pairwise([0, *edges])
    ]


def even(n, number):
    """Where the shards of n images end."""
    return [n * v // number for v in range(1, number + 1)]


def trained(model, batches, group=None, make=optim.SGD, **options):
    """Train the model on batches of shards, and return the Score and all arrays of its state."""
    optimizer = make(model.parameters(), lr=0.5)
    score = shards.train_epoch(model, batches, optimizer, group or Alone(), **options)
    return score, {name: to_host(array) for name, array in model.state_dict().items()}


def gradients(model, x, labels, smoothing=0.0):
    """The gradients of the mean loss of images, as one forward and one backward pass give them, and the loss."""
    for parameter in model.parameters():
        parameter.grad = None
    logits = model(Tensor(to_device(x)))
    loss = F.cross_entropy(logits, to_device(labels), label_smoothing=smoothing)
    loss.backward()
    return [to_host(p.grad) for p in model.parameters()], float(to_host(loss.data))


def steps_of(before, model):
    """The gradients with which SGD of learning rate 0.5 has moved a model from another one."""
    pairs = zip(before.parameters(), model.parameters())
    return [(to_host(a.data).astype("f8") - to_host(b.data)) / 0.5 for a, b in pairs]


# Gradients.


@given(seed=SEEDS, number=st.sampled_from([1, 2, 4]), smoothing=st.sampled_from([0.0, 0.1]))
def test_the_gradient_is_the_mean_of_the_shards_weighted_by_their_images(seed, number, smoothing):
    n = int(numpy.random.default_rng(seed).integers(2 * number, 15))
    (x, labels), model = examples(seed, n), network(seed)
    before, expected, loss = copy.deepcopy(model), 0.0, 0.0
    for a, b in pairwise([0, *even(n, number)]):
        part, mean = gradients(copy.deepcopy(before), x[a:b], labels[a:b], smoothing)
        loss += mean * (b - a)
        flat = numpy.concatenate([g.astype("f8").ravel() for g in part])
        expected = expected + flat * (b - a) / n
    batch = in_shards(x, labels, even(n, number))
    score, _ = trained(model, [batch], label_smoothing=smoothing)
    found = numpy.concatenate([g.ravel() for g in steps_of(before, model)])
    assert_allclose(found, expected, atol=3e-6)
    assert score.count == n and score.losses == pytest.approx(loss, rel=1e-5)


class Evaluated(nn.BatchNorm):
    """A batch norm that is always in evaluation mode."""

    training = property(lambda self: False, lambda self, value: None)


def test_with_frozen_batch_norm_it_is_the_gradient_of_the_whole_batch():
    (x, labels), model = examples(3, 13), network(3)
    model[1].__class__ = Evaluated
    before = copy.deepcopy(model)
    expected, _ = gradients(copy.deepcopy(before), x, labels)
    trained(model, [in_shards(x, labels, [2, 3, 9, 13])])
    for found, gradient in zip(steps_of(before, model), expected):
        assert_allclose(found, gradient, atol=2e-6)


def test_pytorch_has_the_same_gradients_with_batch_norm_per_shard():
    torch = pytest.importorskip("torch")
    (x, labels), model = examples(5, 10), network(5)
    before = copy.deepcopy(model)
    conv, norm, linear = (before[i] for i in (0, 1, 4))
    given = {name: torch.tensor(to_host(value), dtype=torch.float64, requires_grad=True) for name, value in (
        ("w", conv.weight.data), ("b", conv.bias.data), ("gamma", norm.weight.data), ("beta", norm.bias.data),
        ("v", linear.weight.data), ("c", linear.bias.data))}  # fmt: skip
    for a, b in ((0, 3), (3, 10)):
        y = torch.tensor(x[a:b], dtype=torch.float64).permute(0, 3, 1, 2)
        y = torch.nn.functional.conv2d(y, given["w"].permute(3, 2, 0, 1), given["b"], padding=1)
        y = torch.nn.functional.batch_norm(
            y, None, None, given["gamma"], given["beta"], training=True
        )
        y = y.relu().mean((2, 3)) @ given["v"] + given["c"]
        loss = torch.nn.functional.cross_entropy(y, torch.tensor(labels[a:b]))
        (loss * (b - a) / 10).backward()
    trained(model, [in_shards(x, labels, [3, 10])])
    for found, expected in zip(steps_of(before, model), given.values()):
        assert_allclose(found, expected.grad.numpy(), atol=3e-6)


def test_frozen_parameters_stay_and_those_that_nothing_reaches_get_no_gradient():
    (x, labels), model = examples(0, 8), network()
    model[0].weight.requires_grad = False
    unused = nn.Parameter(to_device(numpy.ones(3, "f4")))
    model.unused, before = unused, to_host(model[0].weight.data).copy()
    trained(model, [in_shards(x, labels, [4, 8])])
    assert_array_equal(to_host(model[0].weight.data), before)
    assert_array_equal(to_host(unused.data), 1)
    assert unused.grad is None


def test_a_parameter_without_a_gradient_stays_unchanged():
    """As in train.train_epoch, where weight decay does not move it either."""
    train, _, _ = data.digits()

    class Unused(nn.Module):
        def __init__(self):
            self.flatten, self.fc, self.other = nn.Flatten(), nn.Linear(64, 10), nn.Linear(3, 3)

        def forward(self, x):
            return self.fc(self.flatten(x))

    model = Unused()
    before = model.state_dict()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    group = Alone()
    shards.train_epoch(
        model, shards.cut(data.batches(train, 64, seed=0), 2, group), optimizer, group
    )
    after = model.state_dict()
    moved = {name for name in before if (before[name] != after[name]).any()}
    assert moved == {"fc.weight", "fc.bias"}


# Running statistics.


def pooled(model, x):
    """The (mean, unbiased variance) of what a network's batch norm gets of a whole batch, in float64."""
    conv = copy.deepcopy(model[0])
    y = to_host(conv(Tensor(to_device(x))).data).astype("f8").reshape(-1, 4)
    return y.mean(0), y.var(0, ddof=1)


@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("edges", [[8], [4, 8], [1, 2, 7, 8]])
def test_running_statistics_move_to_those_of_the_whole_batch(momentum, edges):
    (x, labels), model = examples(1, 8), network(1, momentum=momentum)
    norm, (mean, var) = model[1], pooled(model, x)
    old = to_host(norm.running_mean).astype("f8"), to_host(norm.running_var).astype("f8")
    trained(model, [in_shards(x, labels, edges)])
    for found, before, batch in zip((norm.running_mean, norm.running_var), old, (mean, var)):
        assert_allclose(to_host(found), (1 - momentum) * before + momentum * batch, rtol=2e-6)


def test_images_far_from_zero_lose_no_digits_of_the_variance():
    """In float32, E[x**2] - E[x]**2 of these would be wrong in the first digit."""
    x, labels = examples(2, 16, mean=1000.0)
    model = nn.Sequential(nn.BatchNorm(2, momentum=1.0), nn.Flatten(), nn.Linear(32, 3))
    trained(model, [in_shards(x, labels, [4, 8, 12, 16])])
    y = x.reshape(-1, 2)
    assert_allclose(to_host(model[0].running_mean), y.astype("f8").mean(0), rtol=1e-7)
    assert_allclose(to_host(model[0].running_var), y.astype("f8").var(0, ddof=1), rtol=1e-5)
    naive = (y * y).mean(0) - y.mean(0) ** 2
    assert (abs(naive / y.astype("f8").var(0) - 1) > 0.01).all()


class Twice(nn.Module):
    """One batch norm for the images and for what comes of them."""

    def __init__(self):
        self.norm, self.linear = nn.BatchNorm(2, momentum=0.25), nn.Linear(32, 3)
        self.flatten = nn.Flatten()

    def forward(self, x):
        return self.linear(self.flatten(self.norm(self.norm(x) * 3.0 + 5.0)))


def test_a_batch_norm_that_is_used_twice_moves_twice():
    (x, labels), model = examples(4, 8), Twice()
    y = x.astype("f8").reshape(2, -1, 2)  # the two shards
    z = 5 + 3 * (y - y.mean(1, keepdims=True)) / numpy.sqrt(y.var(1, keepdims=True) + 1e-5)
    mean, var = numpy.zeros(2), numpy.ones(2)
    for each in (y.reshape(-1, 2), z.reshape(-1, 2)):
        mean = 0.75 * mean + 0.25 * each.mean(0)
        var = 0.75 * var + 0.25 * each.var(0, ddof=1)
    trained(model, [in_shards(x, labels, [4, 8])])
    assert_allclose(to_host(model.norm.running_mean), mean, rtol=2e-6, atol=1e-7)
    assert_allclose(to_host(model.norm.running_var), var, rtol=2e-6)


def test_a_stand_in_for_update_running_moves_them():
    (x, labels), model, counts = examples(0, 8), network(), []

    def mine(running_mean, running_var, mean, var, momentum, count):
        counts.append(count)
        running_mean[...] = 7

    with standing_in(update_running=mine):
        trained(model, [in_shards(x, labels, [3, 8])] * 2)
    assert counts == [8 * 16] * 2
    assert_array_equal(to_host(model[1].running_mean), 7)
    assert update_running.here() is not mine


# The number of processes.


@pytest.mark.parametrize("make", [
    optim.SGD, optim.Adam, lambda parameters, lr: optim.GradScaler(optim.SGD(parameters, lr=lr))])  # fmt: skip
@pytest.mark.parametrize("half", [None, "float16"])
def test_one_two_and_four_processes_end_in_the_same_bits(make, half):
    train = data.Dataset(
        numpy.random.default_rng(0).integers(0, 256, (46, 4, 4, 2), numpy.uint8),
        numpy.arange(46) % 3, ["a", "b", "c"])  # fmt: skip

    def work(group):
        part = (group.rank, group.size)
        how = {"seed": 1, "crop": 1, "flip": True, "part": part}
        batches = shards.cut(data.batches(train, 14, **how), 4, group)
        with backend.autocast(half):
            return trained(network(), batches, group, make)

    (expected, state), *others = [found for size in (1, 2, 4) for found in ranks.run(size, work)]
    assert expected.count == 46 and len(others) == 6
    for score, found in others:
        assert score == expected
        assert all(found[name].tobytes() == state[name].tobytes() for name in state)


def test_lookahead_averages_on_all_processes_alike():
    x, labels = examples(0, 16)

    def work(group):
        model = network()
        optimizer = optim.Lookahead(optim.SGD(model.parameters(), lr=0.5), model, steps=6, every=2)
        each = in_shards(x, labels, even(16, 4))
        own = each[4 * group.rank // group.size : 4 * (group.rank + 1) // group.size]
        shards.train_epoch(model, [own] * 6, optimizer, group)
        return [to_host(array).tobytes() for array in model.state_dict().values()]

    assert len({tuple(found) for size in (1, 2, 4) for found in ranks.run(size, work)}) == 1


def test_a_gradient_that_overflows_in_one_shard_skips_the_step_everywhere():
    x, labels = examples(0, 8)
    x[5] = numpy.inf

    def work(group):
        model = network()
        own = in_shards(x, labels, [4, 8])[group.rank :: group.size]
        optimizer = optim.GradScaler(optim.SGD(model.parameters(), lr=0.5))
        with numpy.errstate(all="ignore"):
            shards.train_epoch(model, [own], optimizer, group)
        return optimizer.factor, to_host(model[4].weight.data).tobytes()

    before = to_host(network()[4].weight.data).tobytes()
    assert ranks.run(2, work) == [(2.0**15, before)] * 2


def test_a_stop_that_one_process_is_asked_for_ends_all_after_the_same_step():
    (x, labels), asked = examples(0, 8), []

    class Stop:
        def __init__(self, rank):
            self.rank, self.steps, self.asked = rank, 0, 0

        @property
        def requests(self):
            self.steps += 1
            return [float(self.rank == 1 and self.steps == 3), 0.0]

        def agree(self, sums):
            self.asked = list(sums) == [1, 0]

    def work(group):
        stop = Stop(group.rank)
        batch = in_shards(x, labels, [4, 8])[group.rank :: 2]
        batches = (batch for _ in iter(lambda: stop.asked, True))
        shards.train_epoch(network(), batches, optim.SGD(network().parameters(), lr=0.1), group, stop=stop)  # fmt: skip
        return stop.steps

    assert ranks.run(2, work) == [3, 3] and not asked
