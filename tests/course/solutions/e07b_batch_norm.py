"""Solutions of 07b."""

from minires.backend import xp
from minires.ops.norm import channel_stats
from tests.course.kinds import right, wrong


class Rows:
    """x as rows of channels (M, C), and its normalised values."""

    def __init__(self, x, gamma, beta, eps, stats):
        self.shape, self.gamma, self.beta = x.shape, gamma, beta
        self.x = x.reshape(-1, x.shape[-1])
        self.m = len(self.x)
        if self.m == 1:
            raise ValueError("one value has no variance")
        self.mean, self.var = stats or (self.x.mean(axis=0), self.x.var(axis=0))
        self.root = xp.sqrt(self.var + eps)
        self.x_hat = (self.x - self.mean) / self.root

    def y(self):
        return (self.x_hat * self.gamma + self.beta).reshape(self.shape)

    def rows(self, g):
        return g.reshape(-1, self.shape[-1])

    def sums(self, g):
        return (self.rows(g) * self.x_hat).sum(axis=0), self.rows(g).sum(axis=0)

    def by_paths(self, g, *, mean=True, var=True):
        """The gradient of x, path by path, of which two may be missing."""
        g_hat, distance = self.rows(g) * self.gamma, self.x - self.mean
        g_x = g_hat / self.root
        if mean:
            g_x = g_x - g_hat.sum(axis=0) / self.root / self.m
        if var:
            g_x = g_x - (g_hat * distance).sum(axis=0) * distance / self.root**3 / self.m
        return g_x.reshape(self.shape)

    def op(self, g_x=None):
        g_x = g_x or self.by_paths
        return self.y(), lambda g: (g_x(g), *self.sums(g))


@right
def path_by_path(x, gamma, beta, *, eps=1e-5, stats=None):
    return Rows(x, gamma, beta, eps, stats).op()


@right
def by_a_projection(x, gamma, beta, *, eps=1e-5, stats=None):
    """Each channel's gradient loses its share along (1, ..., 1) and along x_hat."""
    norm = Rows(x, gamma, beta, eps, stats)

    def backward(g):
        g_rows, g_x = norm.rows(g), xp.empty_like(norm.x)
        for c in range(g_rows.shape[1]):
            u = xp.stack([xp.ones_like(norm.x_hat[:, c]), norm.x_hat[:, c]])
            left = g_rows[:, c] - u.T @ (u @ g_rows[:, c]) / norm.m
            g_x[:, c] = gamma[c] / norm.root[c] * left
        return (
            g_x.reshape(x.shape),
            xp.einsum("mc,mc->c", g_rows, norm.x_hat),
            xp.einsum("mc->c", g_rows),
        )

    return norm.y(), backward


@right
def in_float64(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(*(array.astype("float64") for array in (x, gamma, beta)), eps, stats)
    y, wide = norm.op()

    def backward(g):
        return tuple(part.astype(g.dtype) for part in wide(g.astype("float64")))

    return y.astype(x.dtype), backward


@right
def folded_into_a_line(x, gamma, beta, *, eps=1e-5, stats=None):
    axes, m = tuple(range(x.ndim - 1)), x[..., 0].size
    if m < 2:
        raise ValueError(m)
    mean, var = channel_stats(x) if stats is None else stats
    slope = gamma / (var + eps) ** 0.5

    def backward(g):
        total, moment = g.sum(axes), (g * (x - mean)).sum(axes) / (var + eps)
        return slope * (g - (total + (x - mean) * moment) / m), moment * (var + eps) ** 0.5, total

    return (x - mean) * slope + beta, backward


VECTORS = "test_the_gradient_of_vectors_has_three_paths"
IMAGES = "test_the_gradient_of_images_has_three_paths"
SUMS = "test_the_gradients_of_gamma_and_beta_are_sums"
NORMALISED = "test_each_channel_is_normalised_scaled_and_shifted"


@wrong(VECTORS, mistake="variance_path_dropped")
def no_variance_path(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    return norm.op(lambda g: norm.by_paths(g, var=False))


@wrong(VECTORS, mistake="mean_path_dropped")
def no_mean_path(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    return norm.op(lambda g: norm.by_paths(g, mean=False))


@wrong(VECTORS, mistake="constants")
def straight_only(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    return norm.op(lambda g: g * (gamma / norm.root))


@wrong(VECTORS, mistake="gamma_forgotten")
def g_to_x_hat(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    y = norm.y()
    norm.gamma = xp.ones_like(gamma)
    return y, norm.op()[1]


@wrong(VECTORS, mistake="not_divided")
def sums_for_means(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    norm.m = 1
    return norm.op()


@wrong(VECTORS, mistake="over_everything")
def one_mean_for_all(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)

    def g_x(g):
        g_hat = norm.rows(g) * gamma
        shares = xp.sum(g_hat) / g_hat.size, xp.sum(g_hat * norm.x_hat) / g_hat.size
        return ((g_hat - shares[0] - norm.x_hat * shares[1]) / norm.root).reshape(g.shape)

    return norm.op(g_x)


@wrong(VECTORS, mistake="sign_lost")
def turned_round(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    return norm.op(lambda g: norm.by_paths(0 - g))


@wrong(SUMS, mistake="averaged")
def means_of_gradients(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    y = norm.y()
    return y, lambda g: (
        norm.by_paths(g),
        (norm.rows(g) * norm.x_hat).mean(axis=0),
        norm.rows(g).mean(axis=0),
    )


@wrong(SUMS, mistake="over_the_batch_only")
def of_each_pixel(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    x_hat = norm.x_hat.reshape(x.shape)
    return norm.y(), lambda g: (
        norm.by_paths(g),
        xp.einsum("n...,n...->...", g, x_hat),
        xp.add.reduce(g),
    )


@wrong("test_the_biased_variance_normalises", mistake="unbiased")
def less_one(x, gamma, beta, *, eps=1e-5, stats=None):
    axes, m = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    if m == 1:
        raise ValueError
    return path_by_path(
        x, gamma, beta, eps=eps, stats=stats or (x.mean(axis=axes), x.var(axis=axes, ddof=1))
    )


@wrong("test_eps_is_added_inside_the_root", mistake="eps_outside")
def eps_beside_the_root(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    norm.root = xp.sqrt(norm.var) + eps
    norm.x_hat = (norm.x - norm.mean) / norm.root
    return norm.op()


@wrong("test_statistics_that_are_given_are_not_computed_again", mistake="stats_ignored")
def always_its_own(x, gamma, beta, *, eps=1e-5, stats=None):
    return path_by_path(x, gamma, beta, eps=eps, stats=channel_stats(x))


@wrong("test_one_value_per_channel_is_refused")
def zeros_for_one_value(x, gamma, beta, *, eps=1e-5, stats=None):
    if x.size == x.shape[-1]:
        return beta + 0 * x, lambda g: (0 * g, 0 * gamma, g.sum(axis=tuple(range(g.ndim - 1))))
    return path_by_path(x, gamma, beta, eps=eps, stats=stats)


@wrong(IMAGES, mistake="divided_by_the_batch")
def images_for_values(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    norm.m = len(x)
    return norm.op()


@wrong(NORMALISED)
def not_shifted(x, gamma, beta, *, eps=1e-5, stats=None):
    y, backward = path_by_path(x, gamma, beta, eps=eps, stats=stats)
    return y - beta, backward


@wrong(NORMALISED)
def divided_by_the_variance(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    norm.x_hat = (norm.x - norm.mean) / (norm.var + eps)
    return norm.op()


@wrong(NORMALISED)
def float64_result(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x.astype("float64"), gamma, beta, eps, stats)
    return norm.op()


@wrong(NORMALISED)
def centred_in_place(x, gamma, beta, *, eps=1e-5, stats=None):
    op = path_by_path(x, gamma, beta, eps=eps, stats=stats)
    x -= channel_stats(x)[0]
    return op


@wrong(VECTORS)
def upstream_ignored(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    return norm.op(lambda g: norm.by_paths(xp.ones_like(g)))


@wrong(SUMS)
def raw_x_for_gamma(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    return norm.y(), lambda g: (
        norm.by_paths(g),
        (norm.rows(g) * norm.x).sum(axis=0),
        norm.rows(g).sum(axis=0),
    )


@wrong(SUMS)
def gradients_turned(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)
    return norm.y(), lambda g: (norm.by_paths(g), *norm.sums(g)[::-1])


@wrong("test_a_channel_of_equal_values_has_a_gradient_too")
def divided_by_a_bare_variance(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)

    def g_x(g):
        g_hat, distance = norm.rows(g) * gamma, norm.x - norm.mean
        with xp.errstate(all="ignore"):
            pull = distance * (g_hat * distance).mean(axis=0) / norm.var * (norm.var / norm.root**2)
        return ((g_hat - g_hat.mean(axis=0) - pull) / norm.root).reshape(g.shape)

    return norm.op(g_x)


@wrong(VECTORS)
def variance_path_by_the_root(x, gamma, beta, *, eps=1e-5, stats=None):
    """1 / root in the place of 1 / root^3, which is the same where the variance is 1."""
    norm = Rows(x, gamma, beta, eps, stats)

    def g_x(g):
        g_hat, distance = norm.rows(g) * gamma, norm.x - norm.mean
        return (
            (g_hat - g_hat.mean(axis=0) - distance * (g_hat * distance).mean(axis=0)) / norm.root
        ).reshape(g.shape)

    return norm.op(g_x)


@wrong(VECTORS)
def written_to_g(x, gamma, beta, *, eps=1e-5, stats=None):
    norm = Rows(x, gamma, beta, eps, stats)

    def backward(g):
        sums = norm.sums(g)
        g_x = norm.by_paths(g)
        g *= gamma
        return (g_x, *sums)

    return norm.y(), backward
