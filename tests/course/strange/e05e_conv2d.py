"""Strange solutions of 05e."""

from functools import partial

from minires.backend import xp
from minires.ops.conv import col2im, im2col
from minires.ops.windows import output_size, overlap_add, pad_images, views, window
from tests.course.kinds import right, wrong

SUM = "test_the_sum_runs_over_all_channels_for_each_filter"
BIAS, MOVES = (
    "test_each_filter_has_its_own_bias",
    "test_the_window_moves_by_the_stride_over_zero_padding",
)
THREE = "test_there_are_three_gradients"
SKIP, PADDED = "test_a_1x1_kernel_may_skip_pixels", "test_a_1x1_kernel_may_be_padded"
EQUAL, LARGE = "test_sizes_that_are_all_equal", "test_a_kernel_as_large_as_the_image"
ONE = "test_one_channel_one_filter_or_one_image"
ZEROS, SAVED = "test_zeros_get_a_gradient", "test_the_columns_are_not_saved"
AXES = [0, 1, 2], [0, 1, 2]


def options_of(weight, stride, padding):
    kernel, stride, padding = window(weight.shape[:2], stride, padding)
    return {"kernel": kernel, "stride": stride, "padding": padding}


def forward(x, weight, bias, options):
    n, f = len(x), weight.shape[3]
    y = im2col(x, **options)[0] @ weight.reshape(-1, f)
    size = output_size(x.shape[1:3], *options.values())
    return (y if bias is None else y + bias).reshape(n, *size, f)


def back(x, weight, biased, options, g):
    rows = g.reshape(-1, weight.shape[3])
    g_x, _ = col2im(rows @ weight.reshape(-1, weight.shape[3]).T, shape=x.shape, **options)
    g_weight = (im2col(x, **options)[0].T @ rows).reshape(weight.shape)
    return g_x, g_weight, rows.sum(axis=0) if biased else None


def op(x, weight, bias, stride, padding):
    options = options_of(weight, stride, padding)
    return forward(x, weight, bias, options), partial(back, x, weight, bias is not None, options)


@right
def windows_and_tensordot(x, weight, bias=None, *, stride=1, padding=0):
    kernel, steps, frame = options_of(weight, stride, padding).values()

    def seen():
        image = pad_images(x, frame)
        patches = xp.lib.stride_tricks.sliding_window_view(image, kernel, axis=(1, 2))
        return patches[:, :: steps[0], :: steps[1]]  # (N, OH, OW, C, KH, KW)

    y = xp.tensordot(seen(), weight, ([4, 5, 3], [0, 1, 2]))
    if bias is not None:
        y = y + bias

    def backward(g):
        g_weight = xp.tensordot(seen(), g, AXES).transpose(1, 2, 0, 3)
        parts = (g @ weight[place].T for place in xp.ndindex(*kernel))
        g_x = overlap_add(parts, x.shape, kernel, steps, frame, g.dtype)
        return g_x, g_weight, None if bias is None else xp.einsum("nijf->f", g)

    return y, backward


@right
def bias_as_one_more_column(x, weight, bias=None, *, stride=1, padding=0):
    options, f = options_of(weight, stride, padding), weight.shape[3]
    size = output_size(x.shape[1:3], *options.values())
    last = xp.zeros((1, f), weight.dtype) if bias is None else bias.reshape(1, f)
    matrix = xp.concatenate([weight.reshape(-1, f), last])

    def wide():
        columns, _ = im2col(x, **options)
        return xp.concatenate([columns, xp.ones((len(columns), 1), x.dtype)], axis=1)

    def backward(g):
        rows = g.reshape(-1, f)
        g_matrix = wide().T @ rows
        g_x, _ = col2im((rows @ matrix.T)[:, :-1], shape=x.shape, **options)
        return g_x, g_matrix[:-1].reshape(weight.shape), None if bias is None else g_matrix[-1]

    return (wide() @ matrix).reshape(len(x), *size, f), backward


@right
def image_by_image(x, weight, bias=None, *, stride=1, padding=0):
    y = xp.concatenate([op(one[None], weight, bias, stride, padding)[0] for one in x])

    def backward(g):
        parts = [
            op(one[None], weight, bias, stride, padding)[1](part[None]) for one, part in zip(x, g)
        ]
        g_x, g_weight, g_bias = zip(*parts)
        return xp.concatenate(g_x), sum(g_weight), None if bias is None else sum(g_bias)

    return y, backward


class Convolution:
    def __init__(self, x, weight, bias, **options):
        self.x, self.weight, self.bias, self.options = x, weight, bias, options

    def forward(self):
        return forward(self.x, self.weight, self.bias, self.options)

    def __call__(self, g):
        return back(self.x, self.weight, self.bias is not None, self.options, g)


@right
def object_of_each_call(x, weight, bias=None, *, stride=1, padding=0):
    if x.ndim != 4 or weight.ndim != 4 or weight.shape[2] != x.shape[3]:
        raise ValueError(f"expected images and a weight for them, got {x.shape}, {weight.shape}")
    layer = Convolution(x, weight, bias, **options_of(weight, stride, padding))
    return layer.forward(), layer


@right
def gradient_of_weight_as_a_convolution(x, weight, bias=None, *, stride=1, padding=0):
    kernel, steps, frame = options_of(weight, stride, padding).values()
    size = output_size(x.shape[1:3], kernel, steps, frame)
    y, backward = op(x, weight, bias, stride, padding)

    def convolved(g):
        g_x, _, g_bias = backward(g)
        places = views(pad_images(x, frame), kernel, steps, size)
        parts = [xp.einsum("nijc,nijf->cf", view, g) for view in places]
        return g_x, xp.stack(parts).reshape(weight.shape), g_bias

    return y, convolved


@right
def padded_image_saved(x, weight, bias=None, *, stride=1, padding=0):
    """x is the middle of it."""
    options, (_, h, w, _) = options_of(weight, stride, padding), x.shape
    (ph, pw), image = options["padding"], pad_images(x, options["padding"])
    inside = {**options, "padding": (0, 0)}

    def backward(g):
        g_image, *others = back(image, weight, bias is not None, inside, g)
        return g_image[:, ph : ph + h, pw : pw + w], *others

    return forward(image, weight, bias, inside), backward


@wrong(PADDED)
def fast_way_for_1x1_forgets_the_padding(x, weight, bias=None, *, stride=1, padding=0):
    if weight.shape[:2] == (1, 1):
        return op(x, weight, bias, stride, 0)
    return op(x, weight, bias, stride, padding)


@wrong(SKIP)
def fast_way_for_1x1_sends_g_to_the_first_pixels(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)

    def fast(g):
        g_x, *others = backward(g)
        if weight.shape[:2] == (1, 1) and not xp.any(xp.array(padding)):
            g_x = xp.zeros_like(x)
            g_x[:, : g.shape[1], : g.shape[2]] = g @ weight[0, 0].T
        return g_x, *others

    return y, fast


@wrong(EQUAL)
def transposed_only_if_it_must_be(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)
    kh, kw, c, f = weight.shape

    def by_size(g):
        g_x, *others = backward(g)
        if c == f:
            parts = (g @ weight[place] for place in xp.ndindex(kh, kw))
            kernel, steps, frame = options_of(weight, stride, padding).values()
            g_x = overlap_add(parts, x.shape, kernel, steps, frame, g.dtype)
        return g_x, *others

    return y, by_size


@wrong(EQUAL)
def gradient_of_weight_by_size(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)

    def by_size(g):
        g_x, g_weight, g_bias = backward(g)
        turned = xp.einsum("uvcf->fuvc", g_weight)
        return g_x, (turned if turned.shape == weight.shape else g_weight), g_bias

    return y, by_size


@wrong(EQUAL)
def bias_along_the_first_axis_of_its_size(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)

    def by_size(g):
        axis = g.shape.index(weight.shape[3])
        others = tuple(i for i in range(4) if i != axis)
        return *backward(g)[:2], None if bias is None else g.sum(axis=others)

    return y, by_size


@wrong(LARGE)
def one_product_for_a_whole_image(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)
    if weight.shape[:2] == x.shape[1:3]:
        y = (x.reshape(len(x), -1) @ weight.reshape(-1, weight.shape[3]))[:, None, None]
        y = y if bias is None else y + bias
    return y, backward


@wrong(ONE)
def squeezed_weight(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)
    if weight.shape[2:] == (1, 1):
        return y, lambda g: (backward(g)[0], backward(g)[1].squeeze(), backward(g)[2])
    return y, backward


@wrong(ZEROS)
def bias_of_zeros_is_none(x, weight, bias=None, *, stride=1, padding=0):
    return op(x, weight, bias if bias is not None and xp.any(bias) else None, stride, padding)


@wrong(ZEROS)
def weights_of_zeros_stay_zeros(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)
    return y, lambda g: (backward(g)[0], backward(g)[1] * (weight != 0), backward(g)[2])


@wrong(ZEROS)
def black_pixels_get_no_gradient(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)
    return y, lambda g: (backward(g)[0] * (x != 0), *backward(g)[1:])


@wrong(THREE)
def state_of_the_function(x, weight, bias=None, *, stride=1, padding=0):
    options = options_of(weight, stride, padding)
    state_of_the_function.saved = x, weight, bias is not None, options
    return forward(x, weight, bias, options), lambda g: back(*state_of_the_function.saved, g)


KEPT = {}


@wrong(THREE)
def inputs_kept_by_shape(x, weight, bias=None, *, stride=1, padding=0):
    options = options_of(weight, stride, padding)
    key = x.shape, weight.shape, bias is None, x.dtype
    KEPT[key] = x, weight, bias is not None, options
    return forward(x, weight, bias, options), lambda g: back(*KEPT[key], g)


@wrong(SAVED)
def columns_saved_without_a_bias(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)
    columns, _ = im2col(x, **options_of(weight, stride, padding)) if bias is None else (None, None)

    def kept(g, columns=columns):
        return backward(g)

    return y, kept


@wrong(BIAS)
def bias_added_into_the_bias(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)
    if bias is not None:
        bias *= 1.001
    return y, backward


@wrong(MOVES)
def negative_pixels_of_the_padding(x, weight, bias=None, *, stride=1, padding=0):
    """The padding is -1 instead of 0."""
    options = options_of(weight, stride, padding)
    image = pad_images(x, options["padding"], -1)
    y = forward(image, weight, bias, {**options, "padding": (0, 0)})
    return y, partial(back, x, weight, bias is not None, options)


@wrong(SUM)
def in_single_precision(x, weight, bias=None, *, stride=1, padding=0):
    y, backward = op(x, weight, bias, stride, padding)
    return y.astype("float32").astype(x.dtype), backward
