"""Exercise 05d, chapter 05, 25 minutes: patches added back to an image. Check: pytest exercises/test_e05d_col2im.py"""

from minires.backend import xp
from minires.ops.conv import im2col
from minires.ops.windows import output_size, window


def col2im(columns, *, shape, kernel, stride=1, padding=0):
    """Add each row back at the position of its patch, so a pixel that k windows see is the sum of k entries.

    columns  (N*OH*OW, KH*KW*C)    result  (N, H, W, C), which is `shape`

    The adjoint of im2col: <im2col(x), c> = <x, col2im(c)>. It is not its inverse.

    window(kernel, stride, padding) returns three pairs, output_size((h, w), kernel, stride, padding) returns (OH,
    OW). Drop what falls on the padding; a pixel that no window sees is 0. To derive: in the sum of im2col(x) * columns, what is
    x[n, i, j] multiplied by? Return (image, backward); use im2col in backward. Chapter 05.
    """
    raise NotImplementedError("exercise 05d: write col2im")
