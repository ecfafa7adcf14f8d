"""Exercise 09a, chapter 09, 10 minutes: the identity as filters. Check: pytest exercises/test_e09a_identity_filters.py"""

from minires.backend import xp


def identity_filters(channels, kernel):
    """The weight of a convolution that returns its input: (KH, KW, C, C), float32.

    channels  C    kernel  (KH, KW)    The convolution has stride 1 and padding (KH // 2, KW // 2).

    y[n, i, j, f] = sum over u, v, c of x[n, i + u - KH // 2, j + v - KW // 2, c] * weight[u, v, c, f], where x is 0
    outside the image. y should equal x, for every x. KH and KW are odd and may differ; an even side has no centre: raise a
    ValueError. Return a new array in each call.
    To derive: which x[n, ?, ?, ?] is y[n, i, j, f] to be, and for which (u, v, c) is that the pixel in the sum? Chapter 09.
    """
    raise NotImplementedError("exercise 09a: write identity_filters")
