"""Solutions of 10b."""

import numpy

from minires.backend import xp
from minires.ops import linear
from tests.course.kinds import right, wrong

SECOND, PIXELS, UP = (
    "test_every_second_pixel_is_taken",
    "test_each_pixel_is_multiplied_by_the_matrix",
    "test_sizes_are_rounded_up",
)
X, WEIGHT = (
    "test_the_gradient_of_x_is_0_where_a_pixel_is_skipped",
    "test_the_gradient_of_the_weight_is_a_sum_over_the_pixels",
)


@right
def with_einsum(x, weight, *, stride=1):
    taken = x[:, ::stride, ::stride]

    def backward(g):
        g_x = xp.zeros_like(x)
        g_x[:, ::stride, ::stride] = xp.einsum("nijf,cf->nijc", g, weight[0, 0])
        return g_x, xp.einsum("nijc,nijf->cf", taken, g)[None, None]

    return xp.einsum("nijc,cf->nijf", taken, weight[0, 0]), backward


@right
def by_the_op_linear(x, weight, *, stride=1):
    rows, columns = xp.arange(0, x.shape[1], stride), xp.arange(0, x.shape[2], stride)
    y, back = linear(x[:, rows[:, None], columns], weight[0, 0])

    def backward(g):
        g_taken, g_matrix, *_ = back(g)
        g_x = xp.zeros(x.shape, dtype=g.dtype)
        g_x[:, rows[:, None], columns] = g_taken
        return g_x, g_matrix.reshape(weight.shape)

    return y, backward


@right
def channel_by_channel(x, weight, *, stride=1):
    n, h, w, c = x.shape
    f = weight.shape[3]
    every = slice(None, None, stride)
    y = sum(x[:, every, every, k, None] * weight[0, 0, k] for k in range(c))

    def backward(g):
        g_x, g_weight = xp.zeros((n, h, w, c), x.dtype), xp.zeros((1, 1, c, f), weight.dtype)
        for k in range(c):
            g_x[:, every, every, k] = (g * weight[0, 0, k]).sum(axis=-1)
            g_weight[0, 0, k] = (g * x[:, every, every, k, None]).sum(axis=(0, 1, 2))
        return g_x, g_weight

    return y, backward


def of(x, weight, stride, taken=None, put=None, matrix=None, back=None, sums=None):
    """A projection of taken(x), whose gradient put(g) returns to x; sums(pixels, g) is that of the weight."""
    every = slice(None, None, stride)
    matrix = weight[0, 0] if matrix is None else matrix
    back = matrix.T if back is None else back
    pixels = taken(x) if taken else x[:, every, every]

    def into(g_pixels, rows=every, columns=every):
        g_x = xp.zeros_like(x)
        g_x[:, rows, columns] = g_pixels
        return g_x

    def total(pixels, g):
        return xp.tensordot(pixels, g, axes=([0, 1, 2], [0, 1, 2]))[None, None]

    def backward(g):
        g_pixels = xp.matmul(g, back)
        return (put or (lambda g, into: into(g)))(g_pixels, into), (sums or total)(pixels, g)

    return xp.matmul(pixels, matrix), backward


def ceil(size, stride):
    return (size + stride - 1) // stride


@wrong(SECOND, mistake="first_pixels")
def a_corner(x, weight, *, stride=1):
    high, wide = (slice(ceil(size, stride)) for size in x.shape[1:3])
    return of(
        x, weight, stride, taken=lambda x: x[:, high, wide], put=lambda g, into: into(g, high, wide)
    )


@wrong(UP, mistake="whole_windows")
def rounded_down(x, weight, *, stride=1):
    high, wide = (slice(0, size - size % stride, stride) for size in x.shape[1:3])
    return of(
        x, weight, stride, taken=lambda x: x[:, high, wide], put=lambda g, into: into(g, high, wide)
    )


@wrong(SECOND, mistake="averaged")
def pooled_first(x, weight, *, stride=1):
    n, h, w, c = x.shape
    high, wide = ceil(h, stride), ceil(w, stride)
    pixels = xp.zeros((n, high, wide, c), x.dtype)
    for i in range(high):
        for j in range(wide):
            window = x[:, i * stride : (i + 1) * stride, j * stride : (j + 1) * stride]
            pixels[:, i, j] = window.reshape(n, -1, c).mean(axis=1)

    def put(g, into):
        rows, columns = xp.arange(h) // stride, xp.arange(w) // stride
        return g[:, rows[:, None], columns] / (stride * stride)

    return of(x, weight, stride, taken=lambda x: pixels, put=put)


@wrong(PIXELS, mistake="weight_misread")
def turned_over(x, weight, *, stride=1):
    c, f = weight.shape[2:]
    flat = weight.ravel()
    matrix = xp.stack([flat[k * c : (k + 1) * c] for k in range(f)], axis=1)

    def sums(pixels, g):
        return (g.reshape(-1, f).T @ pixels.reshape(-1, c)).reshape(1, 1, c, f)

    return of(x, weight, stride, matrix=matrix, sums=sums)


@wrong(X, mistake="matrix_not_transposed")
def in_its_own_order(x, weight, *, stride=1):
    return of(x, weight, stride, back=xp.resize(weight, weight.shape[:1:-1]))


@wrong(X, mistake="not_scattered")
def small_gradient(x, weight, *, stride=1):
    return of(x, weight, stride, put=lambda g, into: g)


@wrong(X, mistake="skipped_pixels_too")
def upsampled(x, weight, *, stride=1):
    rows, columns = (numpy.arange(size) // stride for size in x.shape[1:3])
    return of(x, weight, stride, put=lambda g, into: g[:, rows[:, None], columns])


@wrong(WEIGHT, mistake="weight_averaged")
def mean_of_the_pixels(x, weight, *, stride=1):
    def sums(pixels, g):
        return (pixels[..., None] * g[..., None, :]).mean(axis=(0, 1, 2))[None, None]

    return of(x, weight, stride, sums=sums)


@wrong(WEIGHT, mistake="weight_by_the_batch")
def mean_of_the_images(x, weight, *, stride=1):
    def sums(pixels, g):
        return xp.einsum("nijc,nijf->ncf", pixels, g).mean(axis=0)[None, None]

    return of(x, weight, stride, sums=sums)


@wrong(WEIGHT, mistake="weight_from_the_first_pixels")
def of_the_corner(x, weight, *, stride=1):
    def sums(pixels, g):
        corner = x[:, : g.shape[1], : g.shape[2]]
        return xp.einsum("nijc,nijf->cf", corner, g)[None, None]

    return of(x, weight, stride, sums=sums)


@wrong(WEIGHT, mistake="weight_flat")
def a_matrix(x, weight, *, stride=1):
    return of(x, weight, stride, sums=lambda pixels, g: xp.einsum("nijc,nijf->cf", pixels, g))


@wrong(SECOND)
def columns_only(x, weight, *, stride=1):
    every = slice(None, None, stride)
    return of(x, weight, stride, taken=lambda x: x[:, :, every],
              put=lambda g, into: into(g, slice(None), every))  # fmt: skip


@wrong(WEIGHT)
def one_image(x, weight, *, stride=1):
    return of(x, weight, stride, sums=lambda pixels, g: (
        pixels[0].reshape(-1, x.shape[3]).T @ g[0].reshape(-1, g.shape[3])).reshape(weight.shape))  # fmt: skip


@wrong(X)
def added_to_the_first(x, weight, *, stride=1):
    """All gradients at the first pixels."""
    return of(x, weight, stride, put=lambda g, into: into(g, slice(g.shape[1]), slice(g.shape[2])))


@wrong("test_both_gradients_are_right")
def gradients_turned_round(x, weight, *, stride=1):
    y, backward = of(x, weight, stride)
    return y, lambda g: backward(g)[::-1]


@wrong("test_each_pixel_is_multiplied_by_the_matrix")
def with_the_bias_of_its_mean(x, weight, *, stride=1):
    y, backward = of(x, weight, stride)
    return y - y.mean(), backward
