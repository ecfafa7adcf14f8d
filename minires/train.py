"""The loop, in full view: train_epoch and evaluate.

    train, validation, test = data.digits()
    model = models.resnet20(in_channels=1)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(5):
        print(train_epoch(model, data.batches(train, 64, seed=0, epoch=epoch), optimizer))
    print(evaluate(model, data.batches(test, 256)))

The optimizer knows its learning rate at each step, and a meter adds up the score.
"""

from collections.abc import Iterable
from typing import NamedTuple

from minires.backend import Array, xp
from minires.functional import cross_entropy
from minires.nn import Module
from minires.ops.forms import has_forms
from minires.optim import Optimizer
from minires.optim.wrapper import Wrapper
from minires.tensor import Tensor, no_grad

__all__ = ["Meter", "Score", "evaluate", "train_epoch"]


class Score(NamedTuple):
    """The losses and correct predictions of some images: sums, so that a smaller last batch counts for less."""

    losses: float = 0.0  # summed over the images, in nats
    correct: int = 0
    count: int = 0  # type: ignore[assignment]  # tuples have a method of this name

    @property
    def loss(self) -> float:
        """The mean loss in nats."""
        return self.losses / self.count

    @property
    def accuracy(self) -> float:
        """The fraction of images classified correctly."""
        return self.correct / self.count

    def __str__(self) -> str:
        return f"loss {self.loss:.3f}, accuracy {100 * self.accuracy:.2f} %"


class Meter:
    """A sum of the Scores of batches, whose numbers stay on the device until score() reads them."""

    def __init__(self) -> None:
        self.unread: list[tuple] = []  # (loss, correct predictions, images) of each batch

    def update(self, loss: Tensor, logits: Tensor, labels: Array) -> None:
        """Add a batch: its mean loss and its logits (tensors), and its labels."""
        correct = (logits.data.argmax(axis=1) == labels).sum()
        self.unread.append((loss.data, correct, len(labels)))

    def score(self) -> Score:
        """Return the Score of all batches so far.

        Raises  ValueError: there were no batches.
        """
        if not self.unread:
            raise ValueError("expected at least one batch, got none")
        read = [(float(loss) * n, int(correct), n) for loss, correct, n in self.unread]
        return Score(*map(sum, zip(*read)))


@has_forms
def train_epoch(
    model: Module,
    batches: Iterable[tuple[Array, Array]],
    optimizer: Optimizer | Wrapper,
    *,
    label_smoothing: float = 0.0,
    meter: Meter | None = None,
) -> Score:
    """Train for one epoch: a step of the optimizer per batch. Returns the Score over all batches.

    batches  pairs (x, labels) of arrays, as data.batches yields
    meter  adds up the Score (default: a new Meter)

    Raises  ValueError: no batches.
    """
    meter = Meter() if meter is None else meter
    model.train()
    for x, labels in batches:
        logits = model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        meter.update(loss, logits, labels)
    return meter.score()


@has_forms
def evaluate(
    model: Module, batches: Iterable[tuple[Array, Array]], *, flips: bool = False
) -> Score:
    """Return the Score of a model on batches, in evaluation mode. Afterwards each module is back in its own mode.

    flips  classify by the mean of the logits of each image and of its mirror image
    Raises  ValueError: no batches.
    """
    meter, modes = Meter(), [(module, module.training) for _, module in model.modules()]
    model.eval()
    try:
        with no_grad():
            for x, labels in batches:
                logits = model(Tensor(x))
                if flips:
                    logits = (logits + model(Tensor(xp.ascontiguousarray(x[:, :, ::-1])))) / 2
                meter.update(cross_entropy(logits, labels), logits, labels)
    finally:
        for module, training in modes:
            module.training = training
    return meter.score()
