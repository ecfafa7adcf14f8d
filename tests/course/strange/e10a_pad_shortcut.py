"""Strange solutions of 10a."""

import numpy

from minires.backend import xp
from tests.course.kinds import right, wrong

SECOND, ZEROS, UP = (
    "test_every_second_pixel_is_taken",
    "test_zero_channels_come_before_and_after",
    "test_sizes_are_rounded_up",
)
CHANNELS_BACK, PIXELS_BACK = (
    "test_zero_channels_bring_no_gradient_back",
    "test_skipped_pixels_get_the_gradient_0",
)
EQUAL, ANYTHING = (
    "test_sizes_may_be_equal_or_1",
    "test_skipped_numbers_may_be_anything",
)
MOVED = "test_numbers_are_only_moved"


def places(shape, channels, stride):
    """For each element of the result that is not 0: its index, and that of its source."""
    before = (channels - shape[3]) // 2
    n, i, j, c = numpy.indices(
        (shape[0], -(-shape[1] // stride), -(-shape[2] // stride), shape[3])
    ).reshape(4, -1)
    return (n, i, j, c + before), (n, i * stride, j * stride, c)


def out_shape(shape, channels, stride):
    return (shape[0], -(-shape[1] // stride), -(-shape[2] // stride), channels)


@right
def by_indices(x, *, channels, stride=1):
    to, source = places(x.shape, channels, stride)
    y = xp.zeros(out_shape(x.shape, channels, stride), dtype=x.dtype)
    y[to] = x[source]

    def backward(g):
        g_x = xp.zeros(x.shape, dtype=g.dtype)
        xp.add.at(g_x, source, g[to])
        return (g_x,)

    return y, backward


@right
def channels_first_inside(x, *, channels, stride=1):
    shape = x.shape
    turned = x.transpose(0, 3, 1, 2)[..., ::stride, ::stride]
    before = (channels - shape[3]) // 2
    after = channels - shape[3] - before
    y = xp.pad(turned, [(0, 0), (before, after), (0, 0), (0, 0)]).transpose(0, 2, 3, 1)

    def backward(g):
        g_x = xp.zeros((shape[0], shape[3], shape[1], shape[2]), dtype=g.dtype)
        g_x[..., ::stride, ::stride] = g.transpose(0, 3, 1, 2)[:, before : before + shape[3]]
        return (g_x.transpose(0, 2, 3, 1),)

    return y, backward


@right
def deleted_rows(x, *, channels, stride=1):
    skipped = [[k for k in range(size) if k % stride] for size in x.shape[1:3]]
    seen = numpy.delete(numpy.delete(x, skipped[0], axis=1), skipped[1], axis=2)
    before = (channels - x.shape[3]) // 2
    own = range(before, before + x.shape[3])
    y = xp.zeros_like(seen, shape=(*seen.shape[:3], channels))
    for k, channel in enumerate(own):
        y[..., channel] = seen[..., k]

    def backward(g):
        g_x = xp.zeros_like(x)
        for k, channel in enumerate(own):
            g_x[:, ::stride, ::stride, k] = g[..., channel]
        return (g_x,)

    return y, backward


@right
class PadShortcut:
    """The class is the op."""

    def __new__(cls, x, *, channels, stride=1):
        self = object.__new__(cls)
        self.index = (slice(None), slice(None, None, stride), slice(None, None, stride))
        self.shape, self.start = x.shape, (channels - x.shape[3]) >> 1
        y = xp.pad(
            x[self.index], ((0, 0),) * 3 + ((self.start, channels - x.shape[3] - self.start),)
        )
        return y, self.backward

    def backward(self, g):
        g_x = xp.zeros(self.shape, g.dtype)
        g_x[self.index] = g[..., self.start :][..., : self.shape[3]]
        return (g_x,)


BUFFERS, LAST = {}, {}


@wrong(SECOND)
def one_buffer_per_shape(x, *, channels, stride=1):
    y, backward = by_indices(x, channels=channels, stride=stride)
    kept = BUFFERS.setdefault((y.shape, y.dtype), xp.zeros_like(y))
    kept[...] = y
    return kept, backward


@wrong(PIXELS_BACK)
def shape_of_the_last_call(x, *, channels, stride=1):
    LAST.update(shape=x.shape, stride=stride, before=(channels - x.shape[3]) // 2)
    y, _ = by_indices(x, channels=channels, stride=stride)

    def backward(g):
        g_x = xp.zeros(LAST["shape"], dtype=g.dtype)
        step = LAST["stride"]
        g_x[:, ::step, ::step] = g[..., LAST["before"] :][..., : LAST["shape"][3]]
        return (g_x,)

    return y, backward


@wrong(PIXELS_BACK)
def gradient_accumulates(x, *, channels, stride=1):
    """g_x is made once, and each backward pass writes into it."""
    y, backward = by_indices(x, channels=channels, stride=stride)
    g_x = xp.zeros(x.shape, x.dtype)

    def kept(g):
        g_x[...] = backward(g)[0]
        return (g_x,)

    return y, kept


@wrong(ANYTHING)
def by_a_mask(x, *, channels, stride=1):
    """The skipped pixels times 0: NaN and infinity survive that."""
    n, h, w, c = x.shape
    mask = xp.zeros((1, h, w, 1), dtype=x.dtype)
    mask[:, ::stride, ::stride] = 1
    masked = x * mask
    high, wide = -(-h // stride), -(-w // stride)
    framed = xp.zeros((n, high * stride, wide * stride, c), dtype=x.dtype)
    framed[:, :h, :w] = masked
    seen = framed.reshape(n, high, stride, wide, stride, c).sum(axis=(2, 4), dtype=x.dtype)
    before = (channels - c) // 2
    y = xp.pad(seen, ((0, 0), (0, 0), (0, 0), (before, channels - c - before)))
    return y, by_indices(x, channels=channels, stride=stride)[1]


@wrong(ANYTHING)
def by_a_matrix(x, *, channels, stride=1):
    """The channels by matrix multiplication: 0 times NaN is NaN."""
    c = x.shape[3]
    matrix = xp.eye(c, channels, k=(channels - c) // 2, dtype=x.dtype)
    shape = x.shape

    def backward(g):
        g_x = xp.zeros(shape, dtype=g.dtype)
        g_x[:, ::stride, ::stride] = g @ matrix.T
        return (g_x,)

    return x[:, ::stride, ::stride] @ matrix, backward


@wrong(EQUAL)
def axes_by_their_size(x, *, channels, stride=1):
    """The channels are the last axis with as many elements as there are channels, counted from the left."""
    y, backward = by_indices(x, channels=channels, stride=stride)
    if x.shape[0] == x.shape[3]:
        return xp.ascontiguousarray(y.swapaxes(1, 2)), backward
    return y, backward


@wrong(EQUAL)
def images_of_one_row_unchanged(x, *, channels, stride=1):
    step = stride if min(x.shape[1:3]) > 1 else 1
    return by_indices(x, channels=channels, stride=step)


@wrong(UP)
def stride_2_at_most(x, *, channels, stride=1):
    return by_indices(x, channels=channels, stride=min(stride, 2))


@wrong(CHANNELS_BACK)
def a_channel_slice_of_g_rescaled(x, *, channels, stride=1):
    """backward writes to its part of g before it returns it."""
    y, backward = by_indices(x, channels=channels, stride=stride)
    before = (channels - x.shape[3]) // 2

    def view(g):
        if stride > 1:
            return backward(g)
        own = g[..., before : before + x.shape[3]]
        own *= 1.0000001
        return (own,)

    return y, view


@wrong(ZEROS)
def float64_always(x, *, channels, stride=1):
    y, backward = by_indices(x, channels=channels, stride=stride)
    return y.astype("float64"), backward


@wrong(SECOND)
def read_as_if_contiguous(x, *, channels, stride=1):
    flat = numpy.array(x.ravel(order="K")).reshape(x.shape)
    return by_indices(flat, channels=channels, stride=stride)


@wrong(CHANNELS_BACK)
def backward_without_its_comma(x, *, channels, stride=1):
    y, backward = by_indices(x, channels=channels, stride=stride)
    return y, lambda g: backward(g)[0]


@wrong(MOVED)
def a_matrix_of_0_and_1(x, *, channels, stride=1):
    """Pixels times a matrix: 0 * NaN is NaN, so one channel of a pixel spoils all others."""
    before, c = (channels - x.shape[3]) // 2, x.shape[3]
    y = x[:, ::stride, ::stride] @ xp.eye(c, channels, before, dtype=x.dtype)
    return y, by_indices(x, channels=channels, stride=stride)[1]


@wrong(MOVED)
def upsampled_and_masked(x, *, channels, stride=1):
    """The gradient is repeated, then multiplied by 0 where a pixel is skipped: infinity times 0 isn't 0."""
    y, backward = by_indices(x, channels=channels, stride=stride)
    taken = xp.zeros(x.shape[1:3], dtype=x.dtype)
    taken[::stride, ::stride] = 1

    def masked(g):
        g = backward(g)[0][:, ::stride, ::stride]
        large = g.repeat(stride, axis=1).repeat(stride, axis=2)
        return (large[:, : x.shape[1], : x.shape[2]] * taken[..., None],)

    return y, masked


@wrong(MOVED)
def nan_to_num(x, *, channels, stride=1):
    return by_indices(numpy.nan_to_num(x), channels=channels, stride=stride)


@wrong(MOVED)
def no_gradient_where_the_result_is_0(x, *, channels, stride=1):
    """As if a 0 could only come from a zero channel: after a ReLU, half of all numbers are 0."""
    y, backward = by_indices(x, channels=channels, stride=stride)
    return y, lambda g: backward(numpy.where(y != 0, g, g.dtype.type(0)))


@wrong("test_integers_stay_integers")
def floats_at_least(x, *, channels, stride=1):
    y, backward = by_indices(x, channels=channels, stride=stride)
    return y.astype(numpy.result_type(x.dtype, numpy.float32)), backward


@wrong(ZEROS)
def a_quarter_before(x, *, channels, stride=1):
    """Right where the channels are doubled, as between two stages."""
    y, c = xp.zeros(out_shape(x.shape, channels, stride), dtype=x.dtype), x.shape[3]
    before = min(channels // 4, channels - c)
    y[..., before : before + c] = x[:, ::stride, ::stride]
    return y, by_indices(x, channels=channels, stride=stride)[1]


@wrong(CHANNELS_BACK)
def up_to_minus_0(x, *, channels, stride=1):
    """[before:-after] is empty where nothing comes after."""
    y, backward = by_indices(x, channels=channels, stride=stride)
    after = channels - x.shape[3] - (channels - x.shape[3]) // 2
    return y, lambda g: backward(g) if g[..., :-after].size else (0 * x,)
