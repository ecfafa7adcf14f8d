"""Solutions of 05c."""

from minires.backend import xp
from minires.ops.conv import col2im
from minires.ops.windows import output_size, window
from tests.course.kinds import right, wrong

MUTATED = ("minires.ops.windows.pad_images",)


def sizes(x, kernel, stride, padding):
    kernel, stride, padding = window(kernel, stride, padding)
    return kernel, stride, padding, output_size(x.shape[1:3], kernel, stride, padding)


def padded(x, padding, **how):
    return xp.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)), **how)


def back(x, kernel, stride, padding):
    return lambda g: (col2im(g, shape=x.shape, kernel=kernel, stride=stride, padding=padding)[0],)


def by_places(x, kernel, stride, padding, pick=lambda u, v: (u, v), **how):
    """(N, OH, OW, KH, KW, C) and the options; pick  which place of the window comes at (u, v)."""
    kernel, stride, padding, (oh, ow) = sizes(x, kernel, stride, padding)
    (kh, kw), (sh, sw) = kernel, stride
    image = padded(x, padding, **how)
    columns = xp.empty((len(x), oh, ow, kh, kw, x.shape[3]), x.dtype)
    for u in range(kh):
        for v in range(kw):
            i, j = pick(u, v)
            columns[:, :, :, u, v] = image[:, i : i + sh * oh : sh, j : j + sw * ow : sw]
    return columns, (kernel, stride, padding)


def rows(columns):
    n, oh, ow, kh, kw, c = columns.shape
    return columns.reshape(n * oh * ow, kh * kw * c)


@right
def slices(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    return rows(columns), back(x, *options)


@right
def loops_over_steps(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, (oh, ow) = sizes(x, kernel, stride, padding)
    image, patches = padded(x, padding), []
    for image in padded(x, padding):
        for i in range(oh):
            for j in range(ow):
                top, left = i * stride[0], j * stride[1]
                patches.append(image[top : top + kernel[0], left : left + kernel[1]].ravel())
    return xp.stack(patches), back(x, kernel, stride, padding)


@right
def in_float64(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x.astype("float64"), kernel, stride, padding)
    return rows(columns).astype(x.dtype), lambda g: (
        back(x, *options)(g.astype("float64"))[0].astype(g.dtype),
    )


@right
def indices(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, (oh, ow) = sizes(x, kernel, stride, padding)
    down = stride[0] * xp.arange(oh)[:, None, None, None] + xp.arange(kernel[0])[:, None]
    across = stride[1] * xp.arange(ow)[:, None, None] + xp.arange(kernel[1])

    def backward(g):
        image = padded(xp.zeros(x.shape, g.dtype), padding)
        xp.add.at(image, (slice(None), down, across), g.reshape(len(x), oh, ow, *kernel, -1))
        return (
            image[:, padding[0] : padding[0] + x.shape[1], padding[1] : padding[1] + x.shape[2]],
        )

    return rows(padded(x, padding)[:, down, across]), backward


@wrong("test_a_row_keeps_the_channels_of_a_pixel_together", mistake="channels_first")
def channels_outside(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    n, oh, ow, kh, kw, c = columns.shape
    return xp.moveaxis(columns, -1, 3).reshape(n * oh * ow, -1), back(x, *options)


@wrong("test_every_patch_is_a_row", mistake="flipped")
def read_backwards(x, *, kernel, stride=1, padding=0):
    (kh, kw), *_ = window(kernel, stride, padding)
    columns, options = by_places(x, kernel, stride, padding, lambda u, v: (kh - 1 - u, kw - 1 - v))
    return rows(columns), back(x, *options)


@wrong("test_every_patch_is_a_row", mistake="columns_first")
def down_the_window(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    n, oh, ow, kh, kw, c = columns.shape
    return xp.einsum("nijuvc->nijvuc", columns).reshape(n * oh * ow, -1), back(x, *options)


@wrong("test_every_patch_is_a_row", mistake="transposed")
def steps_across_outside(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    patches = [
        columns[n, i, j].ravel()
        for n in range(len(x))
        for j in range(columns.shape[2])
        for i in range(columns.shape[1])
    ]
    return xp.stack(patches), back(x, *options)


@wrong("test_the_padding_is_zeros_around_the_image", mistake="edge_repeated")
def frame_of_neighbours(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding, mode="edge")
    return rows(columns), back(x, *options)


@wrong("test_the_window_moves_by_the_stride", mistake="stride_forgotten")
def always_one_pixel(x, *, kernel, stride=1, padding=0):
    columns, (kernel, _, padding) = by_places(x, kernel, (1, 1), padding)
    return rows(columns), back(x, kernel, (1, 1), padding)


@wrong("test_the_padding_is_zeros_around_the_image", mistake="padding_forgotten")
def bare(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, (0, 0))
    return rows(columns), back(x, *options)


@wrong("test_the_window_moves_by_the_stride", mistake="dilated")
def stride_within(x, *, kernel, stride=1, padding=0):
    (kh, kw), (sh, sw), padding = window(kernel, stride, padding)
    image = padded(x, padding)
    n, h, w, c = image.shape
    oh, ow = h - sh * (kh - 1), w - sw * (kw - 1)
    places = [
        image[:, sh * u : sh * u + oh, sw * v : sw * v + ow] for u in range(kh) for v in range(kw)
    ]
    return xp.stack(places, axis=3).reshape(n * oh * ow, -1), back(x, (kh, kw), (1, 1), padding)


@wrong("test_backward_adds_what_each_window_sends", mistake="divided")
def mean_of_windows(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    counts = sum_back(rows(xp.ones_like(columns)), x, options)
    return rows(columns), lambda g: (sum_back(g, x, options) / xp.where(counts == 0, 1, counts),)


def sum_back(g, x, options):
    return back(x, *options)(g)[0]


@wrong("test_backward_adds_what_each_window_sends")
def last_window_wins(x, *, kernel, stride=1, padding=0):
    columns, (kernel, stride, (ph, pw)) = by_places(x, kernel, stride, padding)

    def backward(g):
        image = padded(xp.zeros(x.shape, g.dtype), (ph, pw))
        g = g.reshape(columns.shape)
        for i in range(g.shape[1]):
            for j in range(g.shape[2]):
                top, left = i * stride[0], j * stride[1]
                image[:, top : top + kernel[0], left : left + kernel[1]] = g[:, i, j]
        return (image[:, ph : ph + x.shape[1], pw : pw + x.shape[2]],)

    return rows(columns), backward


@wrong("test_the_columns_are_a_copy")
def a_view(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, (oh, ow) = sizes(x, kernel, stride, padding)
    image = padded(x, padding) if any(padding) else x
    seen = xp.lib.stride_tricks.sliding_window_view(image, kernel, axis=(1, 2))[
        :, :: stride[0], :: stride[1]
    ]
    return rows(seen.transpose(0, 1, 2, 4, 5, 3)), back(x, kernel, stride, padding)


@right
def own_strides(x, *, kernel, stride=1, padding=0):
    return rows(
        strided(padded(x, sizes(x, kernel, stride, padding)[2]), x, kernel, stride, padding)
    ), back(x, *sizes(x, kernel, stride, padding)[:3])


def strided(image, x, kernel, stride, padding, strides=None):
    (kh, kw), (sh, sw), _, (oh, ow) = sizes(x, kernel, stride, padding)
    n, h, w, c = strides or image.strides
    shape = (len(x), oh, ow, kh, kw, x.shape[3])
    return xp.lib.stride_tricks.as_strided(image, shape, (n, sh * h, sw * w, h, w, c)).copy()


@wrong("test_images_may_have_any_memory_layout")
def strides_from_the_shape(x, *, kernel, stride=1, padding=0):
    kernel, stride, padding, _ = sizes(x, kernel, stride, padding)
    image = padded(x, padding) if any(padding) else x
    _, h, w, c = image.shape
    steps = tuple(image.itemsize * step for step in (h * w * c, w * c, c, 1))
    return rows(strided(image, x, kernel, stride, padding, steps)), back(x, kernel, stride, padding)


@wrong("test_every_patch_is_a_row")
def patches_as_columns(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    return rows(columns).T, lambda g: back(x, *options)(g.T)


@wrong("test_the_padding_is_zeros_around_the_image")
def padded_at_the_end(x, *, kernel, stride=1, padding=0):
    kernel, stride, (ph, pw), (oh, ow) = sizes(x, kernel, stride, padding)
    image = xp.pad(x, ((0, 0), (0, 2 * ph), (0, 2 * pw), (0, 0)))
    columns, _ = by_places(image, kernel, stride, 0)
    return rows(columns), back(x, kernel, stride, (ph, pw))


@wrong("test_every_patch_is_a_row")
def one_step_short(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    return rows(columns[:, :, :-1]), back(x, *options)


@wrong("test_every_patch_is_a_row")
def float64_columns(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    return rows(columns).astype("float64"), back(x, *options)


@wrong("test_backward_adds_what_each_window_sends")
def no_gradient(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    return rows(columns), lambda g: (xp.zeros_like(x),)


BUFFER = {}


@wrong("test_every_patch_is_a_row")
def one_buffer(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    columns = rows(columns)
    buffer = BUFFER.setdefault((columns.shape, columns.dtype), columns)
    buffer[...] = columns
    return buffer, back(x, *options)
