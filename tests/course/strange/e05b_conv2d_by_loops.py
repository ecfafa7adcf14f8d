"""Strange solutions of 05b."""

from functools import reduce

import numpy

from minires.backend import xp
from minires.ops.windows import output_size, pad_images, views, window
from tests.course.kinds import right, wrong

FLIP, PIXEL = "test_the_kernel_is_not_flipped", "test_a_1x1_kernel_mixes_the_channels"
FILTER, APART = (
    "test_each_filter_makes_its_own_feature_map",
    "test_height_and_width_are_told_apart",
)
STRIDE, PADDING = "test_the_window_moves_by_the_stride", "test_the_padding_is_zeros_on_all_sides"
LARGE, EQUAL = "test_a_kernel_as_large_as_the_image", "test_sizes_that_are_all_equal"
LONG, ONE = "test_a_stride_longer_than_the_kernel", "test_one_row_one_column_or_one_channel"


def sizes(x, weight, stride, padding):
    kernel, steps, frame = window(weight.shape[:2], stride, padding)
    return kernel, steps, frame, output_size(x.shape[1:3], kernel, steps, frame)


def patches_of(x, weight, stride, padding):
    """(N, OH, OW, KH, KW, C), a view."""
    kernel, (sh, sw), frame, _ = sizes(x, weight, stride, padding)
    seen = xp.lib.stride_tricks.sliding_window_view(pad_images(x, frame), kernel, axis=(1, 2))
    return seen[:, ::sh, ::sw].transpose(0, 1, 2, 4, 5, 3)


def convolved(x, weight, stride, padding):
    return xp.tensordot(patches_of(x, weight, stride, padding), weight, 3)


@right
def sliding_windows_and_tensordot(x, weight, *, stride=1, padding=0):
    return convolved(x, weight, stride, padding)


@right
def reduced_over_views(x, weight, *, stride=1, padding=0):
    kernel, steps, frame, (oh, ow) = sizes(x, weight, stride, padding)
    kernels = weight.reshape(-1, *weight.shape[2:])
    start = xp.zeros((len(x), oh, ow, weight.shape[3]), x.dtype)
    pairs = zip(views(pad_images(x, frame), kernel, steps, (oh, ow)), kernels)
    return reduce(lambda y, pair: y + pair[0] @ pair[1], pairs, start)


@right
def scattered_from_the_pixels(x, weight, *, stride=1, padding=0):
    """Each pixel is sent to the results that it belongs to."""
    (kh, kw), (sh, sw), (ph, pw), (oh, ow) = sizes(x, weight, stride, padding)
    y = xp.zeros((len(x), oh, ow, weight.shape[3]), x.dtype)
    for row, column in xp.ndindex(x.shape[1:3]):
        for u, v in xp.ndindex(kh, kw):
            i, above = divmod(row + ph - u, sh)
            j, left = divmod(column + pw - v, sw)
            if not above and not left and 0 <= i < oh and 0 <= j < ow:
                y[:, i, j] += x[:, row, column] @ weight[u, v]
    return y


@right
def strides_of_the_padded_image(x, weight, *, stride=1, padding=0):
    (kh, kw), (sh, sw), frame, (oh, ow) = sizes(x, weight, stride, padding)
    image = pad_images(x, frame)
    n, h, w, c = image.strides
    seen = xp.lib.stride_tricks.as_strided(
        image, (len(x), oh, ow, kh, kw, x.shape[3]), (n, sh * h, sw * w, h, w, c)
    )
    return xp.einsum("nijuvc,uvcf->nijf", seen, weight, optimize=True)


@right
def as_one_matrix_of_the_image(x, weight, *, stride=1, padding=0):
    """Chapter 05's matrix: most of its weights are 0."""
    (kh, kw), (sh, sw), (ph, pw), (oh, ow) = sizes(x, weight, stride, padding)
    n, h, w, c = x.shape
    matrix = xp.zeros((h, w, c, oh, ow, weight.shape[3]), x.dtype)
    for i, j, u, v in xp.ndindex(oh, ow, kh, kw):
        row, column = i * sh + u - ph, j * sw + v - pw
        if 0 <= row < h and 0 <= column < w:
            matrix[row, column, :, i, j] = weight[u, v]
    return (x.reshape(n, -1) @ matrix.reshape(h * w * c, -1)).reshape(n, oh, ow, -1)


@right
def a_list_of_lists(x, weight, *, stride=1, padding=0):
    _, _, _, (oh, ow) = sizes(x, weight, stride, padding)
    seen = patches_of(x, weight, stride, padding)
    rows = [[(seen[:, i, j][..., None] * weight).sum(axis=(1, 2, 3)) for j in range(ow)] for i in range(oh)]  # fmt: skip
    return xp.array(rows).transpose(2, 0, 1, 3)


@wrong(PIXEL)
def strides_from_the_shape(x, weight, *, stride=1, padding=0):
    (kh, kw), (sh, sw), frame, (oh, ow) = sizes(x, weight, stride, padding)
    image = pad_images(x, frame)
    _, h, w, c = image.shape
    n, row, pixel, one = (image.itemsize * step for step in (h * w * c, w * c, c, 1))
    seen = xp.lib.stride_tricks.as_strided(
        image, (len(x), oh, ow, kh, kw, c), (n, sh * row, sw * pixel, row, pixel, one)
    )
    return xp.tensordot(seen, weight, 3)


@wrong(FILTER)
def weights_in_the_order_of_their_memory(x, weight, *, stride=1, padding=0):
    seen = patches_of(x, weight, stride, padding)
    flat = weight.ravel(order="K").reshape(-1, weight.shape[3])
    return seen.reshape(*seen.shape[:3], -1) @ flat


@wrong(PADDING)
def fast_way_for_1x1_forgets_the_padding(x, weight, *, stride=1, padding=0):
    if weight.shape[:2] == (1, 1):
        return convolved(x, weight, stride, 0)
    return convolved(x, weight, stride, padding)


@wrong(STRIDE)
def fast_way_for_1x1_forgets_the_stride(x, weight, *, stride=1, padding=0):
    if weight.shape[:2] == (1, 1):
        return convolved(x, weight, 1, padding)
    return convolved(x, weight, stride, padding)


@wrong(LARGE)
def one_product_for_a_whole_image(x, weight, *, stride=1, padding=0):
    if weight.shape[:2] == x.shape[1:3]:
        return (x.reshape(len(x), -1) @ weight.reshape(-1, weight.shape[3]))[:, None, None]
    return convolved(x, weight, stride, padding)


@wrong(EQUAL)
def weights_as_in_pytorch_if_it_fits(x, weight, *, stride=1, padding=0):
    seen = patches_of(x, weight, stride, padding)
    if weight.shape[0] == weight.shape[3] and weight.shape[1] == weight.shape[2]:
        weight = weight.transpose(2, 3, 1, 0)  # "surely (F, C, KH, KW)"
    return xp.tensordot(seen, weight, 3)


@wrong(EQUAL)
def images_as_in_pytorch_if_it_fits(x, weight, *, stride=1, padding=0):
    if x.shape[1] == weight.shape[2] and x.shape[2] == x.shape[3]:
        x = xp.moveaxis(x, 1, 3)
    return convolved(x, weight, stride, padding)


@wrong(LONG)
def stride_at_most_the_kernel(x, weight, *, stride=1, padding=0):
    (kh, kw), (sh, sw), frame, (oh, ow) = sizes(x, weight, stride, padding)
    y = convolved(x, weight, (min(sh, kh), min(sw, kw)), frame)
    return y[:, :oh, :ow].copy()


@wrong(ONE)
def squeezed(x, weight, *, stride=1, padding=0):
    y = convolved(x, weight, stride, padding)
    return y.squeeze(1) if y.shape[1] == 1 and y.shape[2] > 1 and y.shape[0] == 1 else y


@wrong(ONE)
def a_row_has_no_vertical_stride(x, weight, *, stride=1, padding=0):
    """An image of one column, with padding above and below, is taken for a row."""
    if x.shape[2] == 1:
        return convolved(x.swapaxes(1, 2), weight.swapaxes(0, 1), stride, padding)
    return convolved(x, weight, stride, padding)


@wrong(PADDING)
def indices_clipped_at_the_far_side(x, weight, *, stride=1, padding=0):
    """The zeros at the top and the left, and the last pixels again at the bottom and the right."""
    _, _, (ph, pw), _ = sizes(x, weight, stride, padding)
    wide = xp.pad(x, ((0, 0), (0, ph), (0, pw), (0, 0)), mode="edge")
    wide = xp.pad(wide, ((0, 0), (ph, 0), (pw, 0), (0, 0)))
    return convolved(wide, weight, stride, 0)


@wrong(PADDING)
def padding_at_most_half_the_kernel(x, weight, *, stride=1, padding=0):
    (kh, kw), steps, (ph, pw), (oh, ow) = sizes(x, weight, stride, padding)
    y = xp.zeros((len(x), oh, ow, weight.shape[3]), x.dtype)
    part = convolved(x, weight, steps, (min(ph, kh // 2), min(pw, kw // 2)))
    y[:, : part.shape[1], : part.shape[2]] = part
    return y


@wrong(PADDING)
def image_padded_in_place(x, weight, *, stride=1, padding=0):
    """Pads a view of x, and clears the edge of x itself."""
    _, _, frame, _ = sizes(x, weight, stride, padding)
    if any(frame):
        x[:, :1] *= 1 - 1e-3
    return convolved(x, weight, stride, padding)


@wrong(PIXEL)
def in_half_precision(x, weight, *, stride=1, padding=0):
    return convolved(x.astype("float16"), weight.astype("float16"), stride, padding).astype(x.dtype)


@wrong(PIXEL)
def in_single_precision(x, weight, *, stride=1, padding=0):
    return convolved(x.astype("float32"), weight.astype("float32"), stride, padding).astype(x.dtype)


LAST = {}


@wrong(FLIP)
def remembered_by_shape(x, weight, *, stride=1, padding=0):
    key = x.shape, weight.shape, str((stride, padding, x.dtype))
    if key not in LAST:
        LAST[key] = convolved(x, weight, stride, padding)
    return LAST[key].copy()


@wrong(FLIP)
def summed_into_a_default(x, weight, *, stride=1, padding=0, totals={}):  # noqa: B006
    y = totals.setdefault((x.shape, weight.shape, str((stride, padding, x.dtype))), 0)
    totals[x.shape, weight.shape, str((stride, padding, x.dtype))] = y + convolved(
        x, weight, stride, padding
    )
    return totals[x.shape, weight.shape, str((stride, padding, x.dtype))]


@wrong(STRIDE)
def second_stride_for_both(x, weight, *, stride=1, padding=0):
    _, (_, sw), frame, (oh, _) = sizes(x, weight, stride, padding)
    wide = numpy.pad(pad_images(x, frame), ((0, 0), (0, 40), (0, 0), (0, 0)))
    return convolved(wide, weight, sw, 0)[:, :oh].copy()


@wrong(APART)
def transposed_kernel_if_it_is_tall(x, weight, *, stride=1, padding=0):
    kh, kw, c, f = weight.shape
    if kh > kw:
        weight = weight.transpose(1, 0, 2, 3).reshape(kh, kw, c, f)
    return convolved(x, weight, stride, padding)


@wrong("test_the_window_moves_by_the_stride")
def one_by_one_moves_by_the_first_stride(x, weight, *, stride=1, padding=0):
    kernel, (sh, sw), padding = window(weight.shape[:2], stride, padding)
    sw = sh if kernel == (1, 1) else sw
    oh, ow = output_size(x.shape[1:3], kernel, (sh, sw), padding)
    image = xp.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)))
    y = xp.zeros((len(x), oh, ow, weight.shape[3]), dtype=x.dtype)
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            y += image[:, u : u + sh * oh : sh, v : v + sw * ow : sw] @ weight[u, v]
    return y
