"""Exercise 07d: what goes wrong with batch norm in evaluation."""

from minires.backend import xp


class _Frozen:
    """A frozen batch norm whose parts can be wrong."""

    def __init__(self, x, gamma, beta, mean, scale):
        self.axes, self.scale = tuple(range(x.ndim - 1)), scale
        self.gamma, self.beta, self.x_hat = gamma, beta, (x - mean) * scale

    def op(self, g_x=None, sums=None):
        """Return (result, backward), with g_x(g) and sums(values) if they are given."""
        g_x = g_x or (lambda g: g * (self.gamma * self.scale))
        sums = sums or (lambda values: values.sum(axis=self.axes))
        return self.x_hat * self.gamma + self.beta, lambda g: (
            g_x(g),
            sums(g * self.x_hat),
            sums(g),
        )


def batch_statistics(x, gamma, beta, *, mean, var, eps=1e-5):
    """the batch's own statistics are used: in evaluation, the result for an image must not depend on the others"""
    axes = tuple(range(x.ndim - 1))
    return _Frozen(x, gamma, beta, x.mean(axis=axes), 1 / xp.sqrt(x.var(axis=axes) + eps)).op()


def three_paths(x, gamma, beta, *, mean, var, eps=1e-5):
    """backward is that of training: here mean and variance are constants, and only the direct path is left"""
    norm = _Frozen(x, gamma, beta, mean, 1 / xp.sqrt(var + eps))

    def g_x(g):
        share = g.mean(axis=norm.axes) + norm.x_hat * (g * norm.x_hat).mean(axis=norm.axes)
        return gamma * norm.scale * (g - share)

    return norm.op(g_x)


def gamma_forgotten(x, gamma, beta, *, mean, var, eps=1e-5):
    """gamma is left out of the gradient of x"""
    norm = _Frozen(x, gamma, beta, mean, 1 / xp.sqrt(var + eps))
    return norm.op(lambda g: g * norm.scale)


def scale_forgotten(x, gamma, beta, *, mean, var, eps=1e-5):
    """the root is left out of the gradient of x, which is g * gamma / sqrt(var + eps)"""
    return _Frozen(x, gamma, beta, mean, 1 / xp.sqrt(var + eps)).op(lambda g: g * gamma)


def eps_outside(x, gamma, beta, *, mean, var, eps=1e-5):
    """eps is added to the root instead of the variance"""
    return _Frozen(x, gamma, beta, mean, 1 / (xp.sqrt(var) + eps)).op()


def variance_for_deviation(x, gamma, beta, *, mean, var, eps=1e-5):
    """x is divided by the variance instead of its root"""
    return _Frozen(x, gamma, beta, mean, 1 / (var + eps)).op()


def averaged(x, gamma, beta, *, mean, var, eps=1e-5):
    """the gradients of gamma and beta are means: they were used once per value, so they need sums"""
    norm = _Frozen(x, gamma, beta, mean, 1 / xp.sqrt(var + eps))
    return norm.op(sums=lambda values: values.mean(axis=norm.axes))


def over_the_batch_only(x, gamma, beta, *, mean, var, eps=1e-5):
    """the gradients of gamma and beta are summed over the images, but not over their pixels"""
    return _Frozen(x, gamma, beta, mean, 1 / xp.sqrt(var + eps)).op(
        sums=lambda values: values.sum(axis=0)
    )


def raw_x(x, gamma, beta, *, mean, var, eps=1e-5):
    """the gradient of gamma is the sum of g * x: gamma is multiplied by x_hat, the normalised x"""
    norm = _Frozen(x, gamma, beta, mean, 1 / xp.sqrt(var + eps))
    y, _ = norm.op()
    return y, lambda g: (
        g * (gamma * norm.scale),
        (g * x).sum(axis=norm.axes),
        g.sum(axis=norm.axes),
    )
