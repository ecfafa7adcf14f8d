"""Strange solutions of 07d."""

from functools import lru_cache, partial

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

GIVEN = "test_the_statistics_are_those_that_are_given"
EPS = "test_eps_is_added_inside_the_root"
PATH = "test_the_gradient_of_x_has_one_path"
EQUAL = "test_as_many_images_and_pixels_as_channels"
ONE = "test_there_may_be_one_channel_or_one_vector"
ZEROS = "test_gamma_and_the_variance_may_be_0"
PARTS = "test_mean_and_var_may_be_parts_of_a_larger_array"
CHANGE = "test_mean_and_var_may_change_between_two_calls"
UNCHANGED = "test_mean_and_var_stay_unchanged"

# Defaults that all calls share.
KEPT = {}


def op(x, gamma, beta, mean, var, eps):
    scale = 1 / xp.sqrt(var + eps)
    x_hat = (x - mean) * scale
    return x_hat * gamma + beta, partial(back, x_hat, gamma * scale)


def back(x_hat, slope, g):
    axes = tuple(range(g.ndim - 1))
    return g * slope, (g * x_hat).sum(axis=axes), g.sum(axis=axes)


@right
def diagonal_matrix(x, gamma, beta, *, mean, var, eps=1e-5):
    root = (var + eps) ** 0.5
    matrix = xp.diag(gamma / root)
    rows = x.reshape(-1, len(gamma))

    def backward(g):
        g_rows = g.reshape(rows.shape)
        return (
            (g_rows @ matrix).reshape(x.shape),
            xp.diagonal(g_rows.T @ ((rows - mean) / root)).copy(),
            xp.ones(len(rows), g.dtype) @ g_rows,
        )

    return ((rows - mean) @ matrix + beta).reshape(x.shape), backward


class Frozen:
    """An op that is an object: forward once, then backward."""

    def __init__(self, gamma, mean, var, eps):
        self.gamma, self.mean = gamma, mean
        self.root = xp.sqrt(xp.add(var, eps))

    def forward(self, x, beta):
        self.x_hat = xp.divide(xp.subtract(x, self.mean), self.root)
        return xp.add(xp.multiply(self.gamma, self.x_hat), beta)

    def __call__(self, g):
        axes = (*range(g.ndim - 1),)
        g_gamma = xp.add.reduce(xp.multiply(g, self.x_hat), axis=axes)
        return xp.divide(g * self.gamma, self.root), g_gamma, xp.add.reduce(g, axis=axes)


@right
def object_of_each_call(x, gamma, beta, *, mean, var, eps=1e-5):
    frozen = Frozen(gamma, mean, var, eps)
    return frozen.forward(x, beta), frozen


@right
def by_einsum(x, gamma, beta, *, mean, var, eps=1e-5):
    scale = (var + eps) ** -0.5
    x_hat = xp.einsum("...c,c->...c", x - mean, scale)
    y = xp.einsum("...c,c->...c", x_hat, gamma) + beta

    def backward(g):
        g_x = xp.einsum("...c,c,c->...c", g, gamma, scale)
        rows = g.reshape(-1, len(gamma))
        g_gamma = xp.einsum("mc,mc->c", rows, x_hat.reshape(rows.shape))
        return g_x, g_gamma, xp.einsum("mc->c", rows)

    return y, backward


@right
def image_by_image(x, gamma, beta, *, mean, var, eps=1e-5):
    made = [op(image, gamma, beta, mean, var, eps) for image in x[:, None]]

    def backward(g):
        found = [its(part) for (_, its), part in zip(made, g[:, None])]
        g_x, g_gamma, g_beta = zip(*found)
        return xp.concatenate(g_x), sum(g_gamma), sum(g_beta)

    return xp.concatenate([y for y, _ in made]), backward


@right
def x_hat_again_in_backward(x, gamma, beta, *, mean, var, eps=1e-5):
    """Saves copies of the inputs only."""
    own, its_mean, its_var = x.copy(), mean.copy(), var.copy()
    y, _ = op(x, gamma, beta, mean, var, eps)
    return y, lambda g: op(own, gamma, beta, its_mean, its_var, eps)[1](g)


@wrong(CHANGE)
def scale_kept_by_id(x, gamma, beta, *, mean, var, eps=1e-5, kept=KEPT):
    if len(kept) > 1:
        kept.clear()
    key = id(mean), id(var)
    if key not in kept:
        kept[key] = mean, var, mean.copy(), var.copy()
    return op(x, gamma, beta, *kept[key][2:], eps)


@wrong(PATH)
def saved_on_the_function(x, gamma, beta, *, mean, var, eps=1e-5):
    y, saved_on_the_function.back = op(x, gamma, beta, mean, var, eps)
    return y, lambda g: saved_on_the_function.back(g)


@lru_cache
def _slopes(gamma, var, eps):
    return numpy.array(gamma) / (numpy.array(var) + 1e-5) ** 0.5


@wrong(EPS)
def eps_fixed(x, gamma, beta, *, mean, var, eps=1e-5):
    slope = _slopes(tuple(gamma.tolist()), tuple(var.tolist()), eps).astype(x.dtype)
    _, backward = op(x, gamma, beta, mean, var, 1e-5)
    return (x - mean) * slope + beta, lambda g: (g * slope, *backward(g)[1:])


@wrong(EPS)
def eps_only_if_needed(x, gamma, beta, *, mean, var, eps=1e-5):
    return op(x, gamma, beta, mean, var, eps if eps > 1e-4 or (var == 0).any() else 0.0)


@wrong(ZEROS)
def variance_of_0_is_no_scale(x, gamma, beta, *, mean, var, eps=1e-5):
    return op(x, gamma, beta, mean, xp.where(var == 0, 1 - eps, var).astype(var.dtype), eps)


@wrong(ZEROS)
def x_hat_from_the_result(x, gamma, beta, *, mean, var, eps=1e-5):
    y, backward = op(x, gamma, beta, mean, var, eps)

    def from_y(g):
        with numpy.errstate(all="ignore"):
            x_hat = (y - beta) / gamma
        return backward(g)[0], (g * x_hat).sum(axis=tuple(range(g.ndim - 1))), backward(g)[2]

    return y, from_y


@wrong(ZEROS)
def fast_way_for_new_statistics(x, gamma, beta, *, mean, var, eps=1e-5):
    """Statistics that are 0 and 1 leave x alone, except for eps, and for gamma in backward."""
    if not mean.any() and (var == 1).all():
        axes = tuple(range(x.ndim - 1))
        return x * gamma + beta, lambda g: (g, (g * x).sum(axis=axes), g.sum(axis=axes))
    return op(x, gamma, beta, mean, var, eps)


@wrong(EQUAL)
def vectors_transposed_if_square(x, gamma, beta, *, mean, var, eps=1e-5):
    if x.ndim == 2 and x.shape[0] == x.shape[1]:
        y, backward = op(x.T, gamma, beta, mean, var, eps)
        return y.T, lambda g: (backward(g.T)[0].T, *backward(g.T)[1:])
    return op(x, gamma, beta, mean, var, eps)


@wrong(EQUAL)
def sums_over_axes_of_another_size(x, gamma, beta, *, mean, var, eps=1e-5):
    y, backward = op(x, gamma, beta, mean, var, eps)
    axes = tuple(i for i, size in enumerate(x.shape) if size != len(gamma))
    scale = 1 / xp.sqrt(var + eps)
    return y, lambda g: (
        backward(g)[0],
        (g * (x - mean) * scale).sum(axis=axes),
        g.sum(axis=axes),
    )


@wrong(ONE)
def squeezed(x, gamma, beta, *, mean, var, eps=1e-5):
    y, backward = op(x, gamma, beta, mean, var, eps)
    return y, lambda g: tuple(part.squeeze() for part in backward(g))


@wrong(ONE)
def no_sum_for_one_vector(x, gamma, beta, *, mean, var, eps=1e-5):
    y, backward = op(x, gamma, beta, mean, var, eps)
    if len(x) == 1 and x.ndim == 2:
        return y, lambda g: (backward(g)[0], g * (x - mean) / xp.sqrt(var + eps), g)
    return y, backward


@wrong(PARTS)
def statistics_as_they_are_in_memory(x, gamma, beta, *, mean, var, eps=1e-5):
    c = len(gamma)
    mean, var = (numpy.lib.stride_tricks.as_strided(part, (c,), (abs(part.strides[0]),)) if part.strides[0] > 0
                 else part[::-1] for part in (mean, var))  # fmt: skip
    return op(x, gamma, beta, mean, var, eps)


@wrong(UNCHANGED)
def var_becomes_the_scale(x, gamma, beta, *, mean, var, eps=1e-5):
    """In place: saves an array."""
    own = var.copy()
    if var.flags.owndata and var.flags.writeable:
        var += eps
        numpy.sqrt(var, out=var)
    return op(x, gamma, beta, mean, own, eps)


@wrong(UNCHANGED)
def mean_moved_by_backward(x, gamma, beta, *, mean, var, eps=1e-5):
    y, backward = op(x, gamma, beta, mean.copy(), var, eps)

    def moving(g):
        if mean.flags.writeable and mean.flags.owndata:
            mean[...] += 0.1 * g.reshape(-1, len(mean)).mean(axis=0)
        return backward(g)

    return y, moving


@wrong(GIVEN)
def mean_of_the_batch_too(x, gamma, beta, *, mean, var, eps=1e-5):
    """Centred twice."""
    rows = x.reshape(-1, x.shape[-1])
    return op(x, gamma, beta, (mean + rows.mean(axis=0)) / 2, var, eps)


@wrong(PATH)
def mean_path_only(x, gamma, beta, *, mean, var, eps=1e-5):
    y, backward = op(x, gamma, beta, mean, var, eps)

    def centred(g):
        g_x, *others = backward(g)
        return g_x - g_x.mean(axis=tuple(range(g.ndim - 1))), *others

    return y, centred
