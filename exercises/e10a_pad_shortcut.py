"""Exercise 10a, chapter 10, 20 minutes: option A, and its adjoint. Check: pytest exercises/test_e10a_pad_shortcut.py"""

from minires.backend import xp


def pad_shortcut(x, *, channels, stride=1):
    """Option A: every `stride`-th pixel of x (N, H, W, C), and zero channels around its own: (channels - C) // 2 before.

    Source  He et al. 2015, "Deep Residual Learning", section 3.3.

    The pixels in rows and columns 0, stride, 2 stride, ... are taken. If the number of zero channels is odd, the larger half
    comes after. The result is a new array of x's dtype, even if stride is 1 and channels is C; channels is never less than C.
    Return (result, backward); backward(g) returns (g_x,), with one comma. Numbers are only moved here: a skipped pixel may
    hold anything, NaN too, and so may the gradients of the zero channels.
    To derive: which element of x does each element of the result depend on, and which elements of x does none depend on?
    What does that say about g_x? Chapter 10.
    """
    raise NotImplementedError("exercise 10a: write pad_shortcut")
