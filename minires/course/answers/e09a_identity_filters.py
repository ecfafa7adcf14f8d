"""Exercise 09a: the filters of a convolution that returns its input, and what goes wrong with them."""

from minires.backend import xp
from minires.nn import init


def identity_filters(channels, kernel):
    """The weight of a convolution that returns its input: (KH, KW, C, C), float32.

    channels  C    kernel  (KH, KW)    The convolution has stride 1 and padding (KH // 2, KW // 2).
    """
    kh, kw = kernel
    if kh % 2 == 0 or kw % 2 == 0:
        raise ValueError(f"identity_filters: expected odd sides, got {kernel}")
    weight = xp.zeros((kh, kw, channels, channels), dtype="float32")
    weight[kh // 2, kw // 2] = xp.eye(channels)
    return weight


def in_engine(identity_filters):
    """Return init.dirac with this function for kernels with odd sides."""

    def dirac(weight):
        kh, kw, c, f = weight.shape
        if kh % 2 == 0 or kw % 2 == 0:
            return init.dirac.plain(weight)
        same = min(c, f)
        weight[..., :same] = identity_filters(c, (kh, kw))[..., :same]

    return dirac


def _filters(channels, kernel, *, place=None, taps=None, mixed=None, dtype="float32"):
    """Return the weight with `mixed` (C, C) at one place, or at all of them."""
    kh, kw = kernel
    if kh % 2 == 0 or kw % 2 == 0:
        raise ValueError("an even side has no centre")
    weight = xp.zeros((kh, kw, channels, channels), dtype=dtype)
    weight[place or (kh // 2, kw // 2) if taps is None else taps] = (
        xp.eye(channels) if mixed is None else mixed
    )
    return weight


def at_a_corner(channels, kernel):
    """the 1 is at the first position of the kernel, (0, 0): the image comes out shifted"""
    return _filters(channels, kernel, place=(0, 0))


def at_every_position(channels, kernel):
    """there is a 1 at every position of the kernel: each pixel becomes the sum of its neighbours"""
    return _filters(channels, kernel, taps=...)


def every_channel(channels, kernel):
    """the centre is 1 for all pairs of channels: each output channel becomes the sum of all input channels"""
    return _filters(channels, kernel, mixed=xp.ones((channels, channels)))


def mean_of_the_channels(channels, kernel):
    """the centre is 1 / C for all pairs of channels: each output channel becomes the mean of all input channels"""
    return _filters(channels, kernel, mixed=xp.full((channels, channels), 1 / channels))


def blurred(channels, kernel):
    """the filters average over the window, with 1 / (KH * KW) at each position: the image comes out blurred"""
    return _filters(channels, kernel, taps=..., mixed=xp.eye(channels) / (kernel[0] * kernel[1]))


def first_channel_only(channels, kernel):
    """only the first output channel gets its 1: the others come out as 0"""
    return _filters(channels, kernel, mixed=xp.diag(xp.arange(channels) == 0))


def channels_turned_round(channels, kernel):
    """output channel f takes input channel C - 1 - f: the channels come out in reverse order"""
    return _filters(channels, kernel, mixed=xp.eye(channels)[::-1])


def sides_swapped(channels, kernel):
    """the centre is (KW // 2, KH // 2): height comes first"""
    kh, kw = kernel
    return _filters(channels, kernel, place=(min(kw // 2, kh - 1), min(kh // 2, kw - 1)))


def float64(channels, kernel):
    """the weight is float64: weights of the library are float32"""
    return _filters(channels, kernel, dtype="float64")


def even_sides_accepted(channels, kernel):
    """even sides are accepted: there the image comes out larger, whatever the filters are"""
    kh, kw = kernel
    weight = xp.zeros((kh, kw, channels, channels), dtype="float32")
    weight[kh // 2, kw // 2] = xp.eye(channels)
    return weight
