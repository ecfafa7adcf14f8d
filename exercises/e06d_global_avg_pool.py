"""Exercise 06d, chapter 06, 10 minutes: the mean of each channel. Check: pytest exercises/test_e06d_global_avg_pool.py"""

from minires.backend import xp


def global_avg_pool(x):
    """The mean of each channel over the whole image.

    x  (N, H, W, C)    result  (N, C)

    Saves  a shape.

    It comes between the last feature maps of a network and its linear layer. You needn't handle half precision.
    The result is a new array, even for images of one pixel; backward may return a view: nobody writes to a gradient.
    To derive: one number is computed from H * W; how much of its gradient does each of them get? Chapter 06.
    """
    raise NotImplementedError("exercise 06d: write global_avg_pool")
