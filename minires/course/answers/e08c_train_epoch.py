"""Exercise 08c: the training loop, and what goes wrong with it."""

import math
from itertools import chain

from minires.functional import cross_entropy
from minires.tensor import Tensor


def train_epoch(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """One pass over the batches, a step of the optimizer for each. Returns (loss, accuracy), two floats.

    batches  pairs (x, labels) of arrays, to go over once
    schedule  a function from the step to the learning rate, or None; `step` is the number of the first one
    label_smoothing  what cross_entropy(logits, labels, label_smoothing=...) takes
    """
    model.train()
    losses, hits, images = 0.0, 0, 0
    for x, labels in batches:
        if schedule is not None:
            optimizer.lr = schedule(step)
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        losses += loss.item() * len(labels)
        hits += int((logits.data.argmax(axis=1) == labels).sum())
        images += len(labels)
    return losses / images, hits / images


def in_engine(train_epoch):
    """minires.train.train_epoch, by this loop: with the sums, the bar and the checks around it."""
    from minires.train import Score

    def looped(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0, scaler=None, average=None, every=20,
               bar=None, score=Score()):  # fmt: skip
        if scaler is not None or average is not None:
            raise ValueError("your train_epoch knows no GradScaler and no Lookahead: train without these, or without --mine")
        images = 0

        def passing():
            nonlocal images
            for x, labels in batches:
                images += len(labels)
                if bar is not None:
                    bar.update(len(labels))
                yield x, labels

        coming = passing()
        first = next(coming, None)
        if first is None and not score.images:
            raise ValueError("there were no batches")
        if first is None:
            return score
        options = {"schedule": schedule, "step": step, "label_smoothing": label_smoothing}
        loss, accuracy = train_epoch(model, chain([first], coming), optimizer, **options)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss of the steps from {step} on is {loss}; a smaller learning rate usually helps")
        return Score(score.losses + loss * images, score.hits + round(accuracy * images), score.images + images, loss)

    return looped


def _loop(model, batches, optimizer, schedule, step, label_smoothing, *, mode=True,
          order=("zero_grad", "backward", "step"), rate=lambda i, step: step, late=False):  # fmt: skip
    """The same, whose parts can be got wrong."""
    model.train(mode)
    sums, means = [0.0, 0, 0], []
    for i, (x, labels) in enumerate(batches):
        if schedule is not None:
            optimizer.lr = schedule(rate(i, step))
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        deeds = {"zero_grad": optimizer.zero_grad, "backward": loss.backward, "step": optimizer.step}
        for deed in order:
            deeds[deed]()
        if late:
            logits = model(Tensor(x))
            loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        step += 1
        hits = int((logits.data.argmax(axis=1) == labels).sum())
        sums = [sums[0] + loss.item() * len(labels), sums[1] + hits, sums[2] + len(labels)]
        means.append((loss.item(), hits / len(labels)))
    return sums, means


def _score(made):
    (losses, hits, images), _ = made
    return losses / images, hits / images


def not_emptied(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """zero_grad() is missing: the gradients of all batches so far add up"""
    return _score(_loop(model, batches, optimizer, schedule, step, label_smoothing, order=("backward", "step")))


def step_before_backward(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the optimizer steps before backward(), by the gradients of the batch before"""
    return _score(_loop(model, batches, optimizer, schedule, step, label_smoothing, order=("step", "zero_grad", "backward")))


def no_step(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the optimizer has nothing to step by: step() is missing, or zero_grad() stands between backward() and step()"""
    return _score(_loop(model, batches, optimizer, schedule, step, label_smoothing, order=("zero_grad", "backward")))


def mean_of_batches(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the means of the batches are averaged: a last batch that is smaller counts for as much as the others"""
    _, means = _loop(model, batches, optimizer, schedule, step, label_smoothing)
    return tuple(sum(column) / len(means) for column in zip(*means))


def sums_returned(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the sums over the images are not divided by their number"""
    (losses, hits, _), _ = _loop(model, batches, optimizer, schedule, step, label_smoothing)
    return losses, hits


def last_batch_only(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """loss and accuracy are those of the last batch"""
    return _loop(model, batches, optimizer, schedule, step, label_smoothing)[1][-1]


def looked_at_after_the_step(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the model runs once more after the step: that costs time, and is the loss of weights that have seen the batch"""
    return _score(_loop(model, batches, optimizer, schedule, step, label_smoothing, late=True))


def mode_left(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the mode of the model is left as it was: after an evaluation batch norm would go on with its running statistics"""
    return _score(_loop(model, batches, optimizer, schedule, step, label_smoothing, mode=model.training))


def schedule_once(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the schedule is asked once an epoch: it is a function of the step"""
    first = step
    return _score(_loop(model, batches, optimizer, schedule, step, label_smoothing, rate=lambda i, step: first))


def schedule_ahead(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the schedule is asked for the step after: the first rate is skipped"""
    return _score(_loop(model, batches, optimizer, schedule, step, label_smoothing, rate=lambda i, step: step + 1))


def schedule_from_0(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """the steps are counted from 0 in each epoch: `step` says with which number to begin"""
    return _score(_loop(model, batches, optimizer, schedule, step, label_smoothing, rate=lambda i, step: i))


def smoothing_ignored(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """label_smoothing is not passed on to the loss"""
    return _score(_loop(model, batches, optimizer, schedule, step, 0.0))
