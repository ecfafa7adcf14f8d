"""Exercise 08e, chapter 08, 20 minutes: accuracy over batches. Check: pytest exercises/test_e08e_evaluate.py"""

from minires.functional import cross_entropy
from minires.tensor import Tensor, no_grad


def evaluate(model, batches):
    """The mean loss and the accuracy of a model over all images of the batches: (loss, accuracy), two floats.

    batches  pairs (x, labels) of arrays, to go over once

    In evaluation mode (model.eval() is for the whole tree), and without building a graph. Afterwards each module is in the mode
    in which it was: module.training is the mode of one, model.modules() gives (name, module) of all in the tree.
    Every image counts for the same, so a last batch that is smaller counts for less. Chapter 08.
    """
    raise NotImplementedError("exercise 08e: write evaluate")
