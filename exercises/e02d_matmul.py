"""Exercise 02d, chapter 02, 25 minutes: a product of matrices, both ways. Check: pytest exercises/test_e02d_matmul.py"""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast


def matmul(a, b):
    """a @ b: of matrices, or of stacks of them, whose leading axes broadcast.

    a  (..., M, K)    b  (..., K, N)    result  (..., M, N)

    Saves  a and b.

    Return (result, backward), where backward(g) gives (g_a, g_b). To derive: y[i, j] is the sum over k of a[i, k] * b[k, j]. Of
    which y is a[i, k] a part, each time with which factor? The shapes alone nearly say it. Axes before the last two broadcast
    as those of any operands do. Chapter 02.
    """
    raise NotImplementedError("exercise 02d: write matmul")
