"""Strange solutions of 07b."""

from functools import partial

import numpy

from minires.backend import xp
from minires.ops.norm import channel_stats
from tests.course.kinds import right, wrong

VECTORS = "test_the_gradient_of_vectors_has_three_paths"
IMAGES = "test_the_gradient_of_images_has_three_paths"
EPS = "test_eps_is_added_inside_the_root"
GIVEN = "test_statistics_of_x_that_are_given_have_the_three_paths_too"
OTHERS = "test_statistics_that_are_given_are_not_computed_again"
CONSTANT = "test_a_channel_of_equal_values_has_a_gradient_too"
ZEROS = "test_gamma_and_beta_may_be_0"
EQUAL = "test_as_many_images_and_pixels_as_channels"
FEW = "test_there_may_be_one_channel_or_two_values"
REFUSED = "test_one_value_per_channel_is_refused"

# Defaults that all calls share.
KEPT = {}


def parts(x, eps, stats):
    """(axes, m, x_hat, scale)."""
    axes = tuple(range(x.ndim - 1))
    m = x.size // x.shape[-1]
    if m < 2:
        raise ValueError(f"{m} values per channel")
    mean, var = channel_stats(x) if stats is None else stats
    scale = 1 / xp.sqrt(var + eps)
    return axes, m, (x - mean) * scale, scale


def back(g, axes, m, x_hat, scale, gamma):
    g_beta, g_gamma = g.sum(axis=axes), (g * x_hat).sum(axis=axes)
    return gamma * scale * (g - g_beta / m - x_hat * (g_gamma / m)), g_gamma, g_beta


def op(x, gamma, beta, eps, stats):
    axes, m, x_hat, scale = parts(x, eps, stats)
    kept = {"axes": axes, "m": m, "x_hat": x_hat, "scale": scale, "gamma": gamma}
    return x_hat * gamma + beta, partial(back, **kept)


@right
def small_jacobians(x, gamma, beta, *, eps=1e-5, stats=None):
    """The Jacobian of each channel as a matrix (m, m)."""
    _, m, x_hat, scale = parts(x, eps, stats)
    rows = x_hat.reshape(m, -1)

    def backward(g):
        g_rows = g.reshape(m, -1)
        columns = []
        for c in range(rows.shape[1]):
            jacobian = xp.eye(m, dtype=x.dtype) - 1 / m - xp.outer(rows[:, c], rows[:, c]) / m
            columns.append(gamma[c] * scale[c] * (g_rows[:, c] @ jacobian))
        g_x = xp.stack(columns, axis=1).astype(x.dtype)
        return g_x.reshape(x.shape), (g_rows * rows).sum(axis=0), g_rows.sum(axis=0)

    return x_hat * gamma + beta, backward


@right
def channels_first_inside(x, gamma, beta, *, eps=1e-5, stats=None):
    _, m, x_hat, scale = parts(x, eps, stats)
    first = xp.ascontiguousarray(xp.moveaxis(x_hat, -1, 0)).reshape(len(gamma), m)
    shape = (x.shape[-1], *x.shape[:-1])
    y = xp.moveaxis((first * gamma[:, None] + beta[:, None]).reshape(shape), 0, -1)

    def backward(g):
        g_first = xp.moveaxis(g, -1, 0).reshape(len(gamma), m)
        d = g_first * gamma[:, None]
        along = (d * first).mean(axis=1, keepdims=True)
        g_x = (d - d.mean(axis=1, keepdims=True) - first * along) * scale[:, None]
        g_gamma = xp.einsum("cm,cm->c", g_first, first)
        return xp.moveaxis(g_x.reshape(shape), 0, -1), g_gamma, g_first.sum(axis=1)

    return y, backward


@right
class OpOfEachCall:
    """A class as an op: the pair is the object, which can be unpacked."""

    def __new__(cls, x, gamma, beta, *, eps=1e-5, stats=None):
        self = super().__new__(cls)
        self.axes, self.m, self.x_hat, self.scale = parts(x, eps, stats)
        self.gamma = gamma
        return self.x_hat * gamma + beta, self.backward

    def backward(self, g):
        """(g_x, g_gamma, g_beta)."""
        return back(g, self.axes, self.m, self.x_hat, self.scale, self.gamma)


@right
def backward_from_x(x, gamma, beta, *, eps=1e-5, stats=None):
    """Saves copies of the inputs, and computes everything again."""
    y, _ = op(x, gamma, beta, eps, stats)
    own = x.copy(), gamma.copy(), beta.copy()
    kept = None if stats is None else tuple(part.copy() for part in stats)
    return y, lambda g: op(*own, eps, kept)[1](g)


@right
def extra_checks_and_out(x, gamma, beta, *, eps=1e-5, stats=None):
    if gamma.shape != x.shape[-1:] or beta.shape != gamma.shape:
        raise ValueError(f"expected gamma and beta of shape {x.shape[-1:]}")
    _, m, x_hat, scale = parts(x, eps, stats)
    y = xp.empty_like(x_hat)
    xp.multiply(x_hat, gamma, out=y)
    xp.add(y, beta, out=y)

    def backward(g):
        g_gamma = xp.tensordot(g.reshape(m, -1) * x_hat.reshape(m, -1), xp.ones(m, g.dtype), (0, 0))
        g_beta = xp.add.reduce(g.reshape(m, -1), axis=0)
        g_x = x_hat * (-g_gamma / m)
        g_x -= g_beta / m
        g_x += g
        g_x *= gamma * scale
        return g_x, g_gamma, g_beta

    return y, backward


@wrong(GIVEN)
def given_statistics_are_constants(x, gamma, beta, *, eps=1e-5, stats=None):
    y, backward = op(x, gamma, beta, eps, stats)
    if stats is None:
        return y, backward
    slope = gamma / xp.sqrt(stats[1] + eps)
    return y, lambda g: (g * slope, *backward(g)[1:])


@wrong(GIVEN)
def eps_forgotten_with_statistics(x, gamma, beta, *, eps=1e-5, stats=None):
    return op(x, gamma, beta, 1e-5 if stats else eps, stats)


@wrong(GIVEN)
def gamma_forgotten_with_statistics(x, gamma, beta, *, eps=1e-5, stats=None):
    y, backward = op(x, gamma, beta, eps, stats)
    if stats is None:
        return y, backward
    return y, lambda g: (op(x, xp.ones_like(gamma), beta, eps, stats)[1](g)[0], *backward(g)[1:])


@wrong(OTHERS)
def mean_given_variance_computed(x, gamma, beta, *, eps=1e-5, stats=None):
    if stats is not None:
        stats = stats[0], channel_stats(x)[1]
    return op(x, gamma, beta, eps, stats)


@wrong(OTHERS)
def statistics_written_to(x, gamma, beta, *, eps=1e-5, stats=None):
    made = op(x, gamma, beta, eps, stats)
    if stats is not None:
        stats[1][...] += eps
    return made


@wrong(VECTORS)
def saved_on_the_function(x, gamma, beta, *, eps=1e-5, stats=None):
    axes, m, x_hat, scale = parts(x, eps, stats)
    saved_on_the_function.kept = axes, m, x_hat, scale, gamma
    return x_hat * gamma + beta, lambda g: back(g, *saved_on_the_function.kept)


@wrong(VECTORS)
def saved_as_a_default(x, gamma, beta, *, eps=1e-5, stats=None, kept=KEPT):
    axes, m, x_hat, scale = parts(x, eps, stats)
    kept[x.shape] = axes, m, x_hat, scale, gamma
    return x_hat * gamma + beta, lambda g: back(g, *kept[x.shape])


@wrong(VECTORS)
def gradients_added_up(x, gamma, beta, *, eps=1e-5, stats=None):
    """As .grad does: what an engine is for."""
    y, backward = op(x, gamma, beta, eps, stats)
    total = [0, 0, 0]

    def added(g):
        for i, part in enumerate(backward(g)):
            total[i] = total[i] + part
        return tuple(total)

    return y, added


@wrong(CONSTANT)
def eps_left_out_of_the_gradient(x, gamma, beta, *, eps=1e-5, stats=None):
    """1 / sqrt(var) in backward: almost the same if eps is small."""
    y, backward = op(x, gamma, beta, eps, stats)
    with numpy.errstate(all="ignore"):
        ratio = xp.sqrt((channel_stats(x)[1] + eps) / channel_stats(x)[1])
        return y, lambda g: (backward(g)[0] * ratio, *backward(g)[1:])


@wrong(CONSTANT)
def no_gradient_for_constant_channels(x, gamma, beta, *, eps=1e-5, stats=None):
    y, backward = op(x, gamma, beta, eps, stats)
    varies = channel_stats(x)[1] > 1e-12
    return y, lambda g: (backward(g)[0] * varies, *backward(g)[1:])


@wrong(ZEROS)
def x_hat_from_the_result(x, gamma, beta, *, eps=1e-5, stats=None):
    axes, m, _, scale = parts(x, eps, stats)
    y, _ = op(x, gamma, beta, eps, stats)
    with numpy.errstate(all="ignore"):
        x_hat = (y - beta) / gamma
    return y, lambda g: back(g, axes, m, x_hat, scale, gamma)


@wrong(ZEROS)
def gamma_of_0_counts_as_1(x, gamma, beta, *, eps=1e-5, stats=None):
    return op(x, xp.where(gamma == 0, 1, gamma).astype(gamma.dtype), beta, eps, stats)


@wrong(EQUAL)
def means_over_axes_of_another_size(x, gamma, beta, *, eps=1e-5, stats=None):
    axes, m, x_hat, scale = parts(x, eps, stats)
    others = tuple(i for i, size in enumerate(x.shape) if size != x.shape[-1]) or axes[:1]
    return x_hat * gamma + beta, lambda g: back(g, others, m, x_hat, scale, gamma)


@wrong(FEW)
def squeezed(x, gamma, beta, *, eps=1e-5, stats=None):
    y, backward = op(x, gamma, beta, eps, stats)
    return y, lambda g: tuple(part.squeeze() for part in backward(g))


@wrong(REFUSED)
def refused_by_the_batch_only(x, gamma, beta, *, eps=1e-5, stats=None):
    if x.ndim == 4 and x.size == x.shape[-1] > 1:
        raise ValueError("one value")
    axes, m = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    mean, var = channel_stats(x) if stats is None else stats
    scale = 1 / xp.sqrt(var + eps)
    x_hat = (x - mean) * scale
    return x_hat * gamma + beta, lambda g: back(g, axes, m, x_hat, scale, gamma)


@wrong(REFUSED)
def one_value_with_statistics(x, gamma, beta, *, eps=1e-5, stats=None):
    if x.size == x.shape[-1] and stats is not None:
        return (x - stats[0]) / xp.sqrt(stats[1] + eps) * gamma + beta, None
    return op(x, gamma, beta, eps, stats)


@wrong(EPS)
def eps_added_twice(x, gamma, beta, *, eps=1e-5, stats=None):
    return op(x, gamma, beta, 2 * eps, stats)


@wrong(FEW)
def two_values_are_unbiased(x, gamma, beta, *, eps=1e-5, stats=None):
    m = x.size // x.shape[-1]
    if stats is None and m == 2:
        mean, var = channel_stats(x)
        stats = mean, 2 * var
    return op(x, gamma, beta, eps, stats)


@wrong(IMAGES)
def backward_over_one_image(x, gamma, beta, *, eps=1e-5, stats=None):
    """The sums are those of the first image, times the number of images."""
    axes, m, x_hat, scale = parts(x, eps, stats)

    def backward(g):
        _, g_gamma, g_beta = back(g, axes, m, x_hat, scale, gamma)
        near = [(part[:1]).sum(axis=axes) * len(x) / m for part in (g, g * x_hat)]
        return gamma * scale * (g - near[0] - x_hat * near[1]), g_gamma, g_beta

    return x_hat * gamma + beta, backward


@wrong(VECTORS)
def no_backward(x, gamma, beta, *, eps=1e-5, stats=None):
    return op(x, gamma, beta, eps, stats)[0]
