"""Exercise 01a, chapter 01, 10 minutes: from CIFAR's planes to pictures. Check: pytest exercises/test_e01a_channels_last.py"""

from minires.backend import xp


def channels_last(rows):
    """Rearrange CIFAR's rows, one per image, into images with the channels last.

    rows  (N, 3072): for each image a plane of 32 x 32 reds, row by row, then one of greens, then one of blues
    result  (N, 32, 32, 3), in the dtype of rows, as a copy

    xp is NumPy; N may be 1 or 0. The result should be stored in the order in which it is read, with the channels of a
    pixel next to each other: result.flags.c_contiguous is True. To derive: at which index k of its row is channel c of
    pixel [i, j]? Chapter 01.
    """
    raise NotImplementedError("exercise 01a: write channels_last")
