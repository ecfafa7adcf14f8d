"""Exercise 11d, chapter 11, 15 minutes: which paths carry the gradient. Check: pytest exercises/test_e11d_share_by_length.py"""

import math
from minires.backend import xp


def share_by_length(blocks, gain):
    """Return the fraction of the gradient that comes through the paths of length 0, 1, ..., blocks: (blocks + 1,), in float64.

    blocks  how many residual blocks there are in a row    gain  what the branch of each multiplies a gradient by

    The shortcut multiplies a gradient by 1, and the branch of each block by `gain`, a float, at least 0. A path takes one of
    the two in each block; its length is the number of branches that it takes, and its gradient the product of its factors. What
    fraction of the sum over all paths do the paths of each length have? blocks is from 0 to 500, and (1 + gain)^blocks below
    10^300, which a float can hold. Chapter 11.
    """
    raise NotImplementedError("exercise 11d: write share_by_length")
