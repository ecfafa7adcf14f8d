"""Exercise 08c, chapter 08, 25 minutes: the training loop. Check: pytest exercises/test_e08c_train_epoch.py"""

from minires.functional import cross_entropy
from minires.tensor import Tensor


def train_epoch(model, batches, optimizer, *, schedule=None, step=0, label_smoothing=0.0):
    """One pass over the batches, a step of the optimizer for each. Returns (loss, accuracy), two floats.

    batches  pairs (x, labels) of arrays, to go over once
    schedule  a function from the step to the learning rate, or None; `step` is the number of the first one
    label_smoothing  what cross_entropy(logits, labels, label_smoothing=...) takes

    For each batch: set the learning rate (optimizer.lr) from the schedule, run the model on Tensor(x), take the loss, empty the
    gradients, go back, and let the optimizer step. The model is in training mode. loss.item() is the loss as a plain number,
    logits.data the bare array.
    The loss and the accuracy are those of each batch as it came by, before its step; every image counts for the same, so a last
    batch that is smaller counts for less. Chapter 08.
    """
    raise NotImplementedError("exercise 08c: write train_epoch")
