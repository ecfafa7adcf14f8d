"""Exercise 14f, chapter 14, 30 minutes: a test for batches. Check: pytest exercises/test_e14f_check_batches.py"""

from minires.backend import xp


def check(candidate):
    """Raise AssertionError unless a candidate is a right epoch of batches.

    candidate  candidate(images, labels, batch_size, mean, rng=rng, training=True) returns an iterable of pairs (x, y)

    candidate(images, labels, batch_size, mean, rng=rng, training=True) returns an epoch of batches, pairs (x, y). images
    are uint8 (N, H, W, C), labels ints (N,) and mean floats (C,), from 0 to 255. x is float32, (images - mean) / 255, and y
    the labels of these images. For training, the images come in a new order in each epoch, drawn from rng, and each is
    mirrored (left to right) with probability 1/2. With training=False they come in the order given and unchanged, and rng
    may be None. Either way, each image comes once, and the last batch may be smaller. Six candidates are wrong: the order
    is never drawn; all epochs have one order; images and labels are shuffled apart; images for validation are mirrored too;
    a last batch that isn't full is left out; and a pixel that is darker than the mean wraps around, as uint8 does. Right
    ones may draw in any order, and return a list or a generator: go through it once. float32 may differ in the last digits.
    Choose images and labels yourself, so that each fault shows. Your check runs about twenty times: keep it small.
    Chapter 14.
    """
    raise NotImplementedError("exercise 14f: write check")
