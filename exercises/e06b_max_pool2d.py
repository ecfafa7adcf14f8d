"""Exercise 06b, chapter 06, 35 minutes: max pooling, both ways. Check: pytest exercises/test_e06b_max_pool2d.py"""

from minires.backend import xp
from minires.ops.windows import output_size, overlap_add, pad_images, views, window


def max_pool2d(x, *, kernel, stride=None, padding=0):
    """The largest number under each window. On a tie the first, row by row, gets the gradient; of several NaNs the last.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride` windows lie side by side. The padding counts as -inf, and is at most half the kernel.

    Saves  for each result the position of its maximum in the window (a byte, for up to 256 positions).

    kernel, stride and padding are an int or a pair. Of the tools above, pad_images(x, padding, value) puts a border around the
    images, views(x, kernel, stride, output) yields what lies under each position of the window, and overlap_add(parts, shape,
    kernel, stride, padding, dtype) adds parts back there, as in col2im. NaN is not asked for.
    To derive: the largest number moves as the one pixel that it came from. To which pixel does g go, and how much? Chapter 06.
    """
    raise NotImplementedError("exercise 06b: write max_pool2d")
