"""The Meter of `minires train`: it shows progress, and stops at a loss that is not finite. A model that keeps its logits."""

import math

from minires import nn
from minires.backend import is_array, to_host
from minires.cli.progress import Progress
from minires.train import Meter, Score


class BarMeter(Meter):
    """The score of an epoch, added up over several calls of train_epoch, or several processes.

    every  steps between two readings of the losses; a reading makes the GPU wait
    progress  shows the images and the loss
    report  is called with the number and the loss of each step

    steps  counted in all epochs    last  the last loss that was read
    """

    def __init__(self, *, every=20, progress=None, report=None):
        super().__init__()
        self.every, self.steps, self.last = every, 0, math.nan
        self.progress, self.report, self._waiting = progress or Progress(), report, []
        self.start_epoch()

    def start_epoch(self):
        """Set the score to zero. The count of steps continues."""
        self._losses, self._correct, self._count = 0.0, 0, 0

    def update(self, loss, logits, labels):
        """Count a step.

        Raises  FloatingPointError: a loss of the last `every` steps is not finite.
        """
        correct = (logits.data.argmax(axis=1) == labels).sum()
        self._count_step(loss.data, correct, len(labels))
        if len(self._waiting) == self.every or self.progress.due():
            self._read_losses()

    def add(self, score):
        """Count a step whose Score has been read.

        Raises  FloatingPointError: its loss is not finite.
        """
        self._count_step(score.loss, score.correct, score.count)
        self._read_losses()

    def _count_step(self, loss, correct, images):
        self._waiting.append((loss, correct, images))
        self.steps += 1
        self.progress.count(images)

    def score(self):
        """Return the Score of the epoch so far.

        Raises  FloatingPointError: as in update. ValueError: nothing has been counted.
        """
        self._read_losses()
        if not self._count:
            raise ValueError("expected at least one batch, got none")
        return Score(self._losses, self._correct, self._count)

    def _read_losses(self):
        """Read the losses that are still on the device, and add them to the sums."""
        first = self.steps - len(self._waiting)
        for step, (loss, correct, count) in enumerate(self._waiting, first):
            loss = float(to_host(loss)) if is_array(loss) else float(loss)
            if not math.isfinite(loss):
                none = math.isnan(self.last)
                before = (
                    "there was none before it"
                    if none
                    else f"the last finite one was {self.last:.4g}"
                )
                raise FloatingPointError(
                    f"the loss is {loss} at step {step}; {before}. "
                    "A smaller learning rate or a warm-up usually helps"
                )
            self._losses += loss * count
            self._correct += int(to_host(correct) if is_array(correct) else correct)
            self._count += count
            self.last = loss
            if self.report:
                self.report(step + 1, loss)
        self._waiting.clear()
        if self._count:
            self.progress.show(self._losses / self._count)

    def state_dict(self):
        """Return the sums and the number of steps so far."""
        self._read_losses()
        sums = {"losses": self._losses, "correct": self._correct, "count": self._count}
        return {"steps": self.steps, **sums, "last": self.last}

    def load_state_dict(self, state):
        """Continue from where state_dict() was called."""
        self.steps, self.last = state["steps"], state["last"]
        self._losses, self._correct = state["losses"], state["correct"]
        self._count = state["count"]


class Noted(nn.Module):
    """A model that keeps its logits, on the host."""

    def __init__(self, model):
        self.model, self.logits = model, []

    def forward(self, x):
        logits = self.model(x)
        self.logits.append(to_host(logits.data))
        return logits
