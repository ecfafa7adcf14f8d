"""Exercise 01c, chapter 01, 15 minutes: a bug hunt across backends. Check: pytest exercises/test_e01c_drop_pixels.py"""

import numpy

from minires.backend import to_device, xp


def drop_pixels(x, rng, *, p):
    """Each pixel, with probability p, becomes the mean colour of its image; all its channels together.

    x  (N, H, W, C), on the device, as the result is
    rng  a NumPy Generator: what is random is drawn on the host, so that every backend sees the same

    With NumPy, this function does what it says. On a GPU, x is a CuPy array, and the function fails. The test
    runs it on the backend "strict", which refuses what CuPy refuses. Fix it without copying any elements of x
    to the host. Keep what is drawn from rng (one number per pixel, in this order) and the dtype of x; the result
    is a new array. Chapter 01.
    """
    n, h, w, _ = x.shape
    dropped = rng.random((n, h, w, 1)) < p
    colour = x.mean(axis=(1, 2), keepdims=True)  # (N, 1, 1, C)
    return numpy.where(dropped, colour, x)
