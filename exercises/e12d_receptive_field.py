"""Exercise 12d, chapter 12, 10 minutes: what one number has seen. Check: pytest exercises/test_e12d_receptive_field.py"""


def receptive_field(layers):
    """Return the number of pixels from the first to the last, along one axis, that one number of the result depends on.

    layers  [(kernel, stride), ...] of convolutions and pools, one after the other

    layers is a list of pairs (kernel, stride), from the image to the result, along one axis; it may be empty, long, or a
    tuple. Padding doesn't matter here: take the image to be as large as needed. Kernels and strides are at least 1. A
    kernel may be smaller than its stride; pixels that it skips count too if they lie between others. Return an int,
    however large. To derive: two 3x3 convolutions see 5x5 pixels. How many do they see if the first one has stride 2, and
    how many if it's the second one? Chapter 12.
    """
    raise NotImplementedError("exercise 12d: write receptive_field")
