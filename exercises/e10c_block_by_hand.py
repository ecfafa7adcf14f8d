"""Exercise 10c, chapter 10, 30 minutes: a whole block by hand. Check: pytest exercises/test_e10c_block_by_hand.py"""

from minires.ops import batch_norm, conv2d, pad_shortcut, relu


def residual_block(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """relu(F + s) as one op, where the residual F is a 3x3 convolution, batch norm, ReLU, 3x3 convolution, batch norm.

    x  (N, H, W, C)    weight1  (3, 3, C, D)    weight2  (3, 3, D, D)    gamma, beta  (D,)    result  (N, OH, OW, D)

    The first convolution has the stride, and both have padding 1. s is x itself where F has x's shape; where it hasn't,
    s is option A, pad_shortcut(x, channels=D, stride=stride), with D at least C. Each op returns (result, backward), and
    so do you: backward(g) returns (g_x, g_weight1, g_gamma1, g_beta1, g_weight2, g_gamma2, g_beta2). Build no graph: call
    the ops' own backward functions, in the right order. conv2d's returns three gradients, the last of them None, since
    there is no bias. g belongs to the caller: don't change it.
    To derive: g meets the last ReLU first. What does each of the two paths get from it, and what do they bring to x?
    Chapter 10.
    """
    raise NotImplementedError("exercise 10c: write residual_block")
