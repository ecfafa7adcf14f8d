"""Strange solutions of 05c."""

from functools import partial

from minires.backend import xp
from minires.ops.conv import col2im
from minires.ops.windows import output_size, overlap_add, pad_images, views, window
from tests.course.kinds import right, wrong

PATCH, CHANNELS, COPY = (
    "test_every_patch_is_a_row",
    "test_a_row_keeps_the_channels_of_a_pixel_together",
    "test_the_columns_are_a_copy",
)
STRIDE, PADDING = (
    "test_the_window_moves_by_the_stride",
    "test_the_padding_is_zeros_around_the_image",
)
LAYOUT, LARGE = (
    "test_images_may_have_any_memory_layout",
    "test_a_kernel_as_large_as_the_image_gives_one_row",
)
BACK, PIXEL = (
    "test_backward_adds_what_each_window_sends",
    "test_a_1x1_kernel_may_skip_pixels_and_be_padded",
)
APART, EQUAL = "test_patches_that_do_not_overlap", "test_sizes_that_are_all_equal"
WIDE = "test_the_padding_may_be_larger_than_the_kernel"


def sizes(x, kernel, stride, padding):
    kernel, stride, padding = window(kernel, stride, padding)
    return kernel, stride, padding, output_size(x.shape[1:3], kernel, stride, padding)


def patches_of(x, kernel, stride, padding):
    """(N, OH, OW, KH, KW, C), a view."""
    kernel, (sh, sw), padding, _ = sizes(x, kernel, stride, padding)
    seen = xp.lib.stride_tricks.sliding_window_view(pad_images(x, padding), kernel, axis=(1, 2))
    return seen[:, ::sh, ::sw].transpose(0, 1, 2, 4, 5, 3)


def rows(patches):
    n, oh, ow, kh, kw, c = patches.shape
    return xp.array(patches, order="C").reshape(n * oh * ow, kh * kw * c)


def back(shape, kernel, stride, padding, g):
    return (col2im(g, shape=shape, kernel=kernel, stride=stride, padding=padding)[0],)


def op(x, kernel, stride, padding):
    columns = rows(patches_of(x, kernel, stride, padding))
    return columns, partial(back, x.shape, kernel, stride, padding)


@right
def concatenated_views(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, steps = sizes(x, kernel, stride, padding)
    columns = xp.concatenate(
        list(views(pad_images(x, padding), kernel, stride, steps)), axis=3
    ).reshape(-1, kernel[0] * kernel[1] * x.shape[3])
    shape = x.shape

    def backward(g):
        parts = xp.moveaxis(g.reshape(shape[0], *steps, -1, shape[3]), 3, 0)
        return (overlap_add(parts, shape, kernel, stride, padding, g.dtype),)

    return columns, backward


@right
def addresses_taken(x, *, kernel, stride=1, padding=0):
    """One index per number: of a pixel, or of a 0 behind the last one."""
    n, h, w, c = x.shape
    at = xp.arange(1, x.size + 1).reshape(x.shape)  # 0 stands for the padding
    at = rows(patches_of(at, kernel, stride, padding))
    columns = xp.concatenate([xp.zeros(1, x.dtype), x.ravel()])[at]

    def backward(g):
        sums = xp.bincount(at.ravel(), weights=g.ravel(), minlength=n * h * w * c + 1)
        return (sums[1:].reshape(n, h, w, c).astype(g.dtype),)

    return columns, backward


class Patches:
    """An op as an object: __call__ is backward."""

    def __init__(self, x, **options):
        self.shape, self.options = x.shape, options
        self.columns = rows(patches_of(x, **options))

    def __call__(self, g):
        image, _ = col2im(g, shape=self.shape, **self.options)
        return (image,)


@right
def by_a_class(x, *, kernel, stride=1, padding=0):
    patches = Patches(x, kernel=kernel, stride=stride, padding=padding)
    return patches.columns, patches


@right
def one_number_at_a_time(x, *, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw), (oh, ow) = sizes(x, kernel, stride, padding)
    n, h, w, c = x.shape
    columns = xp.zeros((n * oh * ow, kh * kw * c), x.dtype)
    for image, i, j in xp.ndindex(n, oh, ow):
        for u, v in xp.ndindex(kh, kw):
            row, column = i * sh + u - ph, j * sw + v - pw
            if 0 <= row < h and 0 <= column < w:
                start = (u * kw + v) * c
                columns[(image * oh + i) * ow + j, start : start + c] = x[image, row, column]
    return columns, partial(back, x.shape, kernel, stride, padding)


@right
def own_strides_of_a_contiguous_copy(x, *, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), frame, (oh, ow) = sizes(x, kernel, stride, padding)
    image = xp.ascontiguousarray(pad_images(x, frame))
    _, h, w, c = image.shape
    n, row, pixel, one = (image.itemsize * step for step in (h * w * c, w * c, c, 1))
    seen = xp.lib.stride_tricks.as_strided(
        image, (len(x), oh, ow, kh, kw, c), (n, sh * row, sw * pixel, row, pixel, one)
    )
    columns = xp.empty((len(x) * oh * ow, kh * kw * c), x.dtype)
    columns.reshape(seen.shape)[...] = seen
    return columns, partial(back, x.shape, kernel, stride, padding)


@right
def one_axis_after_the_other(x, *, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), frame, (oh, ow) = sizes(x, kernel, stride, padding)
    image = pad_images(x, frame)
    strips = xp.stack([image[:, u : u + sh * oh : sh] for u in range(kh)], axis=2)
    patches = xp.stack([strips[:, :, :, v : v + sw * ow : sw] for v in range(kw)], axis=4)
    return rows(patches.swapaxes(2, 3)), partial(back, x.shape, kernel, stride, padding)


@wrong(LAYOUT)
def memory_order_of_x(x, *, kernel, stride=1, padding=0):
    return op(xp.ravel(x, order="K").reshape(x.shape), kernel, stride, padding)


@wrong(COPY)
def view_of_a_whole_image(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, _ = sizes(x, kernel, stride, padding)
    columns, backward = op(x, kernel, stride, padding)
    if kernel == x.shape[1:3] and not any(padding):
        columns = x.reshape(len(x), -1)
    return columns, backward


@wrong(COPY)
def view_for_1x1(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, _ = sizes(x, kernel, stride, padding)
    columns, backward = op(x, kernel, stride, padding)
    if kernel == stride == (1, 1) and padding == (0, 0):
        columns = x.reshape(-1, x.shape[3])
    return columns, backward


@wrong(PIXEL)
def fast_way_for_1x1_forgets_the_padding(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, _ = sizes(x, kernel, stride, padding)
    return op(x, kernel, stride, (0, 0) if kernel == (1, 1) else padding)


@wrong(PIXEL)
def pixels_that_no_window_sees_get_their_neighbours_gradient(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, _ = sizes(x, kernel, stride, padding)
    columns, backward = op(x, kernel, stride, padding)

    def spread(g):
        (g_x,) = backward(g)
        if kernel == (1, 1) and not any(padding):
            small = g_x[:, :: stride[0], :: stride[1]]
            big = xp.repeat(xp.repeat(small, stride[0], 1), stride[1], 2)
            return (big[:, : x.shape[1], : x.shape[2]].copy(),)
        return (g_x,)

    return columns, spread


@wrong(APART)
def reshaped_where_windows_do_not_overlap(x, *, kernel, stride=1, padding=0):
    """What is left over at the end gets no row of zeros, but a copy of the last gradient."""
    kernel, stride, padding, (oh, ow) = sizes(x, kernel, stride, padding)
    columns, backward = op(x, kernel, stride, padding)

    def laid(g):
        if kernel != stride or any(padding):
            return backward(g)
        (kh, kw), (n, h, w, c) = kernel, x.shape
        image = g.reshape(n, oh, ow, kh, kw, c).transpose(0, 1, 3, 2, 4, 5)
        image = image.reshape(n, oh * kh, ow * kw, c)
        rest = (0, 0), (0, h - oh * kh), (0, w - ow * kw), (0, 0)
        return (xp.pad(image, rest, mode="edge"),)

    return columns, laid


@wrong(EQUAL)
def channels_first_if_it_fits(x, *, kernel, stride=1, padding=0):
    if x.shape[1] == x.shape[3] == x.shape[2]:
        columns, backward = op(xp.moveaxis(x, 1, 3), kernel, stride, padding)
        return columns, lambda g: (xp.moveaxis(backward(g)[0], 3, 1),)
    return op(x, kernel, stride, padding)


@wrong(EQUAL)
def g_transposed_if_it_fits(x, *, kernel, stride=1, padding=0):
    columns, backward = op(x, kernel, stride, padding)
    return columns, lambda g: backward(g.T if g.T.shape == columns.shape else g)


@wrong(WIDE)
def padding_at_most_the_kernel(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, (oh, ow) = sizes(x, kernel, stride, padding)
    columns, backward = op(x, kernel, stride, padding)
    seen = columns.reshape(len(x), oh, ow, -1).copy()
    for i, j in xp.ndindex(oh, ow):
        far = i * stride[0] + kernel[0] <= padding[0] or j * stride[1] + kernel[1] <= padding[1]
        if far:  # a window that sees padding alone takes what is nearest
            seen[:, i, j] = seen[:, oh // 2, ow // 2]
    return seen.reshape(columns.shape), backward


@wrong(LARGE)
def one_row_for_a_whole_image(x, *, kernel, stride=1, padding=0):
    columns, backward = op(x, kernel, stride, padding)
    if tuple(kernel if isinstance(kernel, tuple) else (kernel,) * 2) == x.shape[1:3]:
        return x.reshape(len(x), -1).copy(), backward
    return columns, backward


@wrong(PADDING)
def reflected(x, *, kernel, stride=1, padding=0):
    _, stride, (ph, pw), _ = sizes(x, kernel, stride, padding)
    wide = xp.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)), mode="reflect")
    return rows(patches_of(wide, kernel, stride, 0)), op(x, kernel, stride, (ph, pw))[1]


@wrong(BACK)
def shape_of_the_last_call(x, *, kernel, stride=1, padding=0):
    shape_of_the_last_call.saved = x.shape, kernel, stride, padding
    columns, _ = op(x, kernel, stride, padding)
    return columns, lambda g: back(*shape_of_the_last_call.saved, g)


CACHE = {}


@wrong(PATCH)
def columns_remembered_by_shape(x, *, kernel, stride=1, padding=0):
    key = x.shape, x.dtype, str((kernel, stride, padding))
    return CACHE.setdefault(key, op(x, kernel, stride, padding))


@wrong(BACK)
def as_if_each_window_sent_the_same(x, *, kernel, stride=1, padding=0):
    columns, backward = op(x, kernel, stride, padding)
    return columns, lambda g: backward(xp.broadcast_to(g.mean(axis=0), g.shape).astype(g.dtype))


@wrong(BACK)
def float32_gradient(x, *, kernel, stride=1, padding=0):
    columns, backward = op(x, kernel, stride, padding)
    return columns, lambda g: (backward(g.astype("float32"))[0].astype(g.dtype),)


@wrong(STRIDE)
def positions_counted_from_the_end(x, *, kernel, stride=1, padding=0):
    """What is left over is left over at the top."""
    (kh, kw), (sh, sw), frame, (oh, ow) = sizes(x, kernel, stride, padding)
    image = pad_images(x, frame)
    top = image.shape[1] - ((oh - 1) * sh + kh)
    left = image.shape[2] - ((ow - 1) * sw + kw)
    return rows(patches_of(image[:, top:, left:], kernel, stride, 0)), op(x, kernel, stride, frame)[
        1
    ]


@wrong(CHANNELS)
def channels_in_reverse(x, *, kernel, stride=1, padding=0):
    """As from BGR to RGB."""
    columns, backward = op(x[..., ::-1], kernel, stride, padding)
    return columns, lambda g: (backward(g)[0][..., ::-1],)
