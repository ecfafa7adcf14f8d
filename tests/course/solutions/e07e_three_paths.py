"""Solutions of 07e: mended ones, and ones that were mended in the wrong place."""

from minires.backend import xp
from minires.ops.norm import channel_stats
from tests.course.kinds import right, wrong


def norm(x, gamma, beta, eps, stats, m, *, g_x=None, result=None):
    """By rows (M, C). g_x(g_hat, distance, root, m) where it differs from the right one"""
    shape, x = x.shape, x.reshape(-1, x.shape[-1])
    mean, var = channel_stats(x) if stats is None else stats
    root, distance = (var + eps) ** 0.5, x - mean
    g_x = g_x or (lambda g_hat, distance, root, m: by_paths(g_hat, distance, root, m))

    def backward(g):
        g = g.reshape(x.shape)
        return (
            g_x(g * gamma, distance, root, m).reshape(shape),
            (g * distance / root).sum(axis=0),
            g.sum(axis=0),
        )

    return (distance / root * gamma + beta).reshape(shape), backward


def by_paths(g_hat, distance, root, m, mean=1, var=1):
    return (
        g_hat / root
        - mean * (g_hat / root).sum(axis=0) / m
        - var * (g_hat * distance).sum(axis=0) * distance / root**3 / m
    )


@right
def by_the_size(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, x.size // x.shape[-1])


@right
def by_the_shape(x, gamma, beta, *, eps=1e-5, stats=None):
    m = 1
    for size in x.shape[:-1]:
        m *= size
    return norm(x, gamma, beta, eps, stats, m)


@right
def means_without_m(x, gamma, beta, *, eps=1e-5, stats=None):
    def g_x(g_hat, distance, root, _):
        return (
            g_hat - g_hat.mean(axis=0) - distance * (g_hat * distance).mean(axis=0) / root**2
        ) / root

    return norm(x, gamma, beta, eps, stats, None, g_x=g_x)


@right
def in_float64(x, gamma, beta, *, eps=1e-5, stats=None):
    y, wide = norm(
        *(array.astype("float64") for array in (x, gamma, beta)), eps, stats, x[..., 0].size
    )
    return y.astype(x.dtype), lambda g: tuple(
        part.astype(g.dtype) for part in wide(g.astype("float64"))
    )


IMAGES, VECTORS = "test_the_gradient_of_images_is_right", "test_the_gradient_of_vectors_is_right"


@wrong(VECTORS, mistake="every_number")
def channels_counted(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, len(x.reshape(-1)))


@wrong(IMAGES, mistake="pixels_only")
def of_one_image(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, x[..., 0].size // len(x))


@wrong(IMAGES, mistake="rows_only")
def two_axes(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, xp.ones(x.shape[:-1][:2]).sum().item())


@wrong(VECTORS, mistake="less_one")
def one_degree_less(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, x[..., -1].size - 1)


@wrong(VECTORS, mistake="mean_path_dropped")
def no_mean(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(
        x, gamma, beta, eps, stats, x[..., 0].size, g_x=lambda *parts: by_paths(*parts, mean=0)
    )


@wrong(VECTORS, mistake="variance_path_dropped")
def no_variance(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(
        x, gamma, beta, eps, stats, x[..., 0].size, g_x=lambda *parts: by_paths(*parts, var=0)
    )


@wrong(VECTORS, mistake="squared")
def a_root_too_few(x, gamma, beta, *, eps=1e-5, stats=None):
    def g_x(g_hat, distance, root, m):
        return by_paths(g_hat, distance, root, m, var=root)

    return norm(x, gamma, beta, eps, stats, x[..., 0].size, g_x=g_x)


@wrong(VECTORS, mistake="half_lost")
def twice_as_much(x, gamma, beta, *, eps=1e-5, stats=None):
    def g_x(g_hat, distance, root, m):
        return by_paths(g_hat, distance, root, m, var=2)

    return norm(x, gamma, beta, eps, stats, x[..., 0].size, g_x=g_x)


@wrong(IMAGES)
def the_batch_still(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, x.shape[0])


@wrong(VECTORS)
def no_m_at_all(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, stats, 1)


@wrong("test_the_result_stays_right")
def the_variance_made_unbiased(x, gamma, beta, *, eps=1e-5, stats=None):
    mean, var = channel_stats(x) if stats is None else stats
    m = x[..., 0].size
    return norm(x, gamma, beta, eps, (mean, var * m / (m - 1)), m)


@wrong(VECTORS)
def the_mean_path_doubled(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(
        x, gamma, beta, eps, stats, x[..., 0].size, g_x=lambda *parts: by_paths(*parts, mean=2)
    )


@wrong("test_the_gradients_of_gamma_and_beta_stay_right")
def the_sums_divided(x, gamma, beta, *, eps=1e-5, stats=None):
    m = x.size // x.shape[-1]
    y, backward = norm(x, gamma, beta, eps, stats, m)
    return y, lambda g: tuple(part / k for part, k in zip(backward(g), (1, m, m)))


@wrong("test_given_statistics_are_used")
def its_own_statistics(x, gamma, beta, *, eps=1e-5, stats=None):
    return norm(x, gamma, beta, eps, None, x[..., 0].size)
