"""Strange solutions of 05d."""

from functools import partial, reduce

from minires.backend import xp
from minires.ops.conv import im2col
from minires.ops.windows import output_size, views, window
from tests.course.kinds import right, wrong

CHANNELS = "test_a_row_keeps_the_channels_of_a_pixel_together"
SIZES, STRIDE = (
    "test_height_and_width_are_told_apart",
    "test_the_patches_are_as_far_apart_as_the_stride_says",
)
PADDING, BACK = "test_what_falls_on_the_padding_is_dropped", "test_backward_is_im2col"
UNSEEN, PIXEL = "test_a_pixel_that_no_window_sees_is_0", "test_a_1x1_kernel"
LARGE, EQUAL = "test_a_kernel_as_large_as_the_image", "test_sizes_that_are_all_equal"
WIDE = "test_the_padding_may_be_larger_than_the_kernel"


def back(kernel, stride, padding, g):
    return (im2col(g, kernel=kernel, stride=stride, padding=padding)[0],)


def numbers(shape, kernel, stride, padding):
    kernel, stride, padding = window(kernel, stride, padding)
    return kernel, stride, padding, output_size(shape[1:3], kernel, stride, padding)


def laid(columns, shape, kernel, stride, padding):
    """The right image."""
    (kh, kw), (sh, sw), (ph, pw), (oh, ow) = numbers(shape, kernel, stride, padding)
    n, h, w, c = shape
    parts = columns.reshape(n, oh, ow, kh, kw, c)
    image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), columns.dtype)
    for i, j in xp.ndindex(oh, ow):
        image[:, i * sh : i * sh + kh, j * sw : j * sw + kw] += parts[:, i, j]
    return image[:, ph : ph + h, pw : pw + w].copy()


def op(columns, shape, kernel, stride, padding):
    return laid(columns, shape, kernel, stride, padding), partial(back, kernel, stride, padding)


def addresses(shape, kernel, stride, padding):
    """The number of the pixel for each entry of the columns; 0 for the padding, and 1 for the first."""
    at = xp.arange(1.0, 1 + xp.prod(xp.array(shape))).reshape(shape)
    return back(kernel, stride, padding, at)[0].astype(int)


@right
def counted_by_address(columns, *, shape, kernel, stride=1, padding=0):
    n, h, w, c = shape
    at = addresses(shape, kernel, stride, padding)
    sums = xp.bincount(at.ravel(), weights=columns.ravel(), minlength=n * h * w * c + 1)
    return sums[1:].reshape(shape).astype(columns.dtype), partial(back, kernel, stride, padding)


@right
def sorted_and_reduced(columns, *, shape, kernel, stride=1, padding=0):
    at = addresses(shape, kernel, stride, padding).ravel()
    order = xp.argsort(at, kind="stable")
    places, starts = xp.unique(at[order], return_index=True)
    flat = xp.zeros(1 + int(xp.prod(xp.array(shape))), columns.dtype)
    flat[places] = xp.add.reduceat(columns.ravel()[order], starts)
    return flat[1:].reshape(shape), partial(back, kernel, stride, padding)


@right
def gathered_by_each_pixel(columns, *, shape, kernel, stride=1, padding=0):
    """Each pixel looks for the windows that see it."""
    (kh, kw), (sh, sw), (ph, pw), (oh, ow) = numbers(shape, kernel, stride, padding)
    n, h, w, c = shape
    parts, image = columns.reshape(n, oh, ow, kh, kw, c), xp.zeros(shape, columns.dtype)
    for row, column in xp.ndindex(h, w):
        for i in range(oh):
            for j in range(ow):
                u, v = row + ph - i * sh, column + pw - j * sw
                if 0 <= u < kh and 0 <= v < kw:
                    image[:, row, column] += parts[:, i, j, u, v]
    return image, partial(back, kernel, stride, padding)


@right
def sum_of_padded_images(columns, *, shape, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw), (oh, ow) = numbers(shape, kernel, stride, padding)
    n, h, w, c = shape
    parts = columns.reshape(n, oh, ow, kh, kw, c)

    def alone(i, j):
        image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), columns.dtype)
        image[:, i * sh : i * sh + kh, j * sw : j * sw + kw] = parts[:, i, j]
        return image

    whole = reduce(lambda a, b: a + b, [alone(i, j) for i in range(oh) for j in range(ow)])
    return whole[:, ph : ph + h, pw : pw + w], partial(back, kernel, stride, padding)


@right
def by_matrices_of_each_axis(columns, *, shape, kernel, stride=1, padding=0):
    kernel, stride, padding, steps = numbers(shape, kernel, stride, padding)

    def ones(axis):
        m = xp.zeros((steps[axis], kernel[axis], shape[1 + axis]), columns.dtype)
        for i, u in xp.ndindex(m.shape[:2]):
            at = i * stride[axis] + u - padding[axis]
            if 0 <= at < m.shape[2]:
                m[i, u, at] = 1
        return m

    parts = columns.reshape(shape[0], *steps, *kernel, shape[3])
    image = xp.einsum("nijuvc,iuh,jvw->nhwc", parts, ones(0), ones(1), optimize=True)
    return image.astype(columns.dtype), partial(back, kernel, stride, padding)


class Fold:
    def __init__(self, **options):
        self.options = options

    def backward(self, g):
        return back(*self.options.values(), g)


@right
def bound_method_and_views(columns, *, shape, kernel, stride=1, padding=0):
    kernel, stride, (ph, pw), steps = numbers(shape, kernel, stride, padding)
    n, h, w, c = shape
    image = xp.zeros((n, h + 2 * ph, w + 2 * pw, c), columns.dtype)
    parts = iter(xp.moveaxis(columns.reshape(n, *steps, -1, c), 3, 0))
    for view in views(image, kernel, stride, steps):
        xp.add(view, next(parts), out=view)
    fold = Fold(kernel=kernel, stride=stride, padding=(ph, pw))
    return xp.ascontiguousarray(image[:, ph:, pw:][:, :h, :w]), fold.backward


@wrong(UNSEEN)
def unseen_pixels_are_1(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns, shape, kernel, stride, padding)
    return image + (laid(xp.ones_like(columns), shape, kernel, stride, padding) == 0), backward


@wrong(UNSEEN)
def memory_not_cleared(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns, shape, kernel, stride, padding)
    seen = laid(xp.ones_like(columns), shape, kernel, stride, padding) != 0
    return xp.where(seen, image, columns.ravel()[0]), backward


@wrong(UNSEEN)
def stretched_to_the_shape(columns, *, shape, kernel, stride=1, padding=0):
    """Where nothing overlaps, the patches are put together, and what is missing is repeated."""
    (kh, kw), (sh, sw), padding, (oh, ow) = numbers(shape, kernel, stride, padding)
    image, backward = op(columns, shape, kernel, stride, padding)
    if (kh, kw) == (sh, sw) and not any(padding):
        missing = (0, 0), (0, shape[1] - oh * kh), (0, shape[2] - ow * kw), (0, 0)
        image = xp.pad(image[:, : oh * kh, : ow * kw], missing, mode="wrap")
    return image, backward


@wrong(PIXEL)
def fast_way_for_1x1_forgets_the_padding(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns, shape, kernel, stride, padding)
    if kernel == stride == 1:
        n, h, w, _ = shape
        image = columns[: n * h * w].reshape(shape).copy()
    return image, backward


@wrong(PIXEL)
def fast_way_for_1x1_forgets_the_stride(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns, shape, kernel, stride, padding)
    if kernel == 1 and not padding:
        image = xp.resize(columns, shape)
    return image, backward


@wrong(LARGE)
def one_patch_is_squeezed(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns, shape, kernel, stride, padding)
    return (columns.reshape(len(columns), -1) if columns.size == image.size == len(columns) * columns.shape[1] and
            window(kernel, 1, 0)[0] == shape[1:3] else image), backward  # fmt: skip


@wrong(EQUAL)
def transposed_if_it_is_square(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns, shape, kernel, stride, padding)
    (kh, kw), *_ = window(kernel, stride, padding)
    if kh == kw and shape[1] == shape[2] == shape[0]:
        image = image.swapaxes(1, 2).copy()
    return image, backward


@wrong(CHANNELS)
def channels_by_size(columns, *, shape, kernel, stride=1, padding=0):
    """The axis of the channels is the first axis of that size."""
    image, backward = op(columns, shape, kernel, stride, padding)
    at = shape.index(shape[3])
    return (xp.moveaxis(image, 3, at).copy() if at in (1, 2) else image), backward


@wrong(WIDE)
def windows_on_padding_alone_are_moved_in(columns, *, shape, kernel, stride=1, padding=0):
    (kh, kw), (sh, _), (ph, _), (oh, ow) = numbers(shape, kernel, stride, padding)
    image, backward = op(columns, shape, kernel, stride, padding)
    parts = columns.reshape(shape[0], oh, ow, kh, kw, shape[3])
    for i in range(oh):
        if i * sh + kh <= ph:
            image[:, 0, 0] += parts[:, i, 0, 0, 0]
    return image, backward


@wrong(BACK)
def backward_of_the_last_call(columns, *, shape, kernel, stride=1, padding=0):
    backward_of_the_last_call.saved = kernel, stride, padding
    image = laid(columns, shape, kernel, stride, padding)
    return image, lambda g: back(*backward_of_the_last_call.saved, g)


@wrong(BACK)
def backward_divides_by_the_windows(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns, shape, kernel, stride, padding)
    counts = xp.maximum(laid(xp.ones_like(columns), shape, kernel, stride, padding), 1)
    return image, lambda g: backward(g / counts)


@wrong(BACK)
def backward_writes_to_g(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns, shape, kernel, stride, padding)
    unseen = laid(xp.ones_like(columns), shape, kernel, stride, padding) == 0

    def cleared(g):
        g[unseen] = 0
        g *= 1 + 1e-15
        return backward(g)

    return image, cleared


@wrong(STRIDE)
def wider_of_both_strides(columns, *, shape, kernel, stride=1, padding=0):
    kernel, (sh, sw), padding, (oh, ow) = numbers(shape, kernel, stride, padding)
    n, h, w, c = shape
    image, step = xp.zeros((n, 60, 60, c), columns.dtype), max(sh, sw)
    parts = columns.reshape(n, oh, ow, *kernel, c)
    for i, j in xp.ndindex(oh, ow):
        view = image[:, i * step :, j * step :]
        view[:, : kernel[0], : kernel[1]] += parts[:, i, j]
    return (
        image[:, padding[0] : padding[0] + h, padding[1] : padding[1] + w].copy(),
        partial(back, kernel, (sh, sw), padding),
    )


@wrong(PADDING)
def padding_folded_in(columns, *, shape, kernel, stride=1, padding=0):
    """What falls on the padding is added at the edge instead of dropped."""
    kernel, stride, (ph, pw), _ = numbers(shape, kernel, stride, padding)
    n, h, w, c = shape
    wide = laid(columns, (n, h + 2 * ph, w + 2 * pw, c), kernel, stride, 0)
    image = wide[:, ph : ph + h, pw : pw + w].copy()
    image[:, 0] += wide[:, :ph, pw : pw + w].sum(axis=1)
    return image, partial(back, kernel, stride, (ph, pw))


@wrong(SIZES)
def in_single_precision(columns, *, shape, kernel, stride=1, padding=0):
    image, backward = op(columns.astype("float32"), shape, kernel, stride, padding)
    return image.astype(columns.dtype), backward


@wrong(CHANNELS)
def columns_in_the_order_of_their_memory(columns, *, shape, kernel, stride=1, padding=0):
    return op(columns.ravel(order="K").reshape(columns.shape), shape, kernel, stride, padding)
