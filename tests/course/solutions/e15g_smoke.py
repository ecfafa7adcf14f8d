"""Solutions of 15g: smoke tests for training functions, and those that do not tell them apart."""

import copy
from itertools import pairwise

import numpy

from minires import data, nn, optim
from minires import functional as F
from minires.backend import to_device, to_host
from minires.tensor import Tensor
from minires.train import train_epoch
from tests.course.kinds import right, wrong

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def digits(n, classes=3, seed=1):
    """A dataset of n images of 3x2 pixels, all of them different."""
    rng = numpy.random.default_rng(seed)
    labels = numpy.arange(n) * 2 % classes
    images = rng.integers(0, 256 - 60 * classes, (n, 3, 2, 1)) + 60 * labels[:, None, None, None]
    return data.Dataset(images.astype(numpy.uint8), labels, list("abcdefgh"[:classes]))


def net(seed=0, norm=True, bias=True, classes=3):
    rng = numpy.random.default_rng(seed)
    layers = [nn.Flatten(), nn.Linear(6, 5, bias=bias, rng=rng)]
    layers += [nn.BatchNorm(5)] * norm + [nn.ReLU(), nn.Linear(5, classes, bias=bias, rng=rng)]
    return nn.Sequential(*layers)


class Seen(nn.Module):
    """Records images, modes and weights."""

    def __init__(self, inner):
        self.inner, self.calls = inner, Calls()

    def forward(self, x):
        weights = numpy.concatenate([to_host(one.data).ravel() for one in self.parameters()])
        self.calls.append((to_host(x.data).copy(), self.training, weights))
        return self.inner(x)


class Calls(list):
    """A list that no module looks into."""

    __slots__ = ()

    def __iter__(self):
        return list.__iter__(self)


def by_the_library(model, dataset, epochs, lr):
    """The losses of a loop on all images in one batch."""
    optimizer = optim.SGD(model.parameters(), lr=optim.cosine(lr, steps=epochs), momentum=0.9)
    return [train_epoch(model, data.batches(dataset, len(dataset)), optimizer).loss for _ in range(epochs)]  # fmt: skip


def known(train, *, n=16, epochs=3, lr=0.1, **options):
    few = digits(n)
    expected = by_the_library(net(**options), few, epochs, lr)
    found = train(net(**options), few, epochs=epochs, lr=lr, seed=4)
    assert len(found) == epochs and numpy.abs(numpy.array(found) - expected).max() < 2e-3


def epochs_seen(train, *, n=21, epochs=3):
    """The calls of a model, epoch by epoch."""
    model = Seen(net())
    losses = train(model, digits(n), epochs=epochs, lr=0.1, seed=4)
    calls = list(model.calls)
    each = len(calls) // epochs
    return [calls[i * each : (i + 1) * each] for i in range(epochs)], losses


def order_of(epoch):
    return [tuple(image.ravel().round(3).tolist()) for x, _, _ in epoch for image in x]


@right
def losses_and_orders(train):
    known(train)
    seen, _ = epochs_seen(train)
    orders = [order_of(epoch) for epoch in seen]
    assert [len(set(order)) for order in orders] == [21, 21, 21]
    assert len({tuple(order) for order in orders}) == 3
    weights = [call[2] for epoch in seen for call in epoch]
    assert all(numpy.abs(a - b).max() > 0 for a, b in pairwise(weights))


@right
def replayed(train):
    """Whatever batches the model was given, a loop of its own on the same batches must lead to the same weights."""
    dataset, model = digits(21), Seen(net())
    twin = copy.deepcopy(model.inner)
    losses = train(model, dataset, epochs=3, lr=0.1, seed=2)
    x, y = data.batches(dataset, 21), None
    everything, labels = next(iter(x))
    table = {tuple(to_host(image).ravel().round(3).tolist()): int(y) for image, y in zip(everything, labels)}  # fmt: skip
    calls = list(model.calls)
    assert [len(call[0]) for call in calls] == [16, 5] * 3
    optimizer = optim.SGD(twin.parameters(), lr=optim.cosine(0.1, steps=6), momentum=0.9)
    found = []
    for images, _, _ in calls:
        y = numpy.array([table[tuple(image.ravel().round(3).tolist())] for image in images])
        loss = F.cross_entropy(twin(Tensor(to_device(images))), to_device(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(float(loss.data))
    means = [(16 * a + 5 * b) / 21 for a, b in zip(found[::2], found[1::2])]
    assert numpy.allclose(means, losses, atol=1e-3)
    for one, other in zip(twin.parameters(), model.inner.parameters()):
        assert numpy.allclose(one.data, other.data, atol=1e-3)
    assert order_of(calls[:2]) != order_of(calls[2:4])
    assert {*order_of(calls[:2])} == set(table) == {*order_of(calls[4:])}


@right
def eight_questions(train):
    """One by one."""
    seen, losses = epochs_seen(train, n=37, epochs=2)
    calls = [call for epoch in seen for call in epoch]
    assert all(training for _, training, _ in calls), "the mode"
    assert [len(x) for x, _, _ in calls] == [16, 16, 5] * 2, "the last batch"
    assert order_of(seen[0]) != order_of(seen[1]), "the order"
    assert abs(numpy.concatenate([x for x, _, _ in seen[0]]).std() - 1) < 0.01, "the inputs"
    assert (calls[-2][2] != calls[-1][2]).any(), "the rate"
    model = net()
    bias = model.parameters()[-1]
    train(model, digits(16), epochs=1, lr=0.1, seed=0)
    assert bias.ndim == 1 and (bias.data != net().parameters()[-1].data).any(), "biases"
    known(train, epochs=4)  # labels, gradients


@right
def identical_images(train):
    """With equal images no order matters, in any batch; and then a spy."""
    few = data.Dataset(numpy.full((20, 3, 2, 1), 9, numpy.uint8), numpy.zeros(20, int), "abc", mean=[0.01], std=[0.02])  # fmt: skip
    model = net(norm=False)
    x = Tensor(to_device(numpy.full((20, 3, 2, 1), (9 / 255 - 0.01) / 0.02, numpy.float32)))
    optimizer = optim.SGD(model.parameters(), lr=optim.cosine(0.05, steps=6), momentum=0.9)
    losses = []
    for _ in range(6):
        loss = F.cross_entropy(model(x), few.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.data))
    expected = [(16 * a + 4 * b) / 20 for a, b in zip(losses[::2], losses[1::2])]
    found = train(net(norm=False), few, epochs=3, lr=0.05, seed=3)
    assert numpy.allclose(found, expected, rtol=1e-3)
    known(train)
    seen, _ = epochs_seen(train, n=20)
    assert order_of(seen[0]) != order_of(seen[1]) and len(order_of(seen[1])) == 20


@wrong(WRONG_ONES, mistake="never_rejects")
def runs(train):
    losses = train(net(), digits(20), epochs=2, lr=0.1, seed=0)
    assert len(losses) == 2 and all(numpy.isfinite(losses))


@wrong(RIGHT_ONES, mistake="never_content")
def same_losses_as_mine(train):
    """As if the order were known."""
    dataset, model = digits(40), net()
    optimizer = optim.SGD(model.parameters(), lr=optim.cosine(0.1, steps=9), momentum=0.9)
    losses = [train_epoch(model, data.batches(dataset, 16), optimizer).loss for _ in range(3)]
    assert train(net(), dataset, epochs=3, lr=0.1, seed=0) == losses


@wrong(WRONG_ONES, mistake="one_batch")
def sixteen_images(train):
    known(train)


@wrong(WRONG_ONES, mistake="full_batches")
def two_full_batches(train):
    known(train)
    seen, _ = epochs_seen(train, n=32)
    assert order_of(seen[0]) != order_of(seen[1])
    assert (seen[2][0][2] != seen[2][1][2]).any()


@wrong(WRONG_ONES, mistake="one_epoch")
def a_single_epoch(train):
    known(train)
    seen, _ = epochs_seen(train, epochs=1)
    assert len({*order_of(seen[0])}) == 21


@wrong(WRONG_ONES, mistake="sizes_only")
def counted(train):
    known(train)
    seen, _ = epochs_seen(train)
    assert [len(x) for epoch in seen for x, _, _ in epoch] == [16, 5] * 3
    assert (seen[2][0][2] != seen[2][1][2]).any()


@wrong(WRONG_ONES, mistake="without_batch_norm")
def plain_net(train):
    known(train, norm=False)
    seen, _ = epochs_seen(train)
    assert order_of(seen[0]) != order_of(seen[1]) and len(order_of(seen[0])) == 21
    assert (seen[2][0][2] != seen[2][1][2]).any()


@wrong(WRONG_ONES, mistake="without_biases")
def neither_biases_nor_norms(train):
    known(train, norm=False, bias=False)
    seen, _ = epochs_seen(train)
    assert order_of(seen[0]) != order_of(seen[1]) and len(order_of(seen[0])) == 21
    assert (seen[2][0][2] != seen[2][1][2]).any()


@wrong(WRONG_ONES, mistake="first_steps_only")
def no_weights(train):
    known(train)
    seen, _ = epochs_seen(train)
    assert order_of(seen[0]) != order_of(seen[1]) and len(order_of(seen[0])) == 21


@wrong(WRONG_ONES, mistake="one_step")
def one_known_loss(train):
    known(train, epochs=1)
    seen, _ = epochs_seen(train, epochs=1)
    assert len({*order_of(seen[0])}) == 21
    before = net()
    after = net()
    train(after, digits(16), epochs=1, lr=0.1, seed=0)
    assert (before.parameters()[0].data != after.parameters()[0].data).any()


@wrong(WRONG_ONES, mistake="images_only")
def pixels(train):
    seen, _ = epochs_seen(train)
    orders = [order_of(epoch) for epoch in seen]
    assert len({tuple(order) for order in orders}) == 3 and len({*orders[0]}) == 21
    assert abs(numpy.concatenate([x for x, _, _ in seen[0]]).mean()) < 0.01


@wrong(WRONG_ONES)
def returns_a_bool(train):
    known(train)
    return epochs_seen(train)[0] is not None


@wrong(WRONG_ONES)
def falls_far_enough(train):
    losses = train(net(), digits(30), epochs=8, lr=0.1, seed=0)
    assert losses[-1] < 0.75 * losses[0]


@wrong(WRONG_ONES)
def tolerance_of_a_tenth(train):
    few = digits(16)
    expected = by_the_library(net(), few, 2, 0.01)
    assert numpy.allclose(train(net(), few, epochs=2, lr=0.01, seed=4), expected, atol=0.1)
    seen, _ = epochs_seen(train)
    assert order_of(seen[0]) != order_of(seen[1]) and len(order_of(seen[0])) == 21


@wrong(RIGHT_ONES)
def same_twice_with_other_seeds(train):
    """Another seed is another order, and so other losses."""
    losses = [train(net(), digits(21), epochs=2, lr=0.1, seed=seed) for seed in (0, 1)]
    assert losses[0] == losses[1]


@wrong(RIGHT_ONES)
def in_order(train):
    seen, _ = epochs_seen(train)
    everything, _ = next(iter(data.batches(digits(21), 21)))
    assert order_of(seen[0]) == order_of([(to_host(everything), True, None)])


@wrong(RIGHT_ONES)
def always_falling(train):
    losses = train(net(), digits(48), epochs=12, lr=2.0, seed=0)
    assert all(a > b for a, b in pairwise(losses))
