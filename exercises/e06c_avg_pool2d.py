"""Exercise 06c, chapter 06, 20 minutes: average pooling and its gradient. Check: pytest exercises/test_e06c_avg_pool2d.py"""

from minires.backend import xp
from minires.ops.windows import output_size, overlap_add, pad_images, views, window


def avg_pool2d(x, *, kernel, stride=None, padding=0):
    """The mean of the numbers in each window. The padding counts, as zeros.

    x  (N, H, W, C)    result  (N, OH, OW, C)
    Without `stride`, windows are next to each other. The padding is at most half the kernel.

    Saves  a shape.

    kernel, stride and padding are an int or a pair. The imported functions are those of max_pool2d: pad_images(x,
    padding, value), views(x, kernel, stride, output), overlap_add(parts, shape, kernel, stride, padding, dtype). Return a
    new array, even for a 1x1 kernel.
    To derive: how much does a mean of k numbers change when one of them does? What gradient does a pixel get
    if four windows see it, and what if no window does? Chapter 06.
    """
    raise NotImplementedError("exercise 06c: write avg_pool2d")
