"""Exercise 01b: images with mean 0 and standard deviation 1, and what goes wrong with them."""

import numpy

from minires.backend import xp


def standardise(images, training):
    """Images minus the mean of each channel of the training images, divided by its standard deviation.

    images  uint8 (N, H, W, C)    training  uint8 (M, H, W, C)    result  float32 (N, H, W, C)
    """
    mean, std = training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2))
    return ((images - mean) / xp.where(std == 0, 1, std)).astype(xp.float32)


def _with(images, mean, std):
    return ((images - mean) / xp.where(std == 0, 1, std)).astype(xp.float32)


def each_pixel(images, training):
    """each pixel position gets its own mean: there should be one per channel, over N, H and W"""
    return _with(images, training.mean(axis=0), training.std(axis=0))


def one_for_all(images, training):
    """all channels share one mean and one standard deviation: each should have its own"""
    return _with(images, training.mean(), training.std())


def own_statistics(images, training):
    """mean and standard deviation are those of the images themselves: they should be those of the training images"""
    return _with(images, images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2)))


def by_the_variance(images, training):
    """the deviations from the mean are divided by the variance: the standard deviation is its root"""
    return _with(images, training.mean(axis=(0, 1, 2)), training.var(axis=(0, 1, 2)))


def wrapped(images, training):
    """the mean is subtracted in uint8, where 3 - 5 is 254"""
    mean, std = training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2))
    return ((images - mean.astype(xp.uint8)) / xp.where(std == 0, 1, std)).astype(xp.float32)


def squares_wrapped(images, training):
    """the pixels are squared in uint8, where 16 * 16 is 0"""
    mean = training.mean(axis=(0, 1, 2))
    with numpy.errstate(all="ignore"):
        return _with(
            images, mean, xp.sqrt((training * training).mean(axis=(0, 1, 2)) - mean * mean)
        )


def mean_of_deviations(images, training):
    """the standard deviation is computed per image and then averaged: this leaves out the differences between images"""
    return _with(images, training.mean(axis=(0, 1, 2)), training.std(axis=(1, 2)).mean(axis=0))


def of_a_sample(images, training):
    """the sum of the squared deviations is divided by their number minus one: here it should be their mean"""
    return _with(images, training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2), ddof=1))


def only_shifted(images, training):
    """the mean is subtracted, but nothing is divided"""
    return (images - training.mean(axis=(0, 1, 2))).astype(xp.float32)


def divided_by_zero(images, training):
    """a constant channel is divided by its standard deviation, which is 0"""
    with numpy.errstate(all="ignore"):
        return ((images - training.mean(axis=(0, 1, 2))) / training.std(axis=(0, 1, 2))).astype(
            xp.float32
        )


def as_fractions(images, training):
    """all images are divided by 255 first: this cancels where a channel is divided by its standard deviation, but not in a constant
    channel, whose differences become 255 times too small"""
    mean, std = training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2))
    return ((images - mean) / xp.where(std == 0, 255, std)).astype(xp.float32)


def small_number_added(images, training):
    """a small number is added to the standard deviation: an image that differs from a constant channel is then divided by that number"""
    mean, std = training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2))
    return ((images - mean) / (std + 1e-8)).astype(xp.float32)
