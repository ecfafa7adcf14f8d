"""Exercise 14e, chapter 14, 25 minutes: a bug hunt in a pipeline. Check: pytest exercises/test_e14e_epoch_of_batches.py"""

from minires.backend import xp


def epoch_of_batches(images, labels, batch_size, *, crop, rng):
    """Yield the batches (x, y) of an epoch, in a new order, each image shifted at random.

    images  uint8 (N, H, W, C)    labels  ints (N,)    crop  the most pixels by which an image is shifted
    rng  a numpy.random.Generator
    x  float32 (n, H, W, C), pixels / 255    y  the labels of these images (n,)    n  batch_size, in the last batch what is left

    The author has looked at the first batch of the first epoch, and it is right. But after about ten epochs the accuracy on
    the training images begins to fall, and pictures of the batches show less and less. Besides,
    list(epoch_of_batches(...)) contains the same images over and over, with different labels. There are two faults: find
    and fix both. What the function should do: draw a new order of all images, and shift each image by its own numbers of
    rows and columns, drawn from -crop to crop, where what moves in is 0. Every epoch starts from the images as they are
    given: leave images and labels unchanged, during the epoch too, and return batches that don't change when the next
    one is made. The shifts, the order and the labels are right as provided. You may draw the random numbers from rng in a
    different order. crop is an int, 0 or more and less than H and W. Chapter 14.
    """
    h, w = images.shape[1:3]
    order = rng.permutation(len(images))
    x = xp.empty((batch_size, *images.shape[1:]), "float32")
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        for k, n in enumerate(chosen):
            image = images[n]
            down, across = rng.integers(-crop, crop + 1, 2)
            framed = xp.pad(image, ((crop, crop), (crop, crop), (0, 0)))
            image[...] = framed[crop + down : crop + down + h, crop + across : crop + across + w]
            x[k] = image / 255
        yield x[: len(chosen)], labels[chosen]
