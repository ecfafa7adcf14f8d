"""Exercise 01c: a function that works with NumPy alone, one that works on every backend, and what else goes wrong."""

import numpy

from minires.backend import to_device, to_host, xp


def drop_pixels(x, rng, *, p):
    """Each pixel, with probability p, becomes the mean colour of its image; all its channels together.

    x  (N, H, W, C), on the device, as the result is
    rng  a NumPy Generator: what is random is drawn on the host, so that every backend sees the same
    """
    n, h, w, _ = x.shape
    dropped = to_device(rng.random((n, h, w, 1)) < p)
    colour = x.mean(axis=(1, 2), keepdims=True)  # (N, 1, 1, C)
    return xp.where(dropped, colour, x)


def hunted(x, rng, *, p):
    """NumPy works on an array on the device, as numpy.where does in the original function"""
    n, h, w, _ = x.shape
    dropped = rng.random((n, h, w, 1)) < p
    colour = x.mean(axis=(1, 2), keepdims=True)  # (N, 1, 1, C)
    return numpy.where(dropped, colour, x)


def mask_on_the_host(x, rng, *, p):
    """xp does the work, but the random numbers stay on the host: it cannot combine arrays from two devices"""
    n, h, w, _ = x.shape
    dropped = rng.random((n, h, w, 1)) < p
    return xp.where(dropped, x.mean(axis=(1, 2), keepdims=True), x)


def there_and_back(x, rng, *, p):
    """x is copied to the host, changed there, and copied back: this is right but slow, because each batch waits for two copies"""
    n, h, w, _ = x.shape
    here = to_host(x)
    return to_device(
        numpy.where(rng.random((n, h, w, 1)) < p, here.mean(axis=(1, 2), keepdims=True), here)
    )


def left_on_the_host(x, rng, *, p):
    """the result stays on the host, although x is on the device"""
    n, h, w, _ = x.shape
    here = to_host(x)
    return numpy.where(rng.random((n, h, w, 1)) < p, here.mean(axis=(1, 2), keepdims=True), here)


def drawn_on_the_device(x, rng, *, p):
    """the mask is drawn on the device: each backend then gets different masks, and a run cannot be repeated elsewhere"""
    n, h, w, _ = x.shape
    xp.random.seed(int(rng.integers(1000)))
    return xp.where(xp.random.random((n, h, w, 1)) < p, x.mean(axis=(1, 2), keepdims=True), x)


def one_mask_for_all(x, rng, *, p):
    """one mask is drawn for all images: each should have its own"""
    dropped = to_device(rng.random((1, *x.shape[1:3], 1)) < p)
    return xp.where(dropped, x.mean(axis=(1, 2), keepdims=True), x)
