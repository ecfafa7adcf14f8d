"""Exercise 10b, chapter 10, 20 minutes: option B, without im2col. Check: pytest exercises/test_e10b_projection.py"""

from minires.backend import xp


def projection(x, weight, *, stride=1):
    """A 1x1 convolution: y[n, i, j, f] = sum over c of x[n, stride i, stride j, c] * weight[0, 0, c, f].

    x  (N, H, W, C)    weight  (1, 1, C, F)    result  (N, OH, OW, F)    OH = H / stride, rounded up; OW likewise

    Return (result, backward); backward(g) returns (g_x, g_weight), each of its operand's shape. Do without conv2d, im2col
    and col2im: a 1x1 window sees one pixel, so there are no patches to copy. x @ matrix multiplies the last axis of an
    array with any number of axes. Skipped pixels may hold anything, NaN too. float32 in, float32 out.
    To derive: how often is each weight used, and what does that say about its gradient? Which pixels of x have an effect
    on y? Chapter 10.
    """
    raise NotImplementedError("exercise 10b: write projection")
