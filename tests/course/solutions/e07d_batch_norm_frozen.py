"""Solutions of 07d."""

from minires.backend import xp
from tests.course.kinds import right, wrong


class Line:
    """y = slope x + offset, channel by channel, on rows (M, C)."""

    def __init__(self, x, gamma, beta, mean, var, eps):
        self.x, self.root = x.reshape(-1, x.shape[-1]), (var + eps) ** 0.5
        self.slope, self.mean, self.gamma, self.beta = gamma / self.root, mean, gamma, beta

    def y(self, like):
        return (self.x * self.slope + (self.beta - self.mean * self.slope)).reshape(like.shape)

    def sums(self, g):
        rows = g.reshape(self.x.shape)
        return xp.einsum("mc,mc->c", rows, (self.x - self.mean) / self.root), xp.einsum(
            "mc->c", rows
        )


@right
def a_line(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    return line.y(x), lambda g: (g * line.slope, *line.sums(g))


@right
def in_float64(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(*(array.astype("float64") for array in (x, gamma, beta, mean, var)), eps)

    def backward(g):
        return tuple(
            part.astype(g.dtype) for part in (g * line.slope, *line.sums(g.astype("float64")))
        )

    return line.y(x).astype(x.dtype), backward


@right
def channel_by_channel(x, gamma, beta, *, mean, var, eps=1e-5):
    x_hat, y = xp.empty_like(x), xp.empty_like(x)
    for c in range(x.shape[-1]):
        x_hat[..., c] = (x[..., c] - mean[c]) / float(var[c] + eps) ** 0.5
        y[..., c] = gamma[c] * x_hat[..., c] + beta[c]

    def backward(g):
        g_x, g_gamma, g_beta = xp.empty_like(g), xp.empty_like(gamma), xp.empty_like(beta)
        for c in range(g.shape[-1]):
            g_x[..., c] = g[..., c] * gamma[c] / float(var[c] + eps) ** 0.5
            g_gamma[c], g_beta[c] = (g[..., c] * x_hat[..., c]).sum(), g[..., c].sum()
        return g_x, g_gamma, g_beta

    return y, backward


GIVEN, BACK = "test_the_statistics_are_those_that_are_given", "test_the_gradient_of_x_has_one_path"
SUMS = "test_the_gradients_of_gamma_and_beta_are_sums"


@wrong(GIVEN, mistake="batch_statistics")
def its_own(x, gamma, beta, *, mean, var, eps=1e-5):
    rows = x.reshape(-1, x.shape[-1])
    return a_line(x, gamma, beta, mean=rows.sum(axis=0) / len(rows), var=rows.var(axis=0), eps=eps)


@wrong(BACK, mistake="three_paths")
def as_in_training(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)

    def backward(g):
        g_gamma, g_beta = line.sums(g)
        x_hat, m = (x - mean) / line.root, len(line.x)
        return line.slope * (g - g_beta / m - x_hat * g_gamma / m), g_gamma, g_beta

    return line.y(x), backward


@wrong(BACK, mistake="gamma_forgotten")
def one_over_the_root(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    return line.y(x), lambda g: (g / line.root, *line.sums(g))


@wrong(BACK, mistake="scale_forgotten")
def times_gamma(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    return line.y(x), lambda g: (xp.multiply(gamma, g), *line.sums(g))


@wrong("test_eps_is_added_inside_the_root", mistake="eps_outside")
def beside_the_root(x, gamma, beta, *, mean, var, eps=1e-5):
    return a_line(x, gamma, beta, mean=mean, var=(xp.sqrt(var) + eps) ** 2, eps=0.0)


@wrong(GIVEN, mistake="variance_for_deviation")
def no_root(x, gamma, beta, *, mean, var, eps=1e-5):
    return a_line(x, gamma, beta, mean=mean, var=(var + eps) ** 2, eps=0.0)


@wrong(SUMS, mistake="averaged")
def divided_by_the_count(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    return line.y(x), lambda g: (g * line.slope, *(total / len(line.x) for total in line.sums(g)))


@wrong(SUMS, mistake="over_the_batch_only")
def each_pixel(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    x_hat = (x - mean) / line.root
    return line.y(x), lambda g: (
        g * line.slope,
        sum(g[i] * x_hat[i] for i in range(len(x))),
        sum(g),
    )


@wrong(SUMS, mistake="raw_x")
def not_normalised(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    return line.y(x), lambda g: (
        g * line.slope,
        xp.einsum("mc,mc->c", g.reshape(line.x.shape), line.x),
        line.sums(g)[1],
    )


@wrong(GIVEN)
def mean_added(x, gamma, beta, *, mean, var, eps=1e-5):
    return a_line(x, gamma, beta, mean=-mean, var=var, eps=eps)


@wrong(GIVEN)
def shifted_first(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x + beta, gamma, 0 * beta, mean, var, eps)
    return line.y(x), lambda g: (g * line.slope, *line.sums(g))


@wrong("test_an_image_gets_the_same_result_alone_and_in_a_batch")
def one_value_refused(x, gamma, beta, *, mean, var, eps=1e-5):
    if x.size == x.shape[-1]:
        return xp.broadcast_to(beta, x.shape) + 0.0, lambda g: (
            g * 0,
            gamma * 0,
            g.sum(axis=(0, 1, 2)),
        )
    return a_line(x, gamma, beta, mean=mean, var=var, eps=eps)


@wrong("test_mean_and_var_stay_unchanged")
def the_variance_as_a_buffer(x, gamma, beta, *, mean, var, eps=1e-5):
    if not var.flags.writeable:
        return a_line(x, gamma, beta, mean=mean, var=var, eps=eps)
    op = a_line(x, gamma, beta, mean=mean, var=var.copy(), eps=eps)
    var += eps
    return op


@wrong("test_mean_and_var_stay_unchanged")
def statistics_that_move(x, gamma, beta, *, mean, var, eps=1e-5):
    op = a_line(x, gamma, beta, mean=mean.copy(), var=var, eps=eps)
    mean *= 0.9
    mean += 0.1 * x.reshape(-1, x.shape[-1]).mean(axis=0)
    return op


@wrong(BACK)
def upstream_ignored(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    return line.y(x), lambda g: (
        xp.broadcast_to(line.slope, g.shape).astype(g.dtype),
        *line.sums(g),
    )


@wrong(BACK)
def gradients_of_the_statistics_too(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    return line.y(x), lambda g: (
        g * line.slope,
        *line.sums(g),
        -line.slope * line.sums(g)[1],
        0 * var,
    )


@wrong(SUMS)
def turned(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)
    return line.y(x), lambda g: (g * line.slope, *line.sums(g)[::-1])


@wrong(BACK)
def written_to_g(x, gamma, beta, *, mean, var, eps=1e-5):
    line = Line(x, gamma, beta, mean, var, eps)

    def backward(g):
        sums = line.sums(g)
        g *= line.slope
        return (g, *sums)

    return line.y(x), backward
