"""The loop, in full view: train_epoch and evaluate.

    train, validation, test = data.digits()
    model = models.resnet20(in_channels=1)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(5):
        print(train_epoch(model, data.batches(train, 64, seed=0, epoch=epoch), optimizer))
    print(evaluate(model, data.batches(test, 256)))
"""

import math
from typing import NamedTuple

from minires.backend import to_host, xp
from minires.functional import cross_entropy
from minires.nn import folded
from minires.tensor import Tensor, no_grad


class Score(NamedTuple):
    """How well images were classified: sums over them. A smaller last batch counts for less."""

    losses: float = 0.0  # summed over the images, in nats
    hits: int = 0
    images: int = 0
    last: float = math.nan  # the mean loss of the last batch

    @property
    def loss(self):
        """The mean loss in nats."""
        return self.losses / self.images

    @property
    def accuracy(self):
        """The share of images classified correctly."""
        return self.hits / self.images

    def __str__(self):
        return f"loss {self.loss:.3f}, accuracy {100 * self.accuracy:.2f} %"


def train_epoch(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0, scaler=None, average=None, every=20,
                bar=None, score=Score()):  # fmt: skip
    """One pass over the batches, a step of the optimizer for each. Returns the Score over the epoch.

    batches  pairs (x, labels) of arrays, such as data.batches gives
    schedule  a function from the step to the learning rate; `step` is the number of the first one
    scaler  an optim.GradScaler, for float16    average  an optim.Lookahead, after each step
    every  how often the losses are read from the device (cross_entropy looks at the labels there at each step)
    bar  a tqdm bar that counts images
    score  what an earlier part of the same epoch gave: it is added up further

    Raises  ValueError: no batches, or `every` below 1. FloatingPointError: the loss is not finite (seen within `every` steps).
    """
    if every < 1:
        raise ValueError(f"every is {every}, wanted at least 1")
    model.train()
    unread = []
    for x, labels in batches:
        if schedule is not None:
            optimizer.lr = schedule(step)
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        optimizer.zero_grad()
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        if average is not None:
            average.step()
        step += 1
        unread.append(_noted(loss, logits, labels))
        if bar is not None:
            bar.update(len(labels))
        if len(unread) == every:
            score = _read(score, unread, step, bar)
    return _counted(_read(score, unread, step, bar))


def evaluate(model, batches, *, fold=True, flips=False):
    """The Score of a model on batches, in evaluation mode; each module is left in the mode it was in.

    Where batch norms can be folded into convolutions, a copy of the model in which they are does the work; with fold=False
    and within nn.separate_ops() the model itself does.
    flips  what counts is the mean of the logits of an image and of its mirror image
    Raises  ValueError: no batches.
    """
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    unread, runs = [], None
    try:
        with no_grad():
            for x, labels in batches:
                if runs is None:
                    faster = folded(model, x[:2]) if fold else None
                    runs = model if faster is None else faster
                logits = runs(Tensor(x))
                if flips:
                    logits = (logits + runs(Tensor(xp.ascontiguousarray(x[:, :, ::-1])))) / 2
                loss = cross_entropy(logits, labels)
                unread.append(_noted(loss, logits, labels))
    finally:
        for module, training in modes:
            module.training = training
    return _counted(_read(Score(), unread))


def _noted(loss, logits, labels):
    """(loss, hits, images) of a batch; loss and hits stay on the device."""
    return loss.data, (logits.data.argmax(axis=1) == labels).sum(), len(labels)


def _read(score, unread, step=None, bar=None):
    """The score with (loss, hits, images) of some batches added, which are then forgotten."""
    for i, (loss, hits, images) in enumerate(unread):
        loss = float(to_host(loss))
        if step is not None and not math.isfinite(loss):
            before = "there was none before it" if math.isnan(score.last) else f"the last finite one was {score.last:.4g}"
            raise FloatingPointError(
                f"the loss is {loss} at step {step - len(unread) + i}; {before}. "
                "A smaller learning rate or a warm-up usually helps"
            )
        score = Score(score.losses + loss * images, score.hits + int(to_host(hits)), score.images + images, loss)
    unread.clear()
    if bar is not None and score.images:
        bar.set_postfix_str(f"loss {score.loss:.3f}")
    return score


def _counted(score):
    if not score.images:
        raise ValueError("there were no batches")
    return score
