"""Exercise 05c, chapter 05, 25 minutes: patches as rows. Check: pytest exercises/test_e05c_im2col.py"""

from minires.backend import xp
from minires.ops.conv import col2im
from minires.ops.windows import output_size, window


def im2col(x, *, kernel, stride=1, padding=0):
    """Return the patches that the window sees as the rows of a matrix.

    x  (N, H, W, C)    result  (N*OH*OW, KH*KW*C), rows in the order of N, OH, OW

    Saves  a shape: backward is col2im.

    kernel, stride and padding are an int or a pair (vertical, horizontal): window(kernel, stride, padding)
    returns three pairs, and output_size((h, w), kernel, stride, padding) returns (OH, OW). The padding is zeros.
    To derive: row (n, i, j), column (u, v, c) is x[n, i * stride + u - padding, j * stride + v - padding, c].
    Return (columns, backward); backward(g) returns a tuple of one gradient, and col2im computes it. Chapter 05.
    """
    raise NotImplementedError("exercise 05c: write im2col")
