"""Strange solutions of 05f."""

from functools import partial

from minires.backend import xp
from minires.ops.conv import col2im, im2col
from minires.ops.windows import output_size, overlap_add, pad_images, views, window
from tests.course.kinds import right, wrong

RESULT, PIXEL, ONE = (
    "test_the_result_is_the_convolution",
    "test_a_1x1_kernel",
    "test_one_channel_and_one_filter",
)
BOTH, MOVED = "test_both_gradients_are_right", "test_with_stride_and_padding_too"
EQUAL, ROW = "test_sizes_that_are_all_equal", "test_a_kernel_of_one_row_or_one_column"
LARGE, LONG = "test_a_kernel_as_large_as_the_image", "test_a_stride_longer_than_the_kernel"
AXES = [0, 1, 2], [0, 1, 2]


class Places:
    """The sizes, and the pixels under each kernel position."""

    def __init__(self, x, weight, stride, padding):
        self.kernel, self.steps, self.frame = window(weight.shape[:2], stride, padding)
        self.shape = x.shape
        self.size = output_size(x.shape[1:3], self.kernel, self.steps, self.frame)

    def under(self, x):
        return views(pad_images(x, self.frame), self.kernel, self.steps, self.size)

    def sent(self, parts, dtype):
        return overlap_add(parts, self.shape, self.kernel, self.steps, self.frame, dtype)


def forward(x, weight, places):
    flat = weight.reshape(-1, *weight.shape[2:])
    return sum(pixels @ part for pixels, part in zip(places.under(x), flat))


def g_x_of(weight, places, g):
    """The gradient of x, with these weights."""
    return places.sent((g @ weight[place].T for place in xp.ndindex(*places.kernel)), g.dtype)


def g_weight_of(x, weight, places, g):
    parts = [xp.tensordot(pixels, g, AXES) for pixels in places.under(x)]
    return xp.stack(parts).reshape(weight.shape)


def op(x, weight, stride, padding, other=None):
    """The right op; other(weight)  the weights in the gradient of x."""
    places = Places(x, weight, stride, padding)

    def backward(g):
        turned = weight if other is None else other(weight)
        return g_x_of(turned, places, g), g_weight_of(x, weight, places, g)

    return forward(x, weight, places), backward


@right
def parts_sent_by_overlap_add(x, weight, *, stride=1, padding=0):
    return op(x, weight, stride, padding)


@right
def loops_read_backwards_on_both_sides(x, weight, *, stride=1, padding=0):
    """The flipped index is right where the pixels are flipped as well."""
    (kh, kw), (sh, sw), (ph, pw) = window(weight.shape[:2], stride, padding)
    _, h, w, _ = x.shape
    oh, ow = output_size((h, w), (kh, kw), (sh, sw), (ph, pw))
    image = pad_images(x, (ph, pw))

    def pixels(u, v):
        u, v = kh - 1 - u, kw - 1 - v
        return slice(None), slice(u, u + sh * oh, sh), slice(v, v + sw * ow, sw)

    turned = weight[::-1, ::-1]
    y = sum(image[pixels(u, v)] @ turned[u, v] for u, v in xp.ndindex(kh, kw))

    def backward(g):
        g_image, g_weight = xp.zeros_like(image), xp.empty_like(weight)
        for u, v in xp.ndindex(kh, kw):
            g_image[pixels(u, v)] += g @ turned[u, v].T
            g_weight[kh - 1 - u, kw - 1 - v] = xp.tensordot(image[pixels(u, v)], g, AXES)
        return g_image[:, ph : ph + h, pw : pw + w], g_weight

    return y, backward


@right
def all_parts_at_once(x, weight, *, stride=1, padding=0):
    places = Places(x, weight, stride, padding)

    def backward(g):
        parts = xp.einsum("nijf,uvcf->uvnijc", g, weight, optimize=True)
        g_x = places.sent(iter(parts.reshape(-1, *parts.shape[2:])), g.dtype)
        return g_x, g_weight_of(x, weight, places, g)

    return forward(x, weight, places), backward


@right
def weights_transposed_first(x, weight, *, stride=1, padding=0):
    places = Places(x, weight, stride, padding)
    columns = {"kernel": places.kernel, "stride": places.steps, "padding": places.frame}

    def backward(g):
        turned = xp.ascontiguousarray(weight.transpose(3, 0, 1, 2)).reshape(weight.shape[3], -1)
        g_rows = g.reshape(-1, weight.shape[3]) @ turned
        return col2im(g_rows, shape=x.shape, **columns)[0], g_weight_of(x, weight, places, g)

    return forward(x, weight, places), backward


@right
def window_by_window(x, weight, *, stride=1, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = window(weight.shape[:2], stride, padding)
    places = Places(x, weight, stride, padding)
    y = forward(x, weight, places)

    def backward(g):
        image = pad_images(x, (ph, pw))
        g_image, g_weight = xp.zeros(image.shape, g.dtype), xp.zeros(weight.shape, g.dtype)
        for i, j in xp.ndindex(y.shape[1:3]):
            at = slice(None), slice(i * sh, i * sh + kh), slice(j * sw, j * sw + kw)
            g_image[at] += xp.einsum("nf,uvcf->nuvc", g[:, i, j], weight)
            g_weight += xp.einsum("nuvc,nf->uvcf", image[at], g[:, i, j])
        return g_image[:, ph : ph + x.shape[1], pw : pw + x.shape[2]], g_weight

    return y, backward


@right
def in_double(x, weight, *, stride=1, padding=0):
    y, backward = op(x.astype("float64"), weight.astype("float64"), stride, padding)
    return y.astype(x.dtype), lambda g: tuple(part.astype(x.dtype) for part in backward(g))


def turned_both(weight):
    return weight[::-1, ::-1]


@wrong(EQUAL)
def mended_unless_the_kernel_is_square(x, weight, *, stride=1, padding=0):
    square = weight.shape[0] == weight.shape[1] == weight.shape[2]
    return op(x, weight, stride, padding, turned_both if square else None)


@wrong(EQUAL)
def not_transposed_if_it_fits(x, weight, *, stride=1, padding=0):
    def fits(weight):
        return weight.swapaxes(2, 3) if weight.shape[2] == weight.shape[3] else weight

    return op(x, weight, stride, padding, fits)


@wrong(ROW)
def one_row_turned(x, weight, *, stride=1, padding=0):
    row = weight.shape[0] == 1 and weight.shape[1] > 1
    return op(x, weight, stride, padding, turned_both if row else None)


@wrong(ROW)
def one_column_turned(x, weight, *, stride=1, padding=0):
    column = weight.shape[1] == 1 and weight.shape[0] > 1
    return op(x, weight, stride, padding, turned_both if column else None)


@wrong(LARGE)
def whole_image_turned(x, weight, *, stride=1, padding=0):
    whole = weight.shape[:2] == x.shape[1:3]
    return op(x, weight, stride, padding, turned_both if whole else None)


@wrong(LONG)
def turned_where_windows_do_not_overlap(x, weight, *, stride=1, padding=0):
    kernel, steps, _ = window(weight.shape[:2], stride, padding)
    apart = steps[0] > kernel[0] and steps[1] > kernel[1]
    return op(x, weight, stride, padding, turned_both if apart else None)


@wrong(BOTH)
def read_across_first(x, weight, *, stride=1, padding=0):
    return op(x, weight, stride, padding, lambda weight: weight[:, ::-1])


@wrong(BOTH)
def mean_of_both_readings(x, weight, *, stride=1, padding=0):
    """Right for a symmetric kernel, and the docstring speaks of these."""
    return op(x, weight, stride, padding, lambda weight: (weight + turned_both(weight)) / 2)


@wrong(BOTH)
def positions_read_across_the_diagonal(x, weight, *, stride=1, padding=0):
    def across(weight):
        flat = weight.reshape(-1, *weight.shape[2:])
        kh, kw = weight.shape[:2]
        return flat.reshape(kw, kh, *weight.shape[2:]).swapaxes(0, 1)

    return op(x, weight, stride, padding, across)


@wrong(MOVED)
def turned_if_there_is_a_stride(x, weight, *, stride=1, padding=0):
    _, (sh, _), _ = window(weight.shape[:2], stride, padding)
    return op(x, weight, stride, padding, turned_both if sh > 1 and weight.shape[0] > 2 else None)


@wrong(MOVED)
def padding_at_the_end_of_the_gradient(x, weight, *, stride=1, padding=0):
    y, backward = op(x, weight, stride, padding)
    _, _, (ph, pw) = window(1, stride, padding)

    def shifted(g):
        g_x, g_weight = backward(g)
        return xp.roll(g_x, (ph, pw), axis=(1, 2)), g_weight

    return y, shifted


@wrong(PIXEL)
def parts_averaged_over_the_filters(x, weight, *, stride=1, padding=0):
    return op(x, weight, stride, padding, lambda weight: weight / weight.shape[3])


@wrong(BOTH)
def gradients_swapped(x, weight, *, stride=1, padding=0):
    y, backward = op(x, weight, stride, padding)
    return y, lambda g: backward(g)[::-1]


@wrong(BOTH)
def weights_of_the_last_call(x, weight, *, stride=1, padding=0):
    weights_of_the_last_call.saved = weight
    places = Places(x, weight, stride, padding)

    def backward(g):
        kept = weights_of_the_last_call.saved
        return g_x_of(kept, places, g), g_weight_of(x, weight, places, g)

    return forward(x, weight, places), backward


@wrong(ONE)
def image_zeroed_on_the_way(x, weight, *, stride=1, padding=0):
    """The gradient is written to the memory of x."""
    y, backward = op(x.copy(), weight, stride, padding)

    def into_x(g):
        x[...], g_weight = backward(g)
        return x, g_weight

    return y, into_x


@wrong(ONE)
def last_part_only(x, weight, *, stride=1, padding=0):
    def last(weight):
        alone = xp.zeros_like(weight)
        alone[-1, -1] = weight[-1, -1]
        return alone

    return op(x, weight, stride, padding, last)


@wrong(RESULT)
def result_of_the_turned_image(x, weight, *, stride=1, padding=0):
    y, _ = op(x[:, ::-1, ::-1], weight, stride, padding)
    return y, partial(lambda back, g: back(g), op(x, weight, stride, padding)[1])


@wrong(MOVED)
def columns_of_another_stride(x, weight, *, stride=1, padding=0):
    y, backward = op(x, weight, stride, padding)
    kernel, steps, frame = window(weight.shape[:2], stride, padding)

    def swapped(g):
        g_x, g_weight = backward(g)
        if steps[0] != steps[1]:
            other = im2col(x, kernel=kernel, stride=min(steps), padding=frame)[0]
            rows = g.reshape(-1, g.shape[3])
            g_weight = (other[: len(rows)].T @ rows).reshape(weight.shape)
        return g_x, g_weight

    return y, swapped
