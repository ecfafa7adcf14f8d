"""Exercise 05e, chapter 05, 35 minutes: convolution as one matrix product. Check: pytest exercises/test_e05e_conv2d.py"""

from minires.backend import xp
from minires.ops.conv import col2im, im2col
from minires.ops.windows import output_size, window


def conv2d(x, weight, bias=None, *, stride=1, padding=0):
    """y[n, i, j, f] = sum over u, v, c of x[n, i * stride + u, j * stride + v, c] * weight[u, v, c, f], plus bias[f].

    x  (N, H, W, C)    weight  (KH, KW, C, F)    bias  (F,)    result  (N, OH, OW, F)
    OH = floor((H + 2 padding - KH) / stride) + 1, OW likewise; padding is with zeros. stride, padding: an int or a pair.

    Saves  x and weight. The columns are KH*KW times as large as x, so the backward pass makes them again.

    im2col(x, kernel=, stride=, padding=) and col2im(columns, shape=, kernel=, stride=, padding=) are ops: each returns
    (result, backward). window and output_size are as in 05b. backward(g) returns (g_x, g_weight, g_bias); without a bias
    the last is None. So let backward compute the columns again instead of saving them.
    To derive: the gradients of all three in y = columns @ matrix + bias, as for a linear layer. Then: what does
    the gradient of the columns say about x? This function can train a network: minires train --mine. Chapter 05.
    """
    raise NotImplementedError("exercise 05e: write conv2d")
