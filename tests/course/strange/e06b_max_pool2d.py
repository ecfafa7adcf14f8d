"""Strange solutions of 06b."""

from functools import partial

from minires.backend import xp
from minires.ops.windows import output_size, overlap_add, pad_images, views, window
from tests.course.kinds import right, wrong

LARGEST, SIDE = (
    "test_the_result_is_the_maximum_of_each_window",
    "test_without_a_stride_windows_are_next_to_each_other",
)
PADDING, GOES = "test_the_padding_never_wins", "test_the_gradient_goes_to_the_maximum"
TWICE, TIE = (
    "test_a_maximum_of_two_windows_gets_both_gradients",
    "test_on_a_tie_the_first_gets_all",
)
MANY = "test_a_window_may_have_more_than_256_positions"
NEAR, INFINITE = "test_numbers_that_are_nearly_equal_are_no_tie", "test_infinite_numbers"
PIXEL, LARGE = "test_a_1x1_kernel_may_skip_pixels", "test_a_kernel_as_large_as_the_image"
EQUAL, TIES = "test_sizes_that_are_all_equal", "test_the_padding_never_ties"


class Seen:
    """What each window sees, (K, N, OH, OW, C), and the sizes."""

    def __init__(self, x, kernel, stride, padding, fill=-float("inf")):
        self.kernel, self.stride, self.padding = window(
            kernel, kernel if stride is None else stride, padding
        )
        self.shape = x.shape
        self.size = output_size(x.shape[1:3], self.kernel, self.stride, self.padding)
        image = pad_images(x, self.padding, fill)
        self.pixels = xp.stack(list(views(image, self.kernel, self.stride, self.size)))

    def sent(self, parts, dtype):
        return overlap_add(parts, self.shape, self.kernel, self.stride, self.padding, dtype)

    def to(self, place, g):
        return (self.sent((g * (place == k) for k in range(len(self.pixels))), g.dtype),)


def op(x, kernel, stride, padding, place=None, **how):
    """The right op; place(pixels)  another choice of the winner."""
    seen = Seen(x, kernel, stride, padding, **how)
    winner = seen.pixels.argmax(axis=0) if place is None else place(seen.pixels)
    return seen.pixels.max(axis=0), partial(seen.to, winner)


@right
def added_at_the_indices(x, *, kernel, stride=None, padding=0):
    (_, kw), (sh, sw), (ph, pw) = window(kernel, kernel if stride is None else stride, padding)
    seen, shape = Seen(x, kernel, stride, padding), x.shape
    u, v = xp.divmod(seen.pixels.argmax(axis=0), kw)
    n, i, j, c = xp.ogrid[tuple(map(slice, u.shape))]
    index = n, i * sh + u - ph, j * sw + v - pw, c

    def backward(g):
        g_x = xp.zeros(shape, g.dtype)
        xp.add.at(g_x, index, g)
        return (g_x,)

    return seen.pixels.max(axis=0), backward


@right
def tournament(x, *, kernel, stride=None, padding=0):
    """Halves play against halves; the earlier position wins a tie."""
    seen = Seen(x, kernel, stride, padding)

    def best(low, high):
        if high - low == 1:
            return seen.pixels[low], xp.full(seen.pixels[low].shape, low)
        middle = (low + high) // 2
        (a, at), (b, other) = best(low, middle), best(middle, high)
        return xp.maximum(a, b), xp.where(b > a, other, at)

    y, place = best(0, len(seen.pixels))
    return y.copy(), partial(seen.to, place)


@right
def largest_finite_number_as_padding(x, *, kernel, stride=None, padding=0):
    """The smallest number there is loses against all but -inf, and a window sees more than that."""
    return op(x, kernel, stride, padding, fill=xp.finfo(x.dtype).min)


@right
def windows_of_numpy(x, *, kernel, stride=None, padding=0):
    (kh, kw), (sh, sw), (ph, pw) = window(kernel, kernel if stride is None else stride, padding)
    image = xp.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)), constant_values=-xp.inf)
    seen = xp.lib.stride_tricks.sliding_window_view(image, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
    flat = seen.reshape(*seen.shape[:4], kh * kw)
    place = flat.argmax(axis=-1)

    def backward(g):
        g_image = xp.zeros(image.shape, g.dtype)
        for at in xp.ndindex(g.shape):
            (n, i, j, c), (u, v) = at, divmod(int(place[at]), kw)
            g_image[n, i * sh + u, j * sw + v, c] += g[at]
        return (g_image[:, ph : ph + x.shape[1], pw : pw + x.shape[2]],)

    return xp.take_along_axis(flat, place[..., None], axis=-1)[..., 0], backward


class Winners:
    def __init__(self, seen):
        self.seen, taken = seen, xp.zeros(seen.pixels[0].shape, bool)
        self.masks, y = [], seen.pixels.max(axis=0)
        for pixels in seen.pixels:
            self.masks.append((pixels == y) & ~taken)
            taken |= self.masks[-1]

    def __call__(self, g):
        return (self.seen.sent((xp.where(mask, g, 0) for mask in self.masks), g.dtype),)


@right
def masks_of_each_position(x, *, kernel, stride=None, padding=0):
    seen = Seen(x, kernel, stride, padding)
    return seen.pixels.max(axis=0), Winners(seen)


@right
def sorted_stably(x, *, kernel, stride=None, padding=0):
    seen = Seen(x, kernel, stride, padding)
    order = xp.argsort(-seen.pixels, axis=0, kind="stable")
    y = xp.take_along_axis(seen.pixels, order[:1], axis=0)[0]
    return y, partial(seen.to, order[0])


@wrong(PADDING)
def minus_1000_around(x, *, kernel, stride=None, padding=0):
    return op(x, kernel, stride, padding, fill=-1000)


@wrong(PADDING)
def minus_1e9_around(x, *, kernel, stride=None, padding=0):
    return op(x, kernel, stride, padding, fill=-1e9)


@wrong(TIES)
def smallest_pixel_around(x, *, kernel, stride=None, padding=0):
    """On a tie, the padding comes first."""
    return op(x, kernel, stride, padding, fill=x.min())


@wrong(PADDING)
def nothing_below_0_after_a_relu(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    return (xp.maximum(y, 0) if xp.any(xp.array(padding)) else y), backward


@wrong(NEAR)
def close_to_the_maximum(x, *, kernel, stride=None, padding=0):
    def first_close(pixels):
        return xp.isclose(pixels, pixels.max(axis=0)).argmax(axis=0)

    return op(x, kernel, stride, padding, first_close)


@wrong(NEAR)
def ties_broken_by_a_small_number(x, *, kernel, stride=None, padding=0):
    def earlier(pixels):
        k = xp.arange(len(pixels)).reshape(-1, 1, 1, 1, 1)
        return (pixels - 1e-9 * k).argmax(axis=0)

    return op(x, kernel, stride, padding, earlier)


@wrong(NEAR)
def compared_in_single_precision(x, *, kernel, stride=None, padding=0):
    return op(x, kernel, stride, padding, lambda pixels: pixels.astype("float32").argmax(axis=0))


@wrong(INFINITE)
def infinite_pixels_replaced(x, *, kernel, stride=None, padding=0):
    return op(xp.nan_to_num(x), kernel, stride, padding)


@wrong(MANY)
def position_in_one_byte(x, *, kernel, stride=None, padding=0):
    return op(x, kernel, stride, padding, lambda pixels: pixels.argmax(axis=0).astype("uint8"))


@wrong(MANY)
def position_in_a_signed_byte(x, *, kernel, stride=None, padding=0):
    def signed(pixels):
        return pixels.argmax(axis=0).astype("int8")

    return op(x, kernel, stride, padding, signed)


@wrong(PIXEL)
def a_pixel_is_its_own_maximum(x, *, kernel, stride=None, padding=0):
    if window(kernel, 1, 0)[0] == (1, 1):
        return x.copy(), lambda g: (g.copy(),)
    return op(x, kernel, stride, padding)


@wrong(LARGE)
def one_maximum_for_a_whole_image(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    return (x.max(axis=(1, 2), keepdims=True) if window(kernel, 1, 0)[0] == x.shape[1:3] else y), backward  # fmt: skip


@wrong(EQUAL)
def channels_first_if_it_fits(x, *, kernel, stride=None, padding=0):
    if x.shape[1] == x.shape[2] == x.shape[3] and x.shape[3] > 1:
        y, backward = op(xp.moveaxis(x, 1, 3), kernel, stride, padding)
        return xp.moveaxis(y, 3, 1).copy(), lambda g: (xp.moveaxis(*backward(xp.moveaxis(g, 1, 3)), 3, 1),)  # fmt: skip
    return op(x, kernel, stride, padding)


@wrong(SIDE)
def stride_of_the_height_for_both(x, *, kernel, stride=None, padding=0):
    (kh, _), *_ = window(kernel, 1, 0)
    return op(x, kernel, kh if stride is None else stride, padding)


@wrong(TIE)
def last_row_of_ties(x, *, kernel, stride=None, padding=0):
    """Down first, then across."""
    (kh, kw), *_ = window(kernel, 1, 0)

    def down_first(pixels):
        turned = pixels.reshape(kh, kw, *pixels.shape[1:]).swapaxes(0, 1).reshape(pixels.shape)
        v, u = xp.divmod(turned.argmax(axis=0), kh)
        return u * kw + v

    return op(x, kernel, stride, padding, down_first)


@wrong(TIE)
def no_gradient_for_zeros(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    return y, lambda g: backward(g * (y != 0))


@wrong(GOES)
def winners_of_the_last_call(x, *, kernel, stride=None, padding=0):
    y, winners_of_the_last_call.backward = op(x, kernel, stride, padding)
    return y, lambda g: winners_of_the_last_call.backward(g)


PLACES = {}


@wrong(GOES)
def winners_by_shape(x, *, kernel, stride=None, padding=0):
    seen = Seen(x, kernel, stride, padding)
    key = x.shape, seen.kernel, seen.stride, seen.padding, x.dtype
    place = PLACES.setdefault(key, seen.pixels.argmax(axis=0))
    return seen.pixels.max(axis=0), partial(seen.to, place)


@wrong(TWICE)
def added_once_per_pixel(x, *, kernel, stride=None, padding=0):
    """g is added at an index in which a pixel may occur twice."""
    (_, kw), (sh, sw), (ph, pw) = window(kernel, kernel if stride is None else stride, padding)
    seen, shape = Seen(x, kernel, stride, padding), x.shape
    u, v = xp.divmod(seen.pixels.argmax(axis=0), kw)
    n, i, j, c = xp.ogrid[tuple(map(slice, u.shape))]

    def backward(g):
        g_x = xp.zeros(shape, g.dtype)
        g_x[n, i * sh + u - ph, j * sw + v - pw, c] += g
        return (g_x,)

    return seen.pixels.max(axis=0), backward


@wrong(LARGEST)
def a_millionth_less(x, *, kernel, stride=None, padding=0):
    y, backward = op(x, kernel, stride, padding)
    return xp.where(y < 4, y - 1e-6, y), backward


@wrong(SIDE)
def windows_beyond_the_edge(x, *, kernel, stride=None, padding=0):
    """What is left over gets a window of its own."""
    kernel, stride, padding = window(kernel, kernel if stride is None else stride, padding)
    missing = [-(s + 2 * p - k) % t for s, p, k, t in zip(x.shape[1:3], padding, kernel, stride)]
    rest = (0, 0), (0, missing[0]), (0, missing[1]), (0, 0)
    y, backward = op(xp.pad(x, rest, constant_values=-xp.inf), kernel, stride, padding)
    return y, lambda g: (backward(g)[0][:, : x.shape[1], : x.shape[2]],)
