"""Strange solutions of 07e."""

import math

import numpy

from minires.backend import xp
from minires.course.answers.e07e_three_paths import hunted
from minires.ops.norm import channel_stats
from tests.course.kinds import right, wrong

RESULT, SUMS = "test_the_result_stays_right", "test_the_gradients_of_gamma_and_beta_stay_right"
GIVEN = "test_the_gradient_is_right_with_given_statistics_of_x"
EQUAL = "test_the_gradient_is_right_for_equal_sizes_and_sizes_of_1"
VECTORS, IMAGES = "test_the_gradient_of_vectors_is_right", "test_the_gradient_of_images_is_right"

# Defaults that all calls share.
SAVED = []


def norm(x, gamma, beta, eps, stats, m, *, g_m=None):
    """The function as provided, with m, and a different one in the mean's path."""
    axes = tuple(range(x.ndim - 1))
    mean, var = channel_stats(x) if stats is None else stats
    scale = 1 / xp.sqrt(var + eps)
    distance = x - mean

    def backward(g):
        g_hat = g * gamma
        g_var = -0.5 * scale**3 * (g_hat * distance).sum(axis=axes)
        g_mean = -scale * g_hat.sum(axis=axes)
        g_x = scale * g_hat + g_var * 2 * distance / m + g_mean / (g_m or m)
        return g_x, (g * distance * scale).sum(axis=axes), g.sum(axis=axes)

    return distance * scale * gamma + beta, backward


@right
def by_math_prod(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, math.prod(x.shape[:-1]))


@right
def counted_in_one_channel(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, sum(1 for _ in x[..., 0].flat))


@right
def a_float(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, x.size / gamma.size)


@right
def rows_first(x, gamma, beta, *, eps=1e-5, stats=None):
    """x as vectors, for which the function as provided is right."""
    y, backward = hunted(x.reshape(-1, x.shape[-1]), gamma, beta, eps=eps, stats=stats)

    def reshaped(g):
        g_x, g_gamma, g_beta = backward(g.reshape(-1, g.shape[-1]))
        return g_x.reshape(x.shape), g_gamma, g_beta

    return y.reshape(x.shape), reshaped


@right
def m_at_backward(x, gamma, beta, *, eps=1e-5, stats=None):
    y, _ = hunted(x, gamma, beta, eps=eps, stats=stats)
    own = x.copy()
    return y, lambda g: norm(own, gamma, beta, eps, stats, int(g.size) // int(g.shape[-1]))[1](g)


@wrong(VECTORS)
def three_axes_always(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, math.prod(x.shape[:3]))


@wrong(IMAGES)
def fixed_in_the_variance_only(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, x.size // x.shape[-1], g_m=len(x))


@wrong(IMAGES)
def fixed_in_the_mean_only(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, len(x), g_m=x.size // x.shape[-1])


@wrong(GIVEN)
def constants_if_given(x, gamma, beta, *, eps=1e-5, stats=None):
    y, backward = norm(x, gamma, beta, eps, stats, x.size // x.shape[-1])
    if stats is None:
        return y, backward
    slope = gamma / xp.sqrt(stats[1] + eps)
    return y, lambda g: (g * slope, *backward(g)[1:])


@wrong(GIVEN)
def fixed_without_statistics_only(x, gamma, beta, *, eps=1e-5, stats=None):
    m = len(x) if stats is not None else x.size // x.shape[-1]
    return norm(x, gamma, beta, eps, stats, m)


@wrong(EQUAL)
def sizes_other_than_that_of_the_channels(x, gamma, beta, *, eps=1e-5, stats=None):
    m = math.prod(size for size in x.shape if size != len(gamma))
    return norm(x, gamma, beta, eps, stats, m)


@wrong(IMAGES)
def height_squared(x, gamma, beta, *, eps=1e-5, stats=None):
    m = len(x) * (x.shape[1] ** 2 if x.ndim == 4 else 1)
    return norm(x, gamma, beta, eps, stats, m)


@wrong(IMAGES)
def hard_coded(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, 30 if x.ndim == 4 else 7)


@wrong(EQUAL)
def at_least_two_values(x, gamma, beta, *, eps=1e-5, stats=None):
    """The number of images where there is only a row of them."""
    m = x.size // x.shape[-1]
    return norm(x, gamma, beta, eps, stats, m if min(x.shape[1:]) > 1 else len(x))


@wrong(VECTORS)
def numpy_integer(x, gamma, beta, *, eps=1e-5, stats=None):
    """A numpy.int64 makes float64 of float32 gradients."""
    return norm(x, gamma, beta, eps, stats, numpy.prod(x.shape[:-1]))


@wrong(VECTORS)
def m_on_the_function(x, gamma, beta, *, eps=1e-5, stats=None):
    y, _ = norm(x, gamma, beta, eps, stats, 1)
    m_on_the_function.m = x.size // x.shape[-1]

    def shared(g):
        return norm(x, gamma, beta, eps, stats, m_on_the_function.m)[1](g)

    return y, shared


@wrong(VECTORS)
def saved_in_a_list(x, gamma, beta, *, eps=1e-5, stats=None, saved=SAVED):
    y, backward = norm(x, gamma, beta, eps, stats, x.size // x.shape[-1])
    saved[:] = [backward]
    return y, lambda g: saved[0](g)


@wrong(VECTORS)
def variance_path_without_its_sign(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, -(x.size // x.shape[-1]), g_m=x.size // x.shape[-1])


@wrong(SUMS)
def gamma_by_the_raw_distance(x, gamma, beta, *, eps=1e-5, stats=None):
    y, backward = norm(x, gamma, beta, eps, stats, x.size // x.shape[-1])
    scale = 1 / xp.sqrt((channel_stats(x) if stats is None else stats)[1] + eps)
    return y, lambda g: (backward(g)[0], backward(g)[1] / scale, backward(g)[2])


@wrong(RESULT)
def result_by_images_too(x, gamma, beta, *, eps=1e-5, stats=None):
    """The statistics are changed to suit m."""
    mean, var = channel_stats(x) if stats is None else stats
    m = x.size // x.shape[-1]
    return norm(x, gamma, beta, eps, (mean, var * (len(x) / m)), m)
