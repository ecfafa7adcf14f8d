"""Exercise 11f, chapter 11, 30 minutes: a test for lesion studies. Check: pytest exercises/test_e11f_lesion_test.py"""

from minires.backend import xp
from minires.models.resnet import BasicBlock, ResNet
from minires.tensor import Tensor


def check(candidate):
    """Raise AssertionError unless a candidate is a right lesion study.

    candidate  candidate(model, x, labels) returns a list of ints: the correct predictions without the branch of each block

    A right one does what 11a asks for. Five are wrong: a branch isn't put back before the next one goes, and all come back at
    the end; the last branch never comes back; the model runs in the mode in which it comes; the shortcut is taken out instead
    of the branch; only gamma of bn2 is set to 0. The candidates take any ResNet of BasicBlocks with shortcuts A or B. Build
    one on which each of these shows: on a new net some of them don't. A state_dict contains copies, which load_state_dict
    takes back. What the counts should be, you can work out in a way of your own. Accept right ones however they do it. Your
    check runs about twenty times: keep net and images small. Chapter 11.
    """
    raise NotImplementedError("exercise 11f: write check")
