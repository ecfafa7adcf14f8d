"""Exercise 05a, chapter 05, 10 minutes: how often a window fits. Check: pytest exercises/test_e05a_output_size.py"""


def output_size(size, kernel, stride, padding):
    """Return (OH, OW), the number of window positions down and across.

    size, kernel, stride and padding are pairs. Raises  ValueError: the window is larger than the padded image.

    The window starts at the top left of the padded image and never goes beyond its edge; both sides are padded, by any
    number of pixels. In a pair, the first number is vertical and the second horizontal. Return a tuple of two ints: they'll
    be the shape of an array. To derive: draw a row of 8 pixels and a window of 3 that moves in steps of 2. Where can its
    left edge be? Chapter 05.
    """
    raise NotImplementedError("exercise 05a: write output_size")
