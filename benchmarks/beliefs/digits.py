"""Shared by the experiments: a training run on the handwritten digits, as losses by epoch and a validation accuracy."""

import math

import numpy

from minires import data, nn, optim
from minires.train import evaluate, train_epoch

SETTING = (
    "1,257 handwritten digits, 185 for validation; SGD, momentum 0.9, weight decay 1e-4, batch 64"
)


def images(quick=False):
    """Return (training images, validation images); quick  128 of each, or fewer."""
    train, validation, _ = data.digits()
    if quick:
        train, validation = (part.part(numpy.arange(min(len(part), 128))) for part in (train, validation))  # fmt: skip
    return train, validation


def trained(model, parts, *, seed, lr, epochs, warmup=0.1, decay=1e-4, batch=64):
    """Train, and return (mean loss of each epoch, validation accuracy in %); all nan from the epoch in which it diverges.

    parts  (training images, validation images)
    The learning rate falls along half a cosine; warmup  the fraction of the steps in which it rises before
    """
    train, validation = parts
    steps = epochs * len(data.batches(train, batch, seed=seed))
    rate = optim.cosine(lr, steps=steps, warmup=round(warmup * steps))
    optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=decay)
    nn.manual_seed(seed)  # of dropout
    losses = []
    with numpy.errstate(all="ignore"):
        for epoch in range(epochs):
            batches = data.batches(train, batch, seed=seed, epoch=epoch)
            losses.append(train_epoch(model, batches, optimizer).loss)
            if not math.isfinite(losses[-1]):
                return losses[:-1] + [math.nan] * (epochs - epoch), math.nan
        score = evaluate(model, data.batches(validation, 256))
    return losses, 100 * score.accuracy if math.isfinite(score.loss) else math.nan
