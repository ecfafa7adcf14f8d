"""Exercise 11a, chapter 11, 25 minutes: a net without one of its branches. Check: pytest exercises/test_e11a_lesions.py"""

from minires import functional as F
from minires.models.resnet import BasicBlock
from minires.tensor import Tensor, no_grad


def lesions(model, x, labels):
    """Return the number of correct predictions without the branch of each block: a list of ints, one per block.

    model  a ResNet whose blocks are BasicBlocks    x  (N, H, W, C), an array    labels  (N,), an array of ints

    A block without its branch computes the same thing with F = 0: only the shortcut is left, and what follows the sum stays.
    The blocks come in the order of model.modules(), which returns (name, module) for each module. Count in evaluation mode;
    the prediction is the class of the largest logit, the first of them on a tie. Take out one branch at a time. Afterwards the
    model is as you found it: its arrays, its attributes, and the mode of each module (module.training). x, labels and
    gradients stay unchanged. The shortcuts are of kind A or B. Chapter 11.
    """
    raise NotImplementedError("exercise 11a: write lesions")
