"""Exercise 13d, chapter 13, 25 minutes: a bug hunt in blocks that save memory. Check: pytest exercises/test_e13d_in_place.py"""

from minires.backend import xp


def residual_blocks(x, first, second, *, alpha=1.0):
    """x + alpha * relu(relu(x) @ first[b]) @ second[b], for each block b in turn: pre-activated blocks without batch norm.

    x  (N, C)    first  (B, C, D)    second  (B, D, C)    alpha  a number, which gets no gradient

    Return (result, backward); backward(g) returns (g_x, g_first, g_second).

    The author works in place to save memory, and has tested one block on positive x with alpha = 1: result and
    gradients are right. But a net of 20 such blocks with alpha = 0.5 hardly learns. Two symptoms: if `second` is 0, the
    result should be x, and isn't; and the gradient of x should be g, and is much smaller. Find out why, and make both
    right for all x and alpha. x and g belong to the caller: leave them unchanged. float32 in, float32 out. Chapter 13.
    """

    def relu(z):
        z *= z > 0
        return z

    def scaled(z):
        z *= alpha
        return z

    y, saved = x.copy(), []
    for w1, w2 in zip(first, second):
        active = relu(y)
        inner = relu(active @ w1)
        y = y + scaled(inner @ w2)
        saved.append((active, inner))

    def backward(g):
        g_first, g_second = xp.zeros_like(first), xp.zeros_like(second)
        g_x = g.copy()
        for b in reversed(range(len(first))):
            active, inner = saved[b]
            g_branch = scaled(g_x)
            g_second[b] = inner.T @ g_branch
            g_inner = (g_branch @ second[b].T) * (inner > 0)
            g_first[b] = active.T @ g_inner
            g_x = g_x + (g_inner @ first[b].T) * (active > 0)
        return g_x, g_first, g_second

    return y, backward
