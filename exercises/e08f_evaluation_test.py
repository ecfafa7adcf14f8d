"""Exercise 08f, chapter 08, 30 minutes: a check of evaluation modes. Check: pytest exercises/test_e08f_evaluation_test.py"""

from minires.backend import xp
from minires.tensor import Tensor


def check(candidate):
    """Raise AssertionError unless the models of candidate have a right eval().

    candidate  candidate() makes a model in training mode: a Module from x (N, 4), N > 1, to (N, 2)

    The model has batch norm and dropout, and some of its layers lie deeper in the tree. Its result should depend on nothing but
    x and what it has learnt. Four people got eval() wrong: dropout goes on; batch norm goes on using the batch's statistics;
    the running statistics go on moving; or eval() reaches the upper layers only. What would you see of each from outside?
    train() and state_dict(), whose arrays are copies, are there too. A right model is accepted whatever its numbers are.
    Chapter 08.
    """
    raise NotImplementedError("exercise 08f: write check")
