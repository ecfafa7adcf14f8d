"""Exercise 02d, chapter 02, 25 minutes: matmul, forward and backward. Check: pytest exercises/test_e02d_matmul.py"""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def matmul(a, b):
    """a @ b: of matrices, or of stacks of them, whose leading axes broadcast.

    a  (..., M, K)    b  (..., K, N)    result  (..., M, N)

    Saves  a and b.

    Return (result, backward); backward(g) returns (g_a, g_b). To derive: y[i, j] is the sum over k of a[i, k] *
    b[k, j]. Which elements of y does a[i, k] contribute to, and with which factor? The shapes alone nearly give
    it away. Axes before the last two broadcast as usual. Matrices in float32 have a float32 result and float32
    gradients. Chapter 02.
    """
    raise NotImplementedError("exercise 02d: write matmul")
