"""Exercise 05b, chapter 05, 25 minutes: convolution by its definition. Check: pytest exercises/test_e05b_conv2d_by_loops.py"""

from minires.backend import xp
from minires.ops.windows import output_size, window


def conv2d_by_loops(x, weight, *, stride=1, padding=0):
    """y[n, i, j, f] = sum over u, v, c of x[n, i * SH + u - PH, j * SW + v - PW, c] * weight[u, v, c, f].

    x  (N, H, W, C)    weight  (KH, KW, C, F)    result  (N, OH, OW, F)

    Forward only: return y, with x's dtype. x counts as 0 where i * SH + u - PH or j * SW + v - PW is outside the image.
    stride and padding are an int or a pair: window((KH, KW), stride, padding) returns three pairs, output_size((h, w),
    kernel, stride, padding) returns (OH, OW). Use as many loops as you like: this is the convolution that all faster ones
    are compared with. Chapter 05.
    """
    raise NotImplementedError("exercise 05b: write conv2d_by_loops")
