"""Exercise 05b, chapter 05, 25 minutes: convolution by its definition. Check: pytest exercises/test_e05b_conv2d_by_loops.py"""

from minires.backend import xp
from minires.ops.windows import output_size, window


def conv2d_by_loops(x, weight, *, stride=1, padding=0):
    """y[n, i, j, f] = sum over u, v, c of x[n, i * SH + u - PH, j * SW + v - PW, c] * weight[u, v, c, f].

    x  (N, H, W, C)    weight  (KH, KW, C, F)    result  (N, OH, OW, F)

    Forward only: return y. x counts as 0 where i * SH + u - PH or j * SW + v - PW lies outside. stride and padding: an int or
    a pair: window((KH, KW), stride, padding) gives three pairs, output_size((h, w), kernel, stride, padding) gives (OH, OW).
    To derive: which pixel lies under place (u, v) of the window at step (i, j)? Loops are welcome, as many as you like: this is
    the convolution that all faster ones are held against. Chapter 05.
    """
    raise NotImplementedError("exercise 05b: write conv2d_by_loops")
