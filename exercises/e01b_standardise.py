"""Exercise 01b, chapter 01, 15 minutes: mean and std of each channel. Check: pytest exercises/test_e01b_standardise.py"""

from minires.backend import xp


def standardise(images, training):
    """Images minus the mean of each channel of the training images, divided by its standard deviation.

    images  uint8 (N, H, W, C)    training  uint8 (M, H, W, C)    result  float32 (N, H, W, C)

    The standard deviation is the root of the mean squared deviation from the mean. If a channel has the same value in all
    training images, subtract the mean and don't divide: its results are then differences of pixel values. Add nothing to
    the standard deviation, and leave NumPy's settings (seterr) unchanged. Beware: uint8 counts from 0 to 255 and then
    starts again at 0. To derive: why does it make no difference to the other channels if you divide all images by 255
    first, and why does it make one to a constant channel? Chapter 01.
    """
    raise NotImplementedError("exercise 01b: write standardise")
