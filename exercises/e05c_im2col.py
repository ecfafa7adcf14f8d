"""Exercise 05c, chapter 05, 25 minutes: patches as rows. Check: pytest exercises/test_e05c_im2col.py"""

from minires.backend import xp
from minires.ops.conv import col2im
from minires.ops.windows import output_size, window


def im2col(x, *, kernel, stride=1, padding=0):
    """Return the patches that the window sees as the rows of a matrix.

    x  (N, H, W, C)    result  (N*OH*OW, KH*KW*C), a new array; rows in the order of N, OH, OW

    kernel, stride and padding are an int or a pair (vertical, horizontal): window(kernel, stride, padding)
    returns three pairs, and output_size((h, w), kernel, stride, padding) returns (OH, OW). The padding is zeros.
    Row (n, i, j) has x[n, i * SH + u - PH, j * SW + v - PW, c] in column (u, v, c); u, v and c are in the order of KH, KW, C.
    Return (columns, backward); backward(g) returns a tuple of one gradient, and col2im computes it. The columns must not
    share memory with x, even where they could. Chapter 05.
    """
    raise NotImplementedError("exercise 05c: write im2col")
