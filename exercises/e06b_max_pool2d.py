"""Exercise 06b, chapter 06, 35 minutes: max pooling, forward and backward. Check: pytest exercises/test_e06b_max_pool2d.py"""

from minires.backend import xp
from minires.ops.windows import output_size, overlap_add, pad_images, views, window


def max_pool2d(x, *, kernel, stride=None, padding=0):
    """The largest number in each window. On a tie, the first in row order gets the gradient; of several NaNs, the last.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride`, windows are next to each other. The padding counts as -inf, and is at most half the kernel.

    kernel, stride and padding are an int or a pair. Of the imported functions, pad_images(x, padding, value)
    puts a border around the images; views(x, kernel, stride, output) yields, for each kernel position, the
    pixels under it; and overlap_add(parts, shape, kernel, stride, padding, dtype) adds gradient contributions
    back there, as in col2im. You needn't handle NaN, or a window of -inf alone.
    To derive: the maximum changes with the one pixel that it came from. Which pixel gets g, and how much of it?
    Chapter 06.
    """
    raise NotImplementedError("exercise 06b: write max_pool2d")
