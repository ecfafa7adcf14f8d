"""Exercise 08e, chapter 08, 20 minutes: accuracy over batches. Check: pytest exercises/test_e08e_evaluate.py"""

from minires.functional import cross_entropy
from minires.tensor import Tensor, no_grad


def evaluate(model, batches):
    """Return the mean loss and the accuracy of a model over all images of the batches: (loss, accuracy), two floats.

    batches  pairs (x, labels) of arrays, which can be iterated over once

    Evaluate in evaluation mode (model.eval() sets it for the whole tree), and without building a graph: `with no_grad():`
    turns graphs off for a block of code, and on again after it. Afterwards, put each module back into its earlier mode:
    module.training is the mode of one module, and model.modules() returns (name, module) for all of them. Each image has
    the same weight, so a smaller last batch counts for less. The prediction is the class of the largest logit, the first of
    them on a tie. Leave gradients and batches unchanged. Chapter 08.
    """
    raise NotImplementedError("exercise 08e: write evaluate")
