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

from minires.backend import to_host
from minires.functional import cross_entropy
from minires.tensor import Tensor, no_grad


class Score(NamedTuple):
    """The mean loss in nats, and the share of images classified correctly."""

    loss: float
    accuracy: float


def train_epoch(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0, every=20, bar=None):
    """One pass over the batches, a step of the optimizer for each. Returns the Score over the epoch.

    batches  pairs (x, labels) of arrays, such as data.batches gives
    schedule  a function from the step to the learning rate; `step` is the number of the first one
    every  how often the losses are read from the device (cross_entropy looks at the labels there at each step)
    bar  a tqdm bar that counts images

    Raises  ValueError: no batches. FloatingPointError: the loss is not finite (seen within `every` steps).
    """
    model.train()
    total, unread = _Total(), []
    for x, labels in batches:
        if schedule is not None:
            optimizer.lr = schedule(step)
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        unread.append((loss.data, (logits.data.argmax(axis=1) == labels).sum(), len(labels)))
        if bar is not None:
            bar.update(len(labels))
        if len(unread) == every:
            total.read(unread, step, bar)
    total.read(unread, step, bar)
    return total.score()


def evaluate(model, batches):
    """The Score of a model on batches, in evaluation mode; each module is left in the mode it was in.

    Raises  ValueError: no batches.
    """
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    total, unread = _Total(), []
    try:
        with no_grad():
            for x, labels in batches:
                logits = model(Tensor(x))
                loss = cross_entropy(logits, labels)
                unread.append((loss.data, (logits.data.argmax(axis=1) == labels).sum(), len(labels)))
    finally:
        for module, training in modes:
            module.training = training
    total.read(unread)
    return total.score()


class _Total:
    """Losses and hits, summed over images: a smaller last batch counts for less."""

    def __init__(self):
        self.loss = self.hits = self.images = 0

    def read(self, unread, step=None, bar=None):
        """Add up (loss, hits, images) of some batches, and forget them."""
        for i, (loss, hits, images) in enumerate(unread):
            loss = float(to_host(loss))
            if step is not None and not math.isfinite(loss):
                before = f"{self.loss / self.images:.4g} on average" if self.images else "none"
                raise FloatingPointError(
                    f"the loss is {loss} at step {step - len(unread) + i}; losses before it: {before}. "
                    "A smaller learning rate or a warm-up usually helps"
                )
            self.loss += loss * images
            self.hits += int(to_host(hits))
            self.images += images
        unread.clear()
        if bar is not None and self.images:
            bar.set_postfix_str(f"loss {self.loss / self.images:.3f}")

    def score(self):
        if not self.images:
            raise ValueError("there were no batches")
        return Score(self.loss / self.images, self.hits / self.images)
