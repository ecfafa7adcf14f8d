"""Strange solutions of 06d."""

from functools import partial

from minires.backend import xp
from tests.course.kinds import right, wrong

ONE, OWN = "test_one_number_for_each_channel", "test_each_image_has_its_own"
SHARE, PIXEL = "test_each_pixel_gets_its_share", "test_an_image_of_one_pixel_is_its_own_mean"
SAVED, EQUAL = "test_only_a_shape_is_saved", "test_sizes_that_are_all_equal"
NARROW, ZEROS = "test_one_row_one_column_or_one_channel", "test_negative_numbers_and_zeros"
SIZES = "test_small_and_large_numbers"


def spread(shape, g):
    n, h, w, c = shape
    return (xp.broadcast_to((g / (h * w)).reshape(n, 1, 1, c), shape),)


def op(x, y=None):
    """The right op, with another result."""
    return x.mean(axis=(1, 2)) if y is None else y, partial(spread, x.shape)


@right
def by_einsum(x):
    _, h, w, _ = x.shape

    def backward(g):
        return (xp.einsum("nc,h,w->nhwc", g, xp.full(h, 1 / h, g.dtype), xp.full(w, 1 / w, g.dtype)),)  # fmt: skip

    return xp.einsum("nhwc->nc", x) / (h * w), backward


@right
def running_mean(x):
    """Welford's way: each pixel moves the mean a little."""
    y, count, shape = xp.zeros((len(x), x.shape[3]), "float64"), 0, x.shape
    for i, j in xp.ndindex(x.shape[1:3]):
        count += 1
        y += (x[:, i, j] - y) / count
    return y.astype(x.dtype), partial(spread, shape)


@right
def ones_times_images(x):
    n, h, w, c = shape = x.shape
    y = (xp.ones((1, h * w), x.dtype) @ x.reshape(n, h * w, c))[:, 0] / x.dtype.type(h * w)

    def backward(g):
        return (xp.stack([xp.stack([g / (h * w)] * w, axis=1)] * h, axis=1).reshape(shape),)

    return y, backward


@right
def bincount_of_channels(x):
    n, h, w, c = shape = x.shape
    label = xp.arange(n)[:, None, None, None] * c + xp.arange(c)
    label = xp.broadcast_to(label, shape).ravel()
    y = xp.bincount(label, weights=x.ravel(), minlength=n * c) / (h * w)

    def backward(g):
        return (xp.repeat((g / (h * w)).ravel(), h * w).reshape(n, c, h, w).transpose(0, 2, 3, 1),)

    return y.reshape(n, c).astype(x.dtype), backward


class Mean:
    def __init__(self, shape):
        self.shape = shape

    def backward(self, g):
        g_x = xp.empty(self.shape, g.dtype)
        g_x[...] = xp.expand_dims(g, (1, 2)) / (self.shape[1] * self.shape[2])
        return (g_x,)


@right
def bound_method(x):
    if x.ndim != 4:
        raise ValueError(f"expected images (N, H, W, C), got {x.shape}")
    return xp.average(x, axis=(1, 2)).astype(x.dtype), Mean(x.shape).backward


@right
def image_by_image(x):
    y = xp.array([[image[..., k].mean() for k in range(image.shape[-1])] for image in x])
    return y.astype(x.dtype), partial(spread, x.shape)


@wrong(EQUAL)
def channels_first_if_it_fits(x):
    if x.shape[1] == x.shape[3]:
        return op(x, x.mean(axis=(2, 3)))
    return op(x)


@wrong(EQUAL)
def axes_found_by_size(x):
    """The gradient's axes: the first one of N, and the first one of C."""
    n, h, w, c = shape = x.shape

    def backward(g):
        at = shape.index(c)
        part = g / (h * w)
        if at in (1, 2) and n != c:
            return (xp.broadcast_to(xp.expand_dims(part, tuple({1, 2, 3} - {at})), shape),)
        return (xp.broadcast_to(part.T[:, None, None] if n == c else part[:, None, None], shape),)

    return x.mean(axis=(1, 2)), backward


@wrong(EQUAL)
def gradient_transposed_if_it_fits(x):
    y, backward = op(x)
    return y, lambda g: backward(g.T if g.shape[0] == g.shape[1] else g)


@wrong(NARROW)
def squeezed(x):
    y, backward = op(x)
    return (y[:, 0], lambda g: backward(g[:, None])) if x.shape[3] == 1 else (y, backward)


@wrong(NARROW)
def axes_of_size_1_are_not_counted(x):
    """A row of pixels is divided by its length minus one."""
    _, h, w, _ = x.shape
    if h == 1 and w > 1:
        return op(x, x.sum(axis=(1, 2)) / (w - 1))
    return op(x)


@wrong(NARROW)
def columns_get_the_sum(x):
    y, backward = op(x)
    if x.shape[2] == 1 and x.shape[1] > 1:
        return y, lambda g: (backward(g)[0] * x.shape[1],)
    return y, backward


@wrong(ZEROS)
def mean_of_what_is_not_0(x):
    count = xp.maximum((x != 0).sum(axis=(1, 2)), 1)
    return op(x, (x.sum(axis=(1, 2)) / count).astype(x.dtype))


@wrong(ONE)
def root_mean_square(x):
    return op(x, xp.sqrt((x * x).mean(axis=(1, 2))))


@wrong(ZEROS)
def mean_of_absolute_values_of_dark_images(x):
    dark = (x < 0).all()
    return op(x, abs(x).mean(axis=(1, 2)) if dark else None)


@wrong(SIZES)
def a_small_number_added(x):
    return op(x, x.mean(axis=(1, 2)) + 1e-12)


@wrong(SIZES)
def cut_at_a_million(x):
    return op(x, xp.clip(x, -1e6, 1e6).mean(axis=(1, 2)))


@wrong(SIZES)
def rounded_to_twelve_places(x):
    return op(x, x.mean(axis=(1, 2)).round(12))


@wrong(PIXEL)
def an_unbiased_mean(x):
    """Bessel's correction belongs to a variance."""
    count = x.shape[1] * x.shape[2]
    return op(x, x[:, 0, 0] * 0 if count == 1 else None)


@wrong(PIXEL)
def a_pixel_keeps_its_axes(x):
    return op(x, x if x.shape[1:3] == (1, 1) else None)


@wrong(SHARE)
def shape_of_the_last_call(x):
    shape_of_the_last_call.saved = x.shape
    return x.mean(axis=(1, 2)), lambda g: spread(shape_of_the_last_call.saved, g)


COUNTS = {}


@wrong(NARROW)
def divisor_by_number_of_images(x):
    COUNTS[x.shape[0], x.shape[3]] = x.shape
    return x.mean(axis=(1, 2)), lambda g: spread(COUNTS[g.shape], g)


@wrong(SHARE)
def g_divided_in_place(x):
    _, h, w, _ = shape = x.shape

    def backward(g):
        g /= h * w
        return (xp.broadcast_to(g[:, None, None], shape),)

    return x.mean(axis=(1, 2)), backward


@wrong(SAVED)
def padded_copy_saved(x):
    like = xp.zeros(x.shape, "int8")
    y, backward = op(x)
    return y, lambda g: (backward(g)[0] + like,)


@wrong(SAVED)
def one_channel_saved(x):
    like = x[..., 0]
    n, h, w, c = x.shape

    def backward(g):
        return (xp.broadcast_to(g[:, None, None] / like[0].size, (n, h, w, c)),)

    return x.mean(axis=(1, 2)), backward


@wrong(ONE)
def in_single_precision(x):
    return op(x, x.astype("float32").mean(axis=(1, 2)).astype(x.dtype))


@wrong(OWN)
def first_image_counts_twice(x):
    weights = xp.ones((len(x), 1), x.dtype)
    weights[1:] = 1 - 1e-6
    return op(x, x.mean(axis=(1, 2)) * weights)


@wrong(ONE)
def channels_in_reverse(x):
    return op(x, x.mean(axis=(1, 2))[:, ::-1])


@wrong("test_the_result_is_a_new_array")
def one_pixel_is_a_view(x):
    return op(x, x[:, 0, 0] if x.shape[1:3] == (1, 1) else None)
