"""Exercise 01b: images with mean 0 and deviation 1, and what goes wrong with them."""

import numpy

from minires.backend import xp


def standardise(images, training):
    """Images minus the mean of each channel of the training images, divided by its deviation.

    images  uint8 (N, H, W, C)    training  uint8 (M, H, W, C)    result  float32 (N, H, W, C)
    """
    mean, std = training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2))
    return ((images - mean) / xp.where(std == 0, 1, std)).astype(xp.float32)


def _with(images, mean, std):
    return ((images - mean) / xp.where(std == 0, 1, std)).astype(xp.float32)


def each_pixel(images, training):
    """each place of the picture gets a mean of its own: there is one for each channel, over N, H and W"""
    return _with(images, training.mean(axis=0), training.std(axis=0))


def one_for_all(images, training):
    """all channels share one mean and one deviation: each has its own"""
    return _with(images, training.mean(), training.std())


def own_statistics(images, training):
    """mean and deviation are those of the images themselves: they are to be measured as the training images were"""
    return _with(images, images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2)))


def by_the_variance(images, training):
    """the distances are divided by the variance: the deviation is its root"""
    return _with(images, training.mean(axis=(0, 1, 2)), training.var(axis=(0, 1, 2)))


def wrapped(images, training):
    """the mean is subtracted in uint8, where 3 - 5 is 254"""
    mean, std = training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2))
    return ((images - mean.astype(xp.uint8)) / xp.where(std == 0, 1, std)).astype(xp.float32)


def squares_wrapped(images, training):
    """the numbers are squared in uint8, where 16 * 16 is 0"""
    mean = training.mean(axis=(0, 1, 2))
    with numpy.errstate(all="ignore"):
        return _with(
            images, mean, xp.sqrt((training * training).mean(axis=(0, 1, 2)) - mean * mean)
        )


def mean_of_deviations(images, training):
    """the deviation is taken of each image, and then their mean: what differs from one image to the next is left out"""
    return _with(images, training.mean(axis=(0, 1, 2)), training.std(axis=(1, 2)).mean(axis=0))


def of_a_sample(images, training):
    """the squared distances are summed and divided by one less than their number: here it is their mean"""
    return _with(images, training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2), ddof=1))


def only_shifted(images, training):
    """the mean is subtracted, and nothing divided"""
    return (images - training.mean(axis=(0, 1, 2))).astype(xp.float32)


def divided_by_zero(images, training):
    """a channel that is the same everywhere is divided by its deviation, 0"""
    with numpy.errstate(all="ignore"):
        return ((images - training.mean(axis=(0, 1, 2))) / training.std(axis=(0, 1, 2))).astype(
            xp.float32
        )
