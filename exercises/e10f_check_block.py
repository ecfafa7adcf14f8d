"""Exercise 10f, chapter 10, 30 minutes: a test for residual blocks. Check: pytest exercises/test_e10f_check_block.py"""

from minires.backend import xp
from minires.tensor import Tensor


def check_block(block):
    """Raise AssertionError unless `block` makes right residual blocks: relu(F + s).

    block  block(in_channels, channels, *, stride=1) makes a Module from x (N, H, W, C) to (N, OH, OW, D), with random weights

    A right block computes relu(F + s). Its branch F consists of convolutions, batch norms and ReLUs, under any names and in
    any number; if all parameters of the block are 0, F is 0, and all of them have an effect on the result in general.
    s is x itself where the shape stays the same; where it changes, s may be option A or B. With stride 2, OH is H / 2,
    rounded up. Six others are wrong: the last ReLU comes before the add; the shortcut is added twice; what is added is
    the mean of x over the image, which broadcasts; the first convolution's result is added instead of x; both convolutions
    have the stride; the second convolution reads x where it can. All six run. How would you notice each from outside? You
    can use made.parameters(), whose .data you may change, Tensor(x, requires_grad=True), y.backward(g) and the .grad that it
    leaves. x is float32, and so are the parameters; a batch needs several values per channel. Chapter 10.
    """
    raise NotImplementedError("exercise 10f: write check_block")
