"""Exercise 08f, chapter 08, 30 minutes: a test for evaluation mode. Check: pytest exercises/test_e08f_evaluation_test.py"""

from minires.backend import xp
from minires.tensor import Tensor


def check(candidate):
    """Raise AssertionError unless the models of candidate have a right eval().

    candidate  candidate() makes a model in training mode: a Module from x (N, 4) to (N, 2)

    The model has batch norm and dropout, and some of its layers are deeper in the tree. Its result should
    depend only on x and on what it has learned. Four people got eval() wrong: dropout stays on; batch norm
    keeps using the batch's statistics; the running statistics keep changing; or eval() reaches only the top
    layers. How would you notice each of these from outside? You can also use train() and state_dict(), whose
    arrays are copies. In training mode, batch norm needs N > 1; in evaluation mode N may be 1. Accept a right model
    whatever its numbers are; float32 results may differ in the last digits. Chapter 08.
    """
    raise NotImplementedError("exercise 08f: write check")
