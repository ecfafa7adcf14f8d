"""Solutions of 05e."""

from minires.backend import xp
from minires.ops.conv import col2im, im2col
from minires.ops.windows import output_size, window
from tests.course.kinds import right, wrong

AS_IT_IS, SUM, APART = ("test_the_kernel_is_not_flipped", "test_the_sum_runs_over_all_channels_for_each_filter",
                        "test_height_and_width_are_told_apart")  # fmt: skip
BIAS, MOVES, THREE = ("test_each_filter_has_its_own_bias", "test_the_window_moves_by_the_stride_over_zero_padding",
                      "test_there_are_three_gradients")  # fmt: skip
KNOW, PIXEL, NONE, KEPT = ("test_the_gradients_know_stride_and_padding", "test_a_1x1_kernel_may_skip_pixels",
                           "test_without_a_bias_its_gradient_is_none", "test_the_columns_are_not_saved")  # fmt: skip
IMAGES = [0, 1, 2], [0, 1, 2]  # the axes that a gradient of weights is summed over


class Sizes:
    """The sizes of a convolution, and the views of an image that lie under each place of the window."""

    def __init__(self, x, weight, stride, padding):
        (self.n, self.h, self.w, self.c), (self.kh, self.kw, _, self.f) = x.shape, weight.shape
        self.kernel, self.steps, self.frame = window((self.kh, self.kw), stride, padding)
        self.oh, self.ow = output_size((self.h, self.w), self.kernel, self.steps, self.frame)
        self.options = {"kernel": self.kernel, "stride": self.steps, "padding": self.frame}

    def framed(self, x):
        return xp.pad(x, ((0, 0), (self.frame[0],) * 2, (self.frame[1],) * 2, (0, 0)))

    def under(self, image, u, v):
        (sh, sw), (oh, ow) = self.steps, (self.oh, self.ow)
        return image[:, u : u + sh * oh : sh, v : v + sw * ow : sw]

    def patches(self, x):
        """(N, OH, OW, KH*KW*C)"""
        return im2col(x, **self.options)[0].reshape(self.n, self.oh, self.ow, -1)


@right
def columns_made_twice(x, weight, bias=None, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    matrix = weight.reshape(s.kh * s.kw * s.c, s.f)
    y = s.patches(x) @ matrix
    if bias is not None:
        y += bias
    biased = bias is not None

    def backward(g):
        g_columns = xp.matmul(g, matrix.T).reshape(-1, s.kh * s.kw * s.c)
        g_x = col2im(g_columns, shape=x.shape, **s.options)[0]
        g_weight = xp.tensordot(s.patches(x), g, IMAGES).reshape(weight.shape)
        return g_x, g_weight, g.sum(axis=(0, 1, 2)) if biased else None

    return y, backward


@right
def place_by_place(x, weight, bias=None, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    biased = bias is not None
    y = xp.zeros((s.n, s.oh, s.ow, s.f), x.dtype) + (bias if biased else 0)
    image = s.framed(x)
    for u, v in xp.ndindex(s.kh, s.kw):
        y += s.under(image, u, v) @ weight[u, v]

    def backward(g):
        g_image, g_weight = xp.zeros_like(image), xp.empty_like(weight)
        for u, v in xp.ndindex(s.kh, s.kw):
            part = s.under(g_image, u, v)
            part += g @ weight[u, v].T
            g_weight[u, v] = xp.einsum("nijc,nijf->cf", s.under(image, u, v), g)
        (ph, pw) = s.frame
        g_bias = xp.ones(g[..., 0].size, g.dtype) @ g.reshape(-1, s.f) if biased else None
        return g_image[:, ph : ph + s.h, pw : pw + s.w], g_weight, g_bias

    return y, backward


@right
def by_einsum_in_float64(x, weight, bias=None, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    dtype, biased = x.dtype, bias is not None
    y = xp.einsum(
        "nijk,kf->nijf", s.patches(x.astype("float64")), weight.reshape(-1, s.f).astype("float64")
    )
    y = y + bias if biased else y

    def backward(g):
        wide = g.astype("float64")
        g_columns = xp.einsum("nijf,kf->nijk", wide, weight.reshape(-1, s.f))
        g_x, _ = col2im(g_columns.reshape(-1, g_columns.shape[-1]), shape=x.shape, **s.options)
        g_weight = xp.einsum("nijk,nijf->kf", s.patches(x), wide).reshape(weight.shape)
        g_bias = wide.sum(axis=2).sum(axis=1).sum(axis=0).astype(dtype) if biased else None
        return g_x.astype(dtype), g_weight.astype(dtype), g_bias

    return y.astype(dtype), backward


@right
def by_the_backward_of_im2col(x, weight, bias=None, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    columns, to_image = im2col(x, **s.options)
    y = columns @ weight.reshape(-1, s.f)
    del columns
    biased = bias is not None

    def backward(g):
        rows = g.reshape(-1, s.f)
        g_weight = (rows.T @ im2col(x, **s.options)[0]).T.reshape(weight.shape)
        return (
            *to_image(rows @ weight.reshape(-1, s.f).T),
            g_weight,
            rows.sum(axis=0) if biased else None,
        )

    return (y if bias is None else y + bias).reshape(s.n, s.oh, s.ow, s.f), backward


def altered(x, weight, bias, stride, padding, result=None, gradients=None):
    """A right one, with its result or its gradients changed: by functions of these, and of g."""
    y, back = columns_made_twice(x, weight, bias, stride=stride, padding=padding)
    return (result(y) if result else y), (lambda g: gradients(g, *back(g))) if gradients else back


@wrong(KEPT, mistake="columns_kept")
def patches_kept(x, weight, bias=None, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)
    patches = s.patches(x)

    def mine(g, g_x, g_weight, g_bias):
        return g_x, xp.tensordot(patches, g, IMAGES).reshape(weight.shape), g_bias

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(AS_IT_IS, mistake="flipped")
def places_read_backwards(x, weight, bias=None, *, stride=1, padding=0):
    turned = xp.flip(weight, (0, 1))
    return columns_made_twice(x, turned, bias, stride=stride, padding=padding)


@wrong(SUM, mistake="weight_channels_first")
def as_pytorch_has_weights(x, weight, bias=None, *, stride=1, padding=0):
    kh, kw, c, f = weight.shape
    turned = xp.einsum("uvcf->cuvf", weight).reshape(kh, kw, c, f)
    return columns_made_twice(x, turned, bias, stride=stride, padding=padding)


@wrong(SUM, mistake="result_channels_first")
def as_pytorch_has_images(x, weight, bias=None, *, stride=1, padding=0):
    def cut(y):
        n, oh, ow, f = y.shape
        return xp.moveaxis(y.reshape(n, f, oh, ow), 1, -1)

    return altered(x, weight, bias, stride, padding, result=cut)


@wrong(BIAS, mistake="bias_forgotten")
def bias_of_zeros(x, weight, bias=None, *, stride=1, padding=0):
    return columns_made_twice(
        x, weight, None if bias is None else 0 * bias, stride=stride, padding=padding
    )


@wrong(THREE, mistake="reshaped_not_transposed")
def rows_for_columns(x, weight, bias=None, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)

    def mine(g, g_x, g_weight, g_bias):
        g_columns = xp.tensordot(g, weight.reshape(s.f, -1), 1).reshape(-1, s.kh * s.kw * s.c)
        return col2im(g_columns, shape=x.shape, **s.options)[0], g_weight, g_bias

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(THREE, mistake="weight_gradient_turned")
def filters_first(x, weight, bias=None, *, stride=1, padding=0):
    def mine(g, g_x, g_weight, g_bias):
        patches = Sizes(x, weight, stride, padding).patches(x)
        return g_x, xp.tensordot(g, patches, IMAGES).reshape(weight.shape), g_bias

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(THREE, mistake="averaged_over_the_batch")
def mean_over_images(x, weight, bias=None, *, stride=1, padding=0):
    def mine(g, g_x, g_weight, g_bias):
        return g_x, g_weight / float(len(x)), g_bias

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(THREE, mistake="bias_gradient_in_one")
def one_sum_for_all_filters(x, weight, bias=None, *, stride=1, padding=0):
    def mine(g, g_x, g_weight, g_bias):
        return g_x, g_weight, None if bias is None else xp.zeros_like(bias) + g.sum()

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(THREE, mistake="bias_gradient_averaged")
def mean_over_places(x, weight, bias=None, *, stride=1, padding=0):
    def mine(g, g_x, g_weight, g_bias):
        return g_x, g_weight, None if bias is None else g.mean(axis=(0, 1, 2))

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(THREE, mistake="two_gradients")
def no_gradient_of_bias(x, weight, bias=None, *, stride=1, padding=0):
    return altered(
        x, weight, bias, stride, padding, gradients=lambda g, g_x, g_weight, g_bias: (g_x, g_weight)
    )


@wrong(THREE)
def bias_gradient_summed_over_images(x, weight, bias=None, *, stride=1, padding=0):
    def mine(g, g_x, g_weight, g_bias):
        return g_x, g_weight, g.sum(axis=0)

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(NONE)
def gradient_of_a_bias_that_is_not_there(x, weight, bias=None, *, stride=1, padding=0):
    def mine(g, g_x, g_weight, g_bias):
        return g_x, g_weight, g.sum(axis=(0, 1, 2))

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(KNOW)
def stride_forgotten_place_by_place(x, weight, bias=None, *, stride=1, padding=0):
    s = Sizes(x, weight, stride, padding)

    def mine(g, g_x, g_weight, g_bias):
        g_image, (ph, pw) = xp.zeros_like(s.framed(x)), s.frame
        for u, v in xp.ndindex(s.kh, s.kw):
            g_image[:, u : u + s.oh, v : v + s.ow] += g @ weight[u, v].T
        return g_image[:, ph : ph + s.h, pw : pw + s.w], g_weight, g_bias

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(MOVES)
def padding_forgotten(x, weight, bias=None, *, stride=1, padding=0):
    return columns_made_twice(x, weight, bias, stride=stride)


@wrong(PIXEL)
def a_pixel_window_takes_all_pixels(x, weight, bias=None, *, stride=1, padding=0):
    stride = 1 if weight.shape[:2] == (1, 1) else stride
    return columns_made_twice(x, weight, bias, stride=stride, padding=padding)


@wrong(APART)
def kernel_turned(x, weight, bias=None, *, stride=1, padding=0):
    kh, kw, c, f = weight.shape
    return columns_made_twice(x, weight.reshape(kw, kh, c, f), bias, stride=stride, padding=padding)


@wrong(THREE)
def upstream_ignored(x, weight, bias=None, *, stride=1, padding=0):
    y, back = columns_made_twice(x, weight, bias, stride=stride, padding=padding)
    return y, lambda g: back(xp.ones_like(g))


@wrong(THREE)
def first_image_only(x, weight, bias=None, *, stride=1, padding=0):
    def mine(g, g_x, g_weight, g_bias):
        one = columns_made_twice(x[:1], weight, bias, stride=stride, padding=padding)[1]
        return g_x, one(g[:1])[1], g_bias

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(AS_IT_IS)
def float64_result(x, weight, bias=None, *, stride=1, padding=0):
    return altered(x, weight, bias, stride, padding, result=lambda y: y.astype("float64"))


@wrong(THREE)
def float64_gradient_of_weight(x, weight, bias=None, *, stride=1, padding=0):
    def mine(g, g_x, g_weight, g_bias):
        return g_x, g_weight + xp.zeros(weight.shape), g_bias

    return altered(x, weight, bias, stride, padding, gradients=mine)


@wrong(THREE)
def g_is_written_to(x, weight, bias=None, *, stride=1, padding=0):
    y, back = columns_made_twice(x, weight, bias, stride=stride, padding=padding)

    def backward(g):
        gradients = back(g)
        g *= 0
        return gradients

    return y, backward
