"""Exercise 08c, chapter 08, 25 minutes: the training loop. Check: pytest exercises/test_e08c_train_epoch.py"""

from minires.functional import cross_entropy
from minires.tensor import Tensor
from minires.train import Meter


def train_epoch(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """Train for one epoch: a step of the optimizer per batch. Returns the Score over all batches.

    batches  pairs (x, labels) of arrays, as data.batches yields
    meter  adds up the Score (default: a new Meter)

    For each batch: run the model once, on Tensor(x), compute the loss, zero the gradients, call backward(), and let
    the optimizer take a step. It knows the learning rate, which may be 0: take the step anyway. model.train() puts the
    model into training mode, except for parts that are frozen. meter.update(loss, logits, labels) records a batch, with
    the loss and the logits from before the step. meter.score() returns the Score of all batches that the meter has
    seen. It adds up over images, so a smaller last batch counts for less. The meter that you're given may have seen
    other batches already. Leave the batches and the optimizer's settings unchanged. Chapter 08.
    """
    raise NotImplementedError("exercise 08c: write train_epoch")
