"""Exercise 15g, chapter 15, 30 minutes: a smoke test for training functions. Check: pytest exercises/test_e15g_smoke.py"""

import numpy
from minires import data, nn, optim
from minires import functional as F
from minires.tensor import Tensor


def smoke(train):
    """Raise AssertionError unless a candidate is a right training function.

    train  train(model, dataset, *, epochs, lr, seed) trains a Module from images (N, H, W, C) to logits (N, K) on a
        data.Dataset, and returns a list of floats: the mean loss of each epoch

    A right one puts the model into training mode. In each epoch it takes each image once, in an order that it draws for
    each epoch from the seed, in batches of 16; the last batch of an epoch may be smaller. It normalises, x = (images /
    max_value - mean) / std, as float32, and takes a step per batch: the mean cross entropy, optim.SGD with momentum 0.9
    on all parameters, and the rate optim.cosine(lr, steps=...), with the number of steps in all epochs together. It
    returns the mean loss of each epoch, over its images, each measured in its batch before the step. The right ones
    differ in the orders that they draw. Eight are wrong, and return plausible losses: one trains in evaluation mode; one
    shuffles the labels apart from the images, once; one never zeroes the gradients; one leaves out the last batch of each
    epoch if it isn't full (but not if it's the only one); one draws one order and keeps it for all epochs; one divides by
    max_value twice; one gives optim.cosine the number of epochs as steps; one trains only parameters with more than one
    axis. Choose models and datasets on which each of these shows, such as a Module of your own that records what it is
    given: data.Dataset(images, labels, classes) takes uint8 images (N, H, W, C) and ints. Your test runs about 25 times,
    in 20 seconds altogether, so keep everything tiny. Chapter 15.
    """
    raise NotImplementedError("exercise 15g: write smoke")
