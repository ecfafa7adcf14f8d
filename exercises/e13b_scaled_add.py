"""Exercise 13b, chapter 13, 15 minutes: a sum with a learned factor. Check: pytest exercises/test_e13b_scaled_add.py"""

from minires.backend import xp


def scaled_add(x, branch, alpha):
    """x + alpha * branch: a residual add whose branch has a factor, which may be learned.

    x, branch  arrays of one shape    alpha  a number, or an array of shape ()
    Source  De and Smith 2020, "Batch Normalization Biases Residual Blocks Towards the Identity Function": SkipInit.

    Return (result, backward); backward(g) returns (g_x, g_branch, g_alpha). alpha may be 0, and g_alpha has shape () like
    alpha, even if alpha is a plain number. Return new arrays from forward; g itself may be one of the gradients. You
    needn't check the shapes. float32 in, float32 out.
    To derive: alpha is one number, and every element of the result uses it. What does each of them contribute to its
    gradient? And if alpha is 0, which of the three gradients is 0 as well? Chapter 13.
    """
    raise NotImplementedError("exercise 13b: write scaled_add")
