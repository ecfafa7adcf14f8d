"""Exercise 15g: training functions that should be told apart, a smoke test that does it, and smoke tests that do not."""

from itertools import chain, pairwise

import numpy

from minires import data, nn, optim
from minires import functional as F
from minires.backend import to_device, to_host
from minires.tensor import Tensor


def smoke(train):
    """Raise AssertionError unless a candidate is a right training function.

    train  train(model, dataset, *, epochs, lr, seed) trains a Module from images (N, H, W, C) to logits (N, K) on a
        data.Dataset, and returns a list of floats: the mean loss of each epoch
    """
    # With one batch per epoch the order of the images doesn't matter, and the losses are known.
    few = _images(14)
    found = train(_net(), few, epochs=4, lr=0.2, seed=1)
    assert numpy.allclose(found, _losses(_net(), few, 4, 0.2), rtol=1e-3), "the losses of four steps"  # fmt: skip
    many, spy = _images(20), _Spy()
    train(spy, many, epochs=3, lr=0.2, seed=1)
    assert [len(rows) for rows in spy.seen] == [16, 4] * 3, "the sizes of the batches"
    orders = [[*first, *second] for first, second in zip(spy.seen[::2], spy.seen[1::2])]
    everything = sorted(_codes(_normal(many)))
    assert all(numpy.allclose(sorted(order), everything) for order in orders), "the images"
    assert orders[0] != orders[1] != orders[2], "a new order in each epoch"
    assert all((a != b).any() for a, b in zip(spy.weights, spy.weights[1:])), "each step moves"


class _Record:
    """Lists that a module does not look into."""

    def __init__(self):
        self.seen, self.weights = [], []


class _Spy(nn.Module):
    """A linear layer that records what it gets, a number for each image, and its weights at that time."""

    def __init__(self):
        self.fc = nn.Linear(4, 3, rng=numpy.random.default_rng(3))
        self.record = _Record()

    seen = property(lambda self: self.record.seen)
    weights = property(lambda self: self.record.weights)

    def forward(self, x):
        self.seen.append(_codes(x.data))
        self.weights.append(to_host(self.fc.weight.data).copy())
        return self.fc(F.reshape(x, shape=(len(x.data), 4)))


def _codes(x):
    """Return a number for each image, which tells images apart."""
    return [float(row @ [1.0, 2.0, 4.0, 8.0]) for row in to_host(x).reshape(len(x), 4)]


def _images(n, seed=0):
    """Return a dataset of n images, 2x2 pixels each, in three classes."""
    rng = numpy.random.default_rng(seed)
    labels = numpy.arange(n) % 3
    images = rng.integers(0, 120, (n, 2, 2, 1)) + 45 * labels[:, None, None, None]
    return data.Dataset(images.astype("uint8"), labels, ["a", "b", "c"])


def _normal(dataset):
    """Return the images as a model should get them."""
    x = dataset.images / dataset.max_value
    return ((x - numpy.array(dataset.mean)) / numpy.array(dataset.std)).astype("float32")


def _net(seed=2):
    rng = numpy.random.default_rng(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 6, rng=rng), nn.BatchNorm(6), nn.ReLU(), nn.Linear(6, 3, rng=rng))  # fmt: skip


def _losses(model, dataset, epochs, lr):
    """Return the losses of epochs of one batch: a loop of its own."""
    x, labels, losses = Tensor(to_device(_normal(dataset))), to_device(dataset.labels), []
    optimizer = optim.SGD(model.parameters(), lr=optim.cosine(lr, steps=epochs), momentum=0.9)
    for _ in range(epochs):
        loss = F.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.data))
    return losses


# The candidates.


def _made(*, stream=0, mode="train", apart=False, stale=False, lost=False, order="new", twice=False, by_epoch=False,
          weights_only=False):  # fmt: skip
    """Return a function that trains; the options change one thing each."""

    def train(model, dataset, *, epochs, lr, seed):
        n, labels = len(dataset), dataset.labels
        if apart:
            labels = labels[numpy.random.default_rng([seed, stream, 7]).permutation(n)]
        end = (n // 16 * 16 or n) if lost else n
        parameters = [one for one in model.parameters() if one.ndim > 1 or not weights_only]
        rate = optim.cosine(lr, steps=epochs if by_epoch else epochs * -(-end // 16))
        optimizer = optim.SGD(parameters, lr=rate, momentum=0.9)
        scale = dataset.max_value ** (2 if twice else 1)
        mean, std = numpy.array(dataset.mean), numpy.array(dataset.std)
        getattr(model, mode)()
        losses = []
        for epoch in range(epochs):
            rng = numpy.random.default_rng([seed, stream, epoch if order == "new" else 0])
            row, total = rng.permutation(n), 0.0
            for i in range(0, end, 16):
                chosen = row[i : min(i + 16, end)]
                x = ((dataset.images[chosen] / scale - mean) / std).astype("float32")
                loss = F.cross_entropy(model(Tensor(to_device(x))), to_device(labels[chosen]))
                if not stale:
                    optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += float(loss.data) * len(chosen)
            losses.append(total / end)
        return losses

    return train


def _by_batches(model, dataset, *, epochs, lr, seed):
    """Train with the library's batches and train_epoch."""
    from minires.train import train_epoch

    steps = epochs * len(data.batches(dataset, 16, seed=seed))
    optimizer = optim.SGD(model.parameters(), lr=optim.cosine(lr, steps=steps), momentum=0.9)
    return [train_epoch(model, data.batches(dataset, 16, seed=seed, epoch=epoch), optimizer).loss for epoch in range(epochs)]  # fmt: skip


RIGHT = {"a right one": _made(), "a right one with other orders": _made(stream=11),
         "a right one from the library": _by_batches}  # fmt: skip
WRONG = {"the one that trains in evaluation mode": _made(mode="eval"), "the one that shuffles labels and images apart": _made(apart=True),
         "the one that never zeroes the gradients": _made(stale=True), "the one that loses a last batch that isn't full": _made(lost=True),
         "the one with one order for all epochs": _made(order="one"), "the one that divides by max_value twice": _made(twice=True),
         "the one whose rate falls by the epoch": _made(by_epoch=True), "the one that leaves out the biases and batch norms": _made(weights_only=True)}  # fmt: skip


# Smoke tests that do not tell them apart.


def never_rejects(train):
    """the test accepts every training function, right or wrong: a loss that falls says little, since all eight make it fall"""
    losses = train(_net(), _images(30), epochs=6, lr=0.2, seed=1)
    assert losses[-1] < losses[0]


def never_content(train):
    """the test rejects every training function, including the right ones: the order of the images, and with it the last digits of each loss, may differ"""
    raise AssertionError


def _spied(train, n, epochs=3, *, order=True, images=True, moving=True):
    spy, dataset = _Spy(), _images(n)
    train(spy, dataset, epochs=epochs, lr=0.2, seed=1)
    each = len(spy.seen) // epochs
    orders = [[*chain(*spy.seen[i * each : (i + 1) * each])] for i in range(epochs)]
    everything = sorted(_codes(_normal(dataset)))
    assert [len(one) for one in orders] == [n] * epochs
    assert not images or all(numpy.allclose(sorted(one), everything) for one in orders)
    assert not order or all(a != b for a, b in pairwise(orders))
    assert not moving or all((a != b).any() for a, b in pairwise(spy.weights))


def _known_losses(train, make=None, epochs=4):
    make, few = make or _net, _images(14)
    found = train(make(), few, epochs=epochs, lr=0.2, seed=1)
    assert numpy.allclose(found, _losses(make(), few, epochs, 0.2), rtol=1e-3)


def one_batch(train):
    """the test accepts three wrong ones: with one batch per epoch, nobody can lose the last one or count epochs as steps, and the order doesn't matter"""
    _known_losses(train)


def full_batches(train):
    """the test accepts the one that loses a last batch that isn't full: each batch here is full"""
    _known_losses(train)
    _spied(train, 32)


def one_epoch(train):
    """the test accepts the one with one order for all epochs and the one whose rate falls by the epoch: both show in the second epoch at the earliest"""
    _known_losses(train)
    _spied(train, 20, epochs=1)


def sizes_only(train):
    """the test accepts the one with one order for all epochs: the sizes of the batches say nothing about which images are in them"""
    _known_losses(train)
    _spied(train, 20, order=False)


def without_batch_norm(train):
    """the test accepts the one that trains in evaluation mode: a net without batch norm computes the same in both modes"""

    def plain():
        rng = numpy.random.default_rng(2)
        return nn.Sequential(nn.Flatten(), nn.Linear(4, 6, rng=rng), nn.ReLU(), nn.Linear(6, 3, rng=rng))  # fmt: skip

    _known_losses(train, plain)
    _spied(train, 20)


def without_biases(train):
    """the test accepts the one that leaves out biases and batch norms, since its net has none, and the one that trains in evaluation mode"""

    def bare():
        rng = numpy.random.default_rng(2)
        return nn.Sequential(nn.Flatten(), nn.Linear(4, 6, bias=False, rng=rng), nn.ReLU(), nn.Linear(6, 3, bias=False, rng=rng))  # fmt: skip

    _known_losses(train, bare)
    _spied(train, 20)


def one_step(train):
    """the test accepts wrong ones that go wrong from the second step on: gradients that are added up, the rate, one order for all epochs"""
    _known_losses(train, epochs=1)
    _spied(train, 20, epochs=1, order=False)


def first_steps_only(train):
    """the test accepts the one whose rate falls by the epoch: it doesn't notice that the weights stop moving"""
    _known_losses(train)
    _spied(train, 20, moving=False)


def images_only(train):
    """the test looks only at the images that the model gets, and not at what it learns from them: five wrong ones give it the right images"""
    _spied(train, 20, moving=False)
