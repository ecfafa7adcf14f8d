"""Exercise 05a, chapter 05, 10 minutes: how often a window fits. Check: pytest exercises/test_e05a_output_size.py"""


def output_size(size, kernel, stride, padding):
    """(OH, OW), the steps that a window makes down and across: floor((size + 2 padding - kernel) / stride) + 1.

    All four are pairs. Raises  ValueError: the window is larger than the padded image.

    The window begins at the top left of the padded image and never looks beyond its edge; the padding lies on both sides. The
    first number of a pair is for down, the second for across. Ints in, ints out: an array is to have this shape.
    To derive: draw a row of 8 pixels and a window of 3 that makes steps of 2. Where may its left edge stand? Chapter 05.
    """
    raise NotImplementedError("exercise 05a: write output_size")
