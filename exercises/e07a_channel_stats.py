"""Exercise 07a, chapter 07, 15 minutes: statistics of each channel. Check: pytest exercises/test_e07a_channel_stats.py"""

from minires.backend import xp


def channel_stats(x):
    """Return (mean, var) of each channel; var is divided by the number of values. Not differentiated: batch_norm does that.

    x  (N, ..., C)    mean, var  (C,)

    x may have any number of axes; the last one is the channels. xp's own mean takes several axes at once: axis=(0, 1).
    The results have the dtype of x, which is one of floats.
    To derive: var = mean((x - mean)^2) = mean(x^2) - mean^2. On paper they're equal. Which of the two loses its
    digits if the mean is a million and the standard deviation is 1? Chapter 07.
    """
    raise NotImplementedError("exercise 07a: write channel_stats")
