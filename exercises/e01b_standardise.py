"""Exercise 01b, chapter 01, 15 minutes: mean and deviation of each channel. Check: pytest exercises/test_e01b_standardise.py"""

from minires.backend import xp


def standardise(images, training):
    """Images minus the mean of each channel of the training images, divided by its deviation.

    images  uint8 (N, H, W, C)    training  uint8 (M, H, W, C)    result  float32 (N, H, W, C)

    The deviation is the root of the mean squared distance from the mean. Where a channel is the same in all of training,
    subtract the mean and do not divide. Beware: uint8 counts from 0 to 255 and then begins again at 0. To derive: why does it
    make no difference whether all is divided by 255 first? Chapter 01.
    """
    raise NotImplementedError("exercise 01b: write standardise")
