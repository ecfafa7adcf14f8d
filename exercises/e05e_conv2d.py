"""Exercise 05e, chapter 05, 35 minutes: convolution as one product, both ways. Check: pytest exercises/test_e05e_conv2d.py"""

from minires.backend import xp
from minires.ops.conv import col2im, im2col
from minires.ops.windows import output_size, window


def conv2d(x, weight, bias=None, *, stride=1, padding=0):
    """Each patch of x times each filter: columns @ weight, plus bias.

    x  (N, H, W, C)    weight  (KH, KW, C, F)    bias  (F,)    result  (N, OH, OW, F)

    Keeps  x and weight.

    im2col(x, kernel=, stride=, padding=) and col2im(columns, shape=, kernel=, stride=, padding=) are ops: each gives (result,
    backward). window and output_size are as in 05b. backward(g) gives (g_x, g_weight, g_bias); without a bias the last is None.
    Columns are KH * KW times as large as x: make them again in backward, and keep none.
    To derive: the gradients of all three in y = columns @ matrix + bias, as for a linear layer. Then: what does the gradient of
    the columns say of x? This function can train a network: minires train --mine. Chapter 05.
    """
    raise NotImplementedError("exercise 05e: write conv2d")
