"""Solutions of 06d."""

from minires.backend import xp
from tests.course.kinds import right, wrong

ONE = "test_one_number_for_each_channel"
OWN = "test_each_image_has_its_own"
SHARE = "test_each_pixel_gets_its_share"
PIXEL, KEPT = "test_an_image_of_one_pixel_is_its_own_mean", "test_only_a_shape_is_saved"


def pooled(x, y, share):
    """share(g) for each pixel."""
    shape = x.shape
    return y, lambda g: (xp.zeros(shape, g.dtype) + share(g)[:, None, None, :],)


def means(x):
    n, h, w, c = x.shape
    return x.reshape(n, h * w, c).mean(axis=1)


@right
def flattened(x):
    count = x.shape[1] * x.shape[2]
    return pooled(x, means(x), lambda g: g / count)


@right
def by_loops(x):
    n, h, w, c = shape = x.shape
    y = xp.zeros((n, c), x.dtype)
    for i, j in xp.ndindex(h, w):
        y += x[:, i, j] / (h * w)

    def backward(g):
        g_x = xp.empty(shape, g.dtype)
        for i, j in xp.ndindex(h, w):
            g_x[:, i, j] = g / (h * w)
        return (g_x,)

    return y, backward


@right
def one_axis_after_the_other(x):
    _, h, w, _ = x.shape
    return x.mean(axis=2).mean(axis=1), lambda g: (xp.tile(g[:, None, None] / h / w, (1, h, w, 1)),)


@right
def as_a_product_in_float64(x):
    n, h, w, c = shape = x.shape
    weights = xp.full(h * w, 1 / (h * w))

    def backward(g):
        return ((weights[:, None] * g[:, None].astype("float64")).reshape(shape).astype(g.dtype),)

    return xp.einsum("k,nkc->nc", weights, x.reshape(n, h * w, c).astype("float64")).astype(
        x.dtype
    ), backward


@wrong(ONE, mistake="summed")
def means_undone(x):
    return pooled(x, means(x) * (x.shape[1] * x.shape[2]), lambda g: g)


@wrong(SHARE, mistake="gradient_not_divided")
def all_to_each(x):
    return pooled(x, means(x), lambda g: 1 * g)


@wrong(SHARE, mistake="gradient_divided_by_one_side")
def by_the_height(x):
    height = float(x.shape[1])
    return pooled(x, means(x), lambda g: g * (1 / height))


@wrong(SHARE, mistake="gradient_divided_by_the_batch")
def by_all_but_channels(x):
    count = x.size // x.shape[-1]
    return pooled(x, means(x), lambda g: g / count)


@wrong(ONE, mistake="axes_kept")
def one_pixel_left(x):
    n, h, w, c = x.shape
    op = flattened(x)
    return op[0].reshape(n, 1, 1, c), lambda g: op[1](g.reshape(n, c))


@wrong(ONE, mistake="channels_first")
def last_two_axes(x):
    n, h, w, c = x.shape
    return x.reshape(n, h, w * c).mean(axis=2), lambda g: (
        xp.zeros((n, h, w, c), g.dtype) + g[:, :, None, None] / (w * c),
    )


@wrong(OWN, mistake="over_the_batch")
def one_mean_for_all(x):
    total = len(x) * x.shape[1] * x.shape[2]
    return pooled(
        x, means(x) * 0 + x.mean(axis=(0, 1, 2)), lambda g: (0 * g + g.sum(axis=0)) / total
    )


@wrong(ONE, mistake="largest")
def maxima(x):
    n, h, w, c = shape = x.shape
    rows = x.reshape(n, h * w, c)
    first = rows.argmax(axis=1)

    def backward(g):
        g_x = xp.zeros((n, h * w, c), g.dtype)
        xp.put_along_axis(g_x, first[:, None], g[:, None], axis=1)
        return (g_x.reshape(shape),)

    return rows.max(axis=1), backward


@wrong(SHARE, mistake="not_stretched")
def a_pixel_only(x):
    count = x.shape[1] * x.shape[2]
    return means(x), lambda g: (xp.expand_dims(g, (1, 2)) / count,)


@wrong(KEPT, mistake="x_kept")
def ones_like_x(x):
    count = x.shape[1] * x.shape[2]
    return means(x), lambda g: (xp.ones_like(x) * (g / count)[:, None, None],)


@wrong(KEPT)
def weights_kept(x):
    n, h, w, c = x.shape
    share = xp.full(x.shape, 1 / (h * w), x.dtype)
    return means(x), lambda g: (share * g[:, None, None],)


@wrong(ONE)
def over_rows_only(x):
    count, shape = x.shape[1], x.shape
    return x.mean(axis=1)[:, 0], lambda g: (xp.zeros(shape, g.dtype) + g[:, None, None] / count,)


@wrong(ONE)
def over_everything(x):
    n, h, w, c = x.shape
    return xp.repeat(x.mean(axis=(1, 2, 3))[:, None], c, axis=1), flattened(x)[1]


@wrong(ONE)
def float64_result(x):
    op = flattened(x)
    return op[0].astype("float64"), op[1]


@wrong(ONE)
def one_less(x):
    count = x.shape[1] * x.shape[2]
    return pooled(x, x.sum(axis=(1, 2)) / max(count - 1, 1), lambda g: g / max(count - 1, 1))


@wrong(SHARE)
def upstream_ignored(x):
    count = x.shape[1] * x.shape[2]
    return pooled(x, means(x), lambda g: 0 * g + 1 / count)


@wrong(SHARE)
def first_pixel_gets_all(x):
    shape = x.shape

    def backward(g):
        g_x = xp.zeros(shape, g.dtype)
        g_x[:, 0, 0] = g
        return (g_x,)

    return means(x), backward


@wrong(SHARE)
def channels_mixed_up(x):
    n, h, w, c = shape = x.shape
    return means(x), lambda g: (
        xp.broadcast_to(g.reshape(n, c, 1, 1) / (h * w), (n, c, h, w)).reshape(shape),
    )


@wrong(SHARE)
def no_tuple(x):
    op = flattened(x)
    return op[0], lambda g: op[1](g)[0]
