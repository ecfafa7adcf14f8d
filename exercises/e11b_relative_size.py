"""Exercise 11b, chapter 11, 12 minutes: the branch against its shortcut. Check: pytest exercises/test_e11b_relative_size.py"""

from minires import functional as F
from minires.backend import xp


def relative_size(block, x):
    """Return rms(F) / rms(shortcut(x)) of a residual block: a float.

    block  a BasicBlock    x  (N, H, W, C), a Tensor

    F is what the branch adds: bn2's result, before the sum. The root mean square (rms) of an array is the square root of the
    mean of the squares of all its elements: of all images, pixels and channels together. The block is in evaluation mode and
    stays unchanged; its shortcut is of kind A or B. Chapter 11.
    """
    raise NotImplementedError("exercise 11b: write relative_size")
