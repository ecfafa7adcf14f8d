"""Exercise 13d: residual blocks that work in place, and what else goes wrong with them."""

from minires.backend import xp


def residual_blocks(x, first, second, *, alpha=1.0):
    """x + alpha * relu(relu(x) @ first[b]) @ second[b], for each block b in turn: pre-activated blocks without batch norm.

    x  (N, C)    first  (B, C, D)    second  (B, D, C)    alpha  a number, which gets no gradient

    Return (result, backward); backward(g) returns (g_x, g_first, g_second).
    """
    y, saved = x.copy(), []
    for w1, w2 in zip(first, second):
        active = xp.maximum(y, 0)
        inner = xp.maximum(active @ w1, 0)
        y = y + alpha * (inner @ w2)
        saved.append((active, inner))

    def backward(g):
        g_first, g_second = xp.zeros_like(first), xp.zeros_like(second)
        g_x = g.copy()
        for b in reversed(range(len(first))):
            active, inner = saved[b]
            g_branch = alpha * g_x
            g_second[b] = inner.T @ g_branch
            g_inner = (g_branch @ second[b].T) * (inner > 0)
            g_first[b] = active.T @ g_inner
            g_x = g_x + (g_inner @ first[b].T) * (active > 0)
        return g_x, g_first, g_second

    return y, backward


def hunted(x, first, second, *, alpha=1.0):
    """nothing has changed: relu and scaled still write to arrays that the shortcut reads afterwards"""

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


class _Parts:
    """The parts of a right one."""

    def __init__(self, alpha):
        self.alpha = alpha

    def head(self, y):
        """Compute what the first product reads."""
        return xp.maximum(y, 0)

    def joined(self, y, active, branch):
        """Compute the sum."""
        return y + self.alpha * branch

    def branch_gradient(self, g):
        """Compute the gradient of the branch's last product."""
        return self.alpha * g

    def read(self, y, active):
        """Return what backward takes for the first product's operand."""
        return active

    def head_gradient(self, g, y):
        """Compute the branch's contribution to the gradient of x."""
        return g * (y > 0)

    def carried(self, g, y):
        """Compute the shortcut's contribution to the gradient of x."""
        return g


def _run(parts, x, first, second):
    y, saved = x.copy(), []
    for w1, w2 in zip(first, second):
        active = parts.head(y)
        inner = xp.maximum(active @ w1, 0)
        saved.append((y, active, inner))
        y = parts.joined(y, active, inner @ w2)

    def backward(g):
        g_first, g_second = xp.zeros_like(first), xp.zeros_like(second)
        g_x = g.copy()
        for b in reversed(range(len(first))):
            y, active, inner = saved[b]
            g_branch = parts.branch_gradient(g_x)
            g_second[b] = inner.T @ g_branch
            g_inner = (g_branch @ second[b].T) * (inner > 0)
            g_first[b] = parts.read(y, active).T @ g_inner
            g_x = parts.carried(g_x, y) + parts.head_gradient(g_inner @ first[b].T, y)
        return g_x, g_first, g_second

    return y, backward


def only_forward_fixed(x, first, second, *, alpha=1.0):
    """the forward pass is right, but backward still changes the gradient that the shortcut passes on"""
    parts = _Parts(alpha)
    parts.carried = lambda g, y: alpha * g
    return _run(parts, x, first, second)


def only_backward_fixed(x, first, second, *, alpha=1.0):
    """backward is right, but the forward pass still changes what the shortcut adds"""
    parts = _Parts(alpha)
    parts.joined = lambda y, active, branch: active + alpha * branch
    return _run(parts, x, first, second)


def shortcut_activated(x, first, second, *, alpha=1.0):
    """forward and backward agree, but on relu(x) + ...: the shortcut should add x itself"""
    parts = _Parts(alpha)
    parts.joined = lambda y, active, branch: active + alpha * branch
    parts.carried = lambda g, y: g * (y > 0)
    return _run(parts, x, first, second)


def shortcut_scaled(x, first, second, *, alpha=1.0):
    """forward and backward agree, but on alpha * (x + ...): only the branch is scaled"""
    parts = _Parts(alpha)
    parts.joined = lambda y, active, branch: alpha * (y + branch)
    parts.carried = lambda g, y: alpha * g
    return _run(parts, x, first, second)


def head_without_relu(x, first, second, *, alpha=1.0):
    """the first ReLU of the block is gone: it was right, except that it wrote to y"""
    parts = _Parts(alpha)
    parts.head = lambda y: y
    parts.head_gradient = lambda g, y: g
    return _run(parts, x, first, second)


def alpha_lost_in_backward(x, first, second, *, alpha=1.0):
    """alpha is gone from backward: the gradient of the branch needs it"""
    parts = _Parts(alpha)
    parts.branch_gradient = lambda g: g
    return _run(parts, x, first, second)


def alpha_lost(x, first, second, *, alpha=1.0):
    """alpha is gone, from the forward pass and from backward"""
    return _run(_Parts(1), x, first, second)


def alpha_twice_in_backward(x, first, second, *, alpha=1.0):
    """the gradient of the branch is multiplied by alpha twice"""
    parts = _Parts(alpha)
    parts.branch_gradient = lambda g: alpha * alpha * g
    return _run(parts, x, first, second)


def x_read_by_the_gradient(x, first, second, *, alpha=1.0):
    """the gradient of `first` is computed with x instead of relu(x), which the product has read"""
    parts = _Parts(alpha)
    parts.read = lambda y, active: y
    return _run(parts, x, first, second)


def mask_lost(x, first, second, *, alpha=1.0):
    """the mask of the first ReLU is gone from backward"""
    parts = _Parts(alpha)
    parts.head_gradient = lambda g, y: g
    return _run(parts, x, first, second)


def mask_on_everything(x, first, second, *, alpha=1.0):
    """the mask of the first ReLU is applied to the shortcut's gradient too"""
    parts = _Parts(alpha)
    parts.carried = lambda g, y: g * (y > 0)
    return _run(parts, x, first, second)
