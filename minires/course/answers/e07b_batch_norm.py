"""Exercise 07b: what goes wrong with batch norm and its three paths."""

from minires.backend import xp
from minires.ops.norm import channel_stats


class _Norm:
    """A batch norm whose parts can be wrong. means  of a quantity like x, over all axes but the last"""

    def __init__(self, x, gamma, beta, eps, stats, *, scale=None):
        self.m, self.axes = x.size // x.shape[-1], tuple(range(x.ndim - 1))
        if self.m < 2:
            raise ValueError("one value per channel has no variance")
        mean, self.var = channel_stats(x) if stats is None else stats
        self.scale = 1 / xp.sqrt(self.var + eps) if scale is None else scale(self)
        self.gamma, self.beta, self.x_hat = gamma, beta, (x - mean) * self.scale

    def means(self, values):
        """Return the means of each channel."""
        return values.sum(axis=self.axes) / self.m

    def straight(self, g_hat):
        """Return the gradient of x by three paths, from that of x_hat."""
        return self.scale * (
            g_hat - self.means(g_hat) - self.x_hat * self.means(g_hat * self.x_hat)
        )

    def op(self, g_x=None, sums=None):
        """Return (result, backward), with g_x(g_hat) and sums(values) if they are given."""
        g_x = self.straight if g_x is None else g_x
        sums = sums or (lambda values: values.sum(axis=self.axes))
        return self.x_hat * self.gamma + self.beta, lambda g: (
            g_x(g * self.gamma),
            sums(g * self.x_hat),
            sums(g),
        )


def variance_path_dropped(x, gamma, beta, *, eps=1e-5, stats=None):
    """the path through the variance is left out: x_hat * mean(g_hat * x_hat) is missing"""
    norm = _Norm(x, gamma, beta, eps, stats)
    return norm.op(lambda g_hat: norm.scale * (g_hat - norm.means(g_hat)))


def mean_path_dropped(x, gamma, beta, *, eps=1e-5, stats=None):
    """the path through the mean is left out: mean(g_hat) is missing"""
    norm = _Norm(x, gamma, beta, eps, stats)
    return norm.op(lambda g_hat: norm.scale * (g_hat - norm.x_hat * norm.means(g_hat * norm.x_hat)))


def constants(x, gamma, beta, *, eps=1e-5, stats=None):
    """mean and variance are treated as constants: that is right in evaluation, but in training they depend on x"""
    norm = _Norm(x, gamma, beta, eps, stats)
    return norm.op(lambda g_hat: norm.scale * g_hat)


def gamma_forgotten(x, gamma, beta, *, eps=1e-5, stats=None):
    """gamma is left out of the gradient of x: the gradient of x_hat is g * gamma"""
    norm = _Norm(x, gamma, beta, eps, stats)
    y, backward = norm.op()
    return y, lambda g: (norm.straight(g), *backward(g)[1:])


def not_divided(x, gamma, beta, *, eps=1e-5, stats=None):
    """there are sums instead of means: they are not divided by the number of values"""
    norm = _Norm(x, gamma, beta, eps, stats)
    m = norm.m
    return norm.op(
        lambda g_hat: (
            norm.scale
            * (g_hat - m * norm.means(g_hat) - m * norm.x_hat * norm.means(g_hat * norm.x_hat))
        )
    )


def divided_by_the_batch(x, gamma, beta, *, eps=1e-5, stats=None):
    """the sums in the gradient of x are divided by the number of images: there are N * H * W values per channel"""
    norm = _Norm(x, gamma, beta, eps, stats)
    share = norm.m / len(x)
    return norm.op(
        lambda g_hat: (
            norm.scale
            * (g_hat - share * (norm.means(g_hat) + norm.x_hat * norm.means(g_hat * norm.x_hat)))
        )
    )


def over_everything(x, gamma, beta, *, eps=1e-5, stats=None):
    """the means in the gradient of x are over the channels too: each channel has its own"""
    norm = _Norm(x, gamma, beta, eps, stats)
    return norm.op(
        lambda g_hat: norm.scale * (g_hat - g_hat.mean() - norm.x_hat * (g_hat * norm.x_hat).mean())
    )


def sign_lost(x, gamma, beta, *, eps=1e-5, stats=None):
    """the sign of the gradient of x is reversed"""
    norm = _Norm(x, gamma, beta, eps, stats)
    return norm.op(lambda g_hat: -norm.straight(g_hat))


def averaged(x, gamma, beta, *, eps=1e-5, stats=None):
    """the gradients of gamma and beta are means: they were used once per value, so they need sums"""
    norm = _Norm(x, gamma, beta, eps, stats)
    return norm.op(sums=norm.means)


def over_the_batch_only(x, gamma, beta, *, eps=1e-5, stats=None):
    """the gradients of gamma and beta are summed over the images, but not over their pixels"""
    norm = _Norm(x, gamma, beta, eps, stats)
    return norm.op(sums=lambda values: values.sum(axis=0))


def unbiased(x, gamma, beta, *, eps=1e-5, stats=None):
    """the unbiased variance is used to normalise: that one is for the running statistics"""
    m = x.size // x.shape[-1]
    if stats is None and m > 1:
        mean, var = channel_stats(x)
        stats = mean, var * (m / (m - 1))
    return _Norm(x, gamma, beta, eps, stats).op()


def eps_outside(x, gamma, beta, *, eps=1e-5, stats=None):
    """eps is added to the root instead of the variance"""
    return _Norm(x, gamma, beta, eps, stats, scale=lambda norm: 1 / (xp.sqrt(norm.var) + eps)).op()


def stats_ignored(x, gamma, beta, *, eps=1e-5, stats=None):
    """the given statistics are ignored"""
    return _Norm(x, gamma, beta, eps, None).op()
