"""Solutions of 07a."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def rows(x):
    return x.reshape(-1, x.shape[-1])


@right
def by_rows(x):
    values = rows(x)
    mean = values.sum(axis=0) / len(values)
    return mean, ((values - mean) ** 2).sum(axis=0) / len(values)


@right
def by_numpy(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes), x.var(axis=axes)


@right
def channel_by_channel(x):
    means, variances = [], []
    for c in range(x.shape[-1]):
        values = x[..., c].astype("float64")
        means.append(values.sum() / values.size)
        variances.append(((values - means[-1]) ** 2).sum() / values.size)
    return xp.array(means, dtype=x.dtype), xp.array(variances, dtype=x.dtype)


@right
def by_products(x):
    values = rows(x).astype("float64")
    share = xp.full(len(values), 1 / len(values))
    mean = share @ values
    return mean.astype(x.dtype), xp.einsum(
        "i,ic,ic->c", share, values - mean, values - mean
    ).astype(x.dtype)


VECTORS = "test_each_channel_of_vectors_has_its_own"
IMAGES = "test_images_are_averaged_over_their_pixels_too"
COUNT = "test_the_variance_is_divided_by_the_number_of_values"


@wrong("test_far_from_0_no_digits_are_lost", mistake="one_pass")
def squares_less_the_square(x):
    values = rows(x)
    m = len(values)
    return values.sum(axis=0) / m, xp.einsum("ic,ic->c", values, values) / m - (
        values.sum(axis=0) / m
    ) ** 2


@wrong(IMAGES, mistake="over_the_batch_only")
def each_pixel(x):
    mean = sum(x[i] for i in range(len(x))) / len(x)
    return mean, sum((x[i] - mean) ** 2 for i in range(len(x))) / len(x)


@wrong(VECTORS, mistake="over_everything")
def one_for_all(x):
    mean = xp.mean(x)
    return mean, xp.sum((x - mean) ** 2) / x.size


@wrong(IMAGES, mistake="of_each_image")
def instance(x):
    values = x.reshape(len(x), -1, x.shape[-1])
    mean = values.sum(axis=1) / values.shape[1]
    return mean, ((values - mean[:, None]) ** 2).sum(axis=1) / values.shape[1]


@wrong(COUNT, mistake="unbiased")
def less_one(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes), x.var(axis=axes, ddof=1)


@wrong(VECTORS, mistake="deviation")
def root(x):
    mean, var = by_rows(x)
    return mean, xp.sqrt(var)


@wrong(VECTORS, mistake="around_0")
def of_the_squares(x):
    values = rows(x)
    return values.mean(axis=0), (values**2).sum(axis=0) / len(values)


@wrong(IMAGES, mistake="divided_by_the_batch")
def over_n(x):
    values, n = rows(x), x.shape[0]
    mean = values.sum(axis=0) / n
    return mean, xp.square(values - mean).sum(axis=0) / n


@wrong("test_any_number_of_axes_may_come_before_the_channels", crashes=True)
def four_axes(x):
    axes = (0, 1, 2)[: x.ndim - 1] if x.ndim == 2 else (0, 1, 2)
    return x.mean(axis=axes), x.var(axis=axes)


@wrong(IMAGES)
def channels_first(x):
    axes = (0, *range(2, x.ndim))
    return x.mean(axis=axes), x.var(axis=axes)


@wrong(VECTORS)
def turned(x):
    mean, var = by_rows(x)
    return var, mean


@wrong(IMAGES)
def float64_sums(x):
    values = rows(x).astype("float64")
    return values.mean(axis=0), values.var(axis=0)


@wrong(IMAGES)
def mean_of_variances(x):
    values = x.reshape(len(x), -1, x.shape[-1])
    return values.mean(axis=(0, 1)), values.var(axis=1).mean(axis=0)


@wrong(VECTORS)
def kept_axes(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)


@wrong(VECTORS)
def subtracted_in_place(x):
    values = rows(x)
    mean = values.mean(axis=0)
    values -= mean
    return mean, (values * values).mean(axis=0)


@wrong(VECTORS)
def eps_added(x):
    mean, var = by_rows(x)
    return mean, var + 1e-5


@wrong("test_elements_may_be_in_any_order_in_memory")
def as_it_lies_in_memory(x):
    values = x.ravel(order="K").reshape(-1, x.shape[-1])
    return values.mean(axis=0), values.var(axis=0)


@wrong(VECTORS)
def absolute_distances(x):
    mean, _ = by_rows(x)
    return mean, abs(rows(x) - mean).mean(axis=0) ** 2
