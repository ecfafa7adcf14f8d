"""Shared by the experiments on recipes: a small residual network that is trained on a few drawn shapes, step by step."""

import math

import numpy

from minires import data, models, optim
from minires.train import evaluate, train_epoch

IMAGES, TESTED, EPOCHS, BATCH, DIFFICULTY = 480, 500, 12, 16, 0.2
STEPS = EPOCHS * IMAGES // BATCH
SETTING = (
    f"ResNet(BasicBlock, (1, 1, 1), (16, 32, 64)) with option A on {IMAGES} shapes of seed 0 and difficulty {DIFFICULTY}, "
    f"{EPOCHS} epochs in batches of {BATCH}, with flips"
)


def images(quick=False, *, half=False):
    """Return (training images, test images). quick  one batch of each    half  of 16 x 16 pixels, means of four"""
    sizes = (BATCH,) * 2 if quick else (IMAGES, TESTED)
    parts = [data.shapes(n, seed, difficulty=DIFFICULTY) for n, seed in zip(sizes, (0, 1))]
    return [_halved(part) for part in parts] if half else parts


def _halved(dataset):
    """Return a Dataset of images of half the side."""
    n, h, w, c = dataset.images.shape
    means = dataset.images.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4)).round()
    same = {
        "mean": dataset.mean,
        "std": dataset.std,
        "name": dataset.name,
        "source": dataset.source,
    }
    return data.Dataset(means.astype("uint8"), dataset.labels, dataset.classes, **same)


def network(seed):
    """Return the network, with the first weights of a seed."""
    rng = numpy.random.default_rng(seed)
    return models.ResNet(models.BasicBlock, (1, 1, 1), (16, 32, 64), shortcut="A", rng=rng)


def trained(parts, seed, make, *, epochs=EPOCHS, hook=None):
    """Train, and return [(training loss, test accuracy in %)], halfway and at the end; nan if it diverges.

    make  takes the model and returns its optimizer    hook  called with the model after each step
    """
    train, test = parts
    model = network(seed)
    optimizer = make(model)
    if hook is not None:
        step = optimizer.step
        optimizer.step = lambda: (step(), hook(model))
    found = []
    with numpy.errstate(all="ignore"):
        for epoch in range(epochs):
            batches = data.batches(train, BATCH, seed=seed, epoch=epoch, flip=True)
            loss = train_epoch(model, batches, optimizer).loss
            if not math.isfinite(loss):
                return [(math.nan,) * 2] * 2
            if epoch + 1 in (epochs // 2, epochs):
                found.append((loss, 100 * evaluate(model, data.batches(test, 250)).accuracy))
    return found


def sgd(rate, *, decay=5e-4):
    """Return a function that makes SGD with momentum 0.9 at a rate, a number or a schedule."""
    return lambda model: optim.SGD(
        model.parameters(), rate, momentum=0.9, nesterov=True, weight_decay=decay
    )
