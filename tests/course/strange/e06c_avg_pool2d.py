"""Strange solutions of 06c."""

from minires.backend import xp
from minires.ops.windows import output_size, overlap_add, pad_images, views, window
from tests.course.kinds import right, wrong

MEAN, SIDE = (
    "test_the_result_is_the_mean_of_each_window",
    "test_without_a_stride_windows_are_next_to_each_other",
)
APART, PADDING = "test_height_and_width_are_told_apart", "test_the_padding_counts_as_zeros"
SHARE, SEVERAL = (
    "test_each_pixel_gets_its_share",
    "test_a_pixel_of_several_windows_gets_a_share_of_each",
)
DROPPED, SAVED = "test_what_falls_on_the_padding_is_dropped", "test_only_a_shape_is_saved"
PIXEL, LARGE = "test_a_1x1_kernel_may_skip_pixels", "test_a_kernel_as_large_as_the_image"
EQUAL, ZEROS = "test_sizes_that_are_all_equal", "test_negative_numbers_and_zeros"


class Sizes:
    """The sizes of a pooling; it keeps no array."""

    def __init__(self, x, kernel, stride, padding):
        self.kernel, self.stride, self.padding = window(
            kernel, kernel if stride is None else stride, padding
        )
        self.shape, self.count = x.shape, self.kernel[0] * self.kernel[1]
        self.size = output_size(x.shape[1:3], self.kernel, self.stride, self.padding)

    def seen(self, x, fill=0):
        return views(pad_images(x, self.padding, fill), self.kernel, self.stride, self.size)

    def spread(self, g):
        parts = [g / self.count] * self.count
        return (overlap_add(parts, self.shape, self.kernel, self.stride, self.padding, g.dtype),)


def op(x, kernel, stride, padding):
    sizes = Sizes(x, kernel, stride, padding)
    return sum(sizes.seen(x)) / sizes.count, sizes.spread


@right
def differences_of_running_sums(x, *, kernel, stride=None, padding=0):
    """An integral image: four corners give the sum of any window."""
    sizes = Sizes(x, kernel, stride, padding)
    (kh, kw), (sh, sw), (oh, ow) = sizes.kernel, sizes.stride, sizes.size
    image = pad_images(x, sizes.padding).astype("float64")
    sums = xp.pad(image.cumsum(axis=1).cumsum(axis=2), ((0, 0), (1, 0), (1, 0), (0, 0)))
    corner = [
        sums[:, top : top + sh * oh : sh, left : left + sw * ow : sw]
        for top in (0, kh)
        for left in (0, kw)
    ]
    y = (corner[3] - corner[1] - corner[2] + corner[0]) / sizes.count
    return y.astype(x.dtype), sizes.spread


@right
def windows_of_numpy(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    image, (sh, sw) = pad_images(x, sizes.padding), sizes.stride
    seen = xp.lib.stride_tricks.sliding_window_view(image, sizes.kernel, axis=(1, 2))
    return xp.einsum("nijcuv->nijc", seen[:, ::sh, ::sw]) / sizes.count, sizes.spread


@right
def strides_of_the_padded_image(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    image, (sh, sw) = pad_images(x, sizes.padding), sizes.stride
    n, h, w, c = image.strides
    seen = xp.lib.stride_tricks.as_strided(
        image, (len(x), *sizes.size, *sizes.kernel, x.shape[3]), (n, sh * h, sw * w, h, w, c)
    )
    return seen.mean(axis=(3, 4)), sizes.spread


@right
def one_axis_after_the_other(x, *, kernel, stride=None, padding=0):
    """A mean of means."""
    sizes = Sizes(x, kernel, stride, padding)
    (kh, kw), (sh, sw), (oh, ow) = sizes.kernel, sizes.stride, sizes.size
    image = pad_images(x, sizes.padding)
    down = sum(image[:, u : u + sh * oh : sh] for u in range(kh)) / kh
    return sum(down[:, :, v : v + sw * ow : sw] for v in range(kw)) / kw, sizes.spread


@right
def shares_gathered_by_each_pixel(x, *, kernel, stride=None, padding=0):
    y, _ = op(x, kernel, stride, padding)
    sizes = Sizes(x, kernel, stride, padding)
    (kh, kw), (sh, sw), (ph, pw) = sizes.kernel, sizes.stride, sizes.padding

    def backward(g):
        g_x = xp.zeros(sizes.shape, g.dtype)
        for i, j in xp.ndindex(sizes.size):
            top, left = max(i * sh - ph, 0), max(j * sw - pw, 0)
            bottom, end = max(i * sh - ph + kh, 0), max(j * sw - pw + kw, 0)
            g_x[:, top:bottom, left:end] += g[:, i, j][:, None, None] / (kh * kw)
        return (g_x,)

    return y, backward


@right
def generator_of_shares(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    numbers = sizes.shape, sizes.kernel, sizes.stride, sizes.padding

    def backward(g):
        share = xp.multiply(g, 1 / sizes.count, dtype=g.dtype)
        return (overlap_add((share for _ in range(sizes.count)), *numbers, dtype=g.dtype),)

    y = xp.zeros((len(x), *sizes.size, x.shape[3]), x.dtype)
    for pixels in sizes.seen(x):
        xp.add(y, pixels / sizes.count, out=y)
    return y, backward


@wrong(MEAN)
def strides_from_the_shape(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    image, (sh, sw) = pad_images(x, sizes.padding), sizes.stride
    _, h, w, c = image.shape
    n, row, pixel, one = (image.itemsize * step for step in (h * w * c, w * c, c, 1))
    seen = xp.lib.stride_tricks.as_strided(
        image,
        (len(x), *sizes.size, *sizes.kernel, c),
        (n, sh * row, sw * pixel, row, pixel, one),
    )
    return seen.mean(axis=(3, 4)), sizes.spread


@wrong(SIDE)
def reshaped_in_the_order_of_memory(x, *, kernel, stride=None, padding=0):
    return op(x.ravel(order="A").reshape(x.shape), kernel, stride, padding)


@wrong(PIXEL)
def a_pixel_is_its_own_mean(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    if window(kernel, 1, 0)[0] == (1, 1):
        return x.copy(), lambda g: (g.copy(),)
    return y, backward


@wrong(LARGE)
def global_mean_for_a_whole_image(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    if window(kernel, 1, 0)[0] == x.shape[1:3]:
        return x.mean(axis=(1, 2), keepdims=True), backward
    return y, backward


@wrong(EQUAL)
def channels_first_if_it_fits(x, *, kernel, stride=None, padding=0):
    if x.shape[1] == x.shape[2] == x.shape[3] and x.shape[3] > 1:
        y, backward = op(xp.moveaxis(x, 1, 3), kernel, stride, padding)
        return xp.moveaxis(y, 3, 1).copy(), lambda g: (xp.moveaxis(*backward(xp.moveaxis(g, 1, 3)), 3, 1),)  # fmt: skip
    return op(x, kernel, stride, padding)


@wrong(ZEROS)
def zeros_are_not_counted(x, *, kernel, stride=None, padding=0):
    """As if every 0 were padding."""
    sizes = Sizes(x, kernel, stride, padding)
    zeros = sum(xp.where(pixels == 0, 1, 0) for pixels in sizes.seen(x, 1))
    return (sum(sizes.seen(x)) / xp.maximum(sizes.count - zeros, 1)).astype(x.dtype), sizes.spread


@wrong(MEAN)
def geometric_mean(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    logs = [xp.log(xp.maximum(pixels, 1e-9)) for pixels in sizes.seen(x)]
    return xp.exp(sum(logs) / sizes.count), sizes.spread


@wrong(ZEROS)
def positive_results_only(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    return (xp.maximum(y, 0) if (x <= 0).all() else y), backward


@wrong(PADDING)
def padding_of_the_mean(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    return (sum(sizes.seen(x, x.mean())) / sizes.count).astype(x.dtype), sizes.spread


@wrong(PADDING)
def corners_counted_once(x, *, kernel, stride=None, padding=0):
    """Rows of padding count, columns of padding do not."""
    sizes = Sizes(x, kernel, stride, padding)
    (_, pw), row = sizes.padding, xp.ones_like(x)
    counts = sum(sizes.seen(row)) * 0 + sizes.count
    if pw:
        wide = xp.pad(row, ((0, 0), (sizes.padding[0],) * 2, (0, 0), (0, 0)), mode="edge")
        wide = xp.pad(wide, ((0, 0), (0, 0), (pw, pw), (0, 0)))
        counts = sum(views(wide, sizes.kernel, sizes.stride, sizes.size))
    return sum(sizes.seen(x)) / counts, sizes.spread


@wrong(DROPPED)
def share_of_the_padding_goes_to_the_edge(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    (ph, pw), (n, h, w, c) = sizes.padding, x.shape

    def backward(g):
        whole = (n, h + 2 * ph, w + 2 * pw, c)
        parts = [g / sizes.count] * sizes.count
        wide = overlap_add(parts, whole, sizes.kernel, sizes.stride, (0, 0), g.dtype)
        g_x = wide[:, ph : ph + h, pw : pw + w].copy()
        g_x[:, 0] += wide[:, :ph, pw : pw + w].sum(axis=1)
        return (g_x,)

    return op(x, kernel, stride, padding)[0], backward


@wrong(SHARE)
def sizes_of_the_last_call(x, *, kernel, stride=None, padding=0):
    sizes_of_the_last_call.saved = Sizes(x, kernel, stride, padding)
    return op(x, kernel, stride, padding)[0], lambda g: sizes_of_the_last_call.saved.spread(g)


BUFFER = {}


@wrong(SEVERAL)
def shares_collected_in_a_buffer(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)

    def collected(g):
        total = BUFFER.setdefault((g.shape, g.dtype, kernel), xp.zeros(x.shape, g.dtype))
        if total.shape != x.shape:
            return backward(g)
        total += backward(g)[0]
        return (total,)

    return y, collected


@wrong(SHARE)
def g_divided_in_place(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)

    def backward(g):
        g /= sizes.count
        return sizes.spread(g * sizes.count)

    return sum(sizes.seen(x)) / sizes.count, backward


@wrong(SAVED)
def counts_saved(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    counts = xp.ones(x.shape, "int8")
    return y, lambda g: (backward(g)[0] * counts,)


@wrong(SAVED)
def padded_x_saved(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    image = xp.array(pad_images(x, sizes.padding))

    def backward(g):
        (g_x,) = sizes.spread(g)
        return (g_x.astype(image.dtype),)

    return op(x, kernel, stride, padding)[0], backward


@wrong(APART)
def stride_turned(x, *, kernel, stride=None, padding=0):
    sizes = Sizes(x, kernel, stride, padding)
    (sh, sw), (oh, ow) = sizes.stride, sizes.size
    wide = xp.pad(pad_images(x, sizes.padding), ((0, 0), (0, 30), (0, 30), (0, 0)))
    return sum(views(wide, sizes.kernel, (sw, sh), (oh, ow))) / sizes.count, sizes.spread


@wrong(MEAN)
def in_single_precision(x, *, kernel, stride=None, padding=0):
    y, backward = op(x.astype("float32"), kernel, stride, padding)
    return y.astype(x.dtype), backward


@wrong("test_the_result_is_a_new_array")
def view_under_a_kernel_of_one(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    sizes = Sizes(x, kernel, stride, padding)
    return (next(iter(sizes.seen(x))) if sizes.count == 1 else y), backward
