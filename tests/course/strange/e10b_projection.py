"""Strange solutions of 10b."""

import numpy

from minires.backend import xp
from minires.ops import matmul
from tests.course.kinds import right, wrong

SECOND, PIXELS, UP = (
    "test_every_second_pixel_is_taken",
    "test_each_pixel_is_multiplied_by_the_matrix",
    "test_sizes_are_rounded_up",
)
X, WEIGHT, BOTH = (
    "test_the_gradient_of_x_is_0_where_a_pixel_is_skipped",
    "test_the_gradient_of_the_weight_is_a_sum_over_the_pixels",
    "test_both_gradients_are_right",
)
EQUAL, ANYTHING = "test_sizes_may_be_equal_or_1", "test_skipped_pixels_may_be_anything"


def good(x, weight, stride):
    """A right one."""
    taken, matrix = x[:, ::stride, ::stride], weight[0, 0]
    c, f = matrix.shape

    def backward(g):
        g_x = xp.zeros(x.shape, x.dtype)
        g_x[:, ::stride, ::stride] = g @ matrix.T
        return g_x, (taken.reshape(-1, c).T @ g.reshape(-1, f)).reshape(1, 1, c, f)

    return taken @ matrix, backward


@right
def rows_made_by_a_loop(x, weight, *, stride=1):
    n, h, w, c = x.shape
    where = [(i, j) for i in range(0, h, stride) for j in range(0, w, stride)]
    rows = xp.stack([x[:, i, j] for i, j in where], axis=1)  # (N, OH*OW, C)
    f = weight.shape[-1]
    y = (rows @ weight.reshape(c, f)).reshape(n, -(-h // stride), -(-w // stride), f)

    def backward(g):
        g = g.reshape(n, len(where), f)
        g_x = xp.zeros_like(x)
        for k, (i, j) in enumerate(where):
            g_x[:, i, j] = g[:, k] @ weight[0, 0].T
        return g_x, sum(rows[k].T @ g[k] for k in range(n)).reshape(weight.shape)

    return y, backward


@right
def by_the_op_matmul(x, weight, *, stride=1):
    n, h, w, c = x.shape
    taken = x[:, ::stride, ::stride]
    y, back = matmul(taken.reshape(-1, c), weight.reshape(weight.shape[2:]))

    def backward(g):
        g_rows, g_matrix = back(g.reshape(-1, g.shape[-1]))
        step_rows = xp.zeros((n, taken.shape[1], stride, taken.shape[2], stride, c), g.dtype)
        step_rows[:, :, 0, :, 0] = g_rows.reshape(taken.shape)
        wide = step_rows.reshape(n, taken.shape[1] * stride, taken.shape[2] * stride, c)
        return wide[:, :h, :w].copy(), g_matrix.reshape(weight.shape)

    return y.reshape(*taken.shape[:3], -1), backward


@right
def channels_first_inside(x, weight, *, stride=1):
    turned = numpy.moveaxis(x, 3, 1)[:, :, ::stride, ::stride]
    matrix = weight[0, 0].T  # (F, C)
    y = numpy.moveaxis(numpy.tensordot(matrix, turned, axes=([1], [1])), 0, -1)

    def backward(g):
        g_x = numpy.zeros_like(x)
        g_x[:, ::stride, ::stride] = numpy.tensordot(g, matrix, axes=([3], [0]))
        g_weight = numpy.tensordot(turned, g, axes=([0, 2, 3], [0, 1, 2]))
        return g_x, g_weight.reshape(weight.shape)

    return y, backward


@right
def a_copy_of_everything(x, weight, *, stride=1):
    x, weight = x.copy(), weight.copy()
    return good(x, weight, stride)


class Projected:
    """A function with state of its own."""

    def __init__(self, x, weight, stride):
        self.taken, self.weight = x[:, ::stride, ::stride], weight
        self.shape, self.stride = x.shape, stride
        self.y = self.taken.dot(weight[0, 0])

    def __call__(self, g):
        g_x = xp.zeros(self.shape, g.dtype)
        g_x[:, :: self.stride, :: self.stride] = g.dot(self.weight[0, 0].T)
        return g_x, self.sums(g)

    def sums(self, g):
        rows = zip(self.taken.reshape(-1, self.shape[-1]), g.reshape(-1, g.shape[-1]))
        total = xp.zeros_like(self.weight)
        for pixel, gradient in rows:
            total[0, 0] += xp.outer(pixel, gradient)
        return total


@right
def an_object_as_backward(x, weight, *, stride=1):
    projected = Projected(x, weight, stride)
    return projected.y, projected


KEPT, SUMS, STRIDES = {}, {}, []


@wrong(BOTH)
def pixels_by_shape(x, weight, *, stride=1):
    """The pixels of the last call of this shape."""
    y, backward = good(x, weight, stride)
    KEPT[y.shape, y.dtype] = x

    def stale(g):
        its = KEPT[g.shape, g.dtype][:, ::stride, ::stride]
        return backward(g)[0], xp.tensordot(its, g, ([0, 1, 2], [0, 1, 2]))[None, None]

    return y, stale


@wrong(BOTH)
def sums_over_calls(x, weight, *, stride=1):
    """The gradient of the weight is added up over backward passes."""
    y, backward = good(x, weight, stride)
    total = xp.zeros_like(weight)

    def adding(g):
        nonlocal total
        g_x, g_weight = backward(g)
        total = total + g_weight
        return g_x, total

    return y, adding


@wrong(BOTH)
def weight_at_backward_time(x, weight, *, stride=1):
    """A matrix by the weight's shape, made in the first call."""
    matrix = SUMS.setdefault((weight.shape, weight.dtype), weight[0, 0].copy())
    y, backward = good(x, weight, stride)

    def stale(g):
        g_x, g_weight = backward(g)
        g_x[:, ::stride, ::stride] = g @ matrix.T
        return g_x, g_weight

    return y, stale


@wrong(ANYTHING)
def masked(x, weight, *, stride=1):
    """Everything is projected, and the result thinned out; the gradient of the weight sees all pixels, most of them times 0."""
    n, h, w, _ = x.shape
    matrix = weight[0, 0]

    def backward(g):
        wide = xp.zeros((n, h, w, g.shape[-1]), g.dtype)
        wide[:, ::stride, ::stride] = g
        return wide @ matrix.T, xp.tensordot(x, wide, ([0, 1, 2], [0, 1, 2]))[None, None]

    return (x @ matrix)[:, ::stride, ::stride].copy(), backward


@wrong(EQUAL)
def square_matrices_turned(x, weight, *, stride=1):
    """Where C is F, the matrix is transposed, and no shape shows it."""
    if weight.shape[2] != weight.shape[3]:
        return good(x, weight, stride)
    turned = weight.transpose(0, 1, 3, 2)
    y, backward = good(x, turned, stride)

    def back(g):
        g_x, g_weight = backward(g)
        return g_x, g_weight.transpose(0, 1, 3, 2)

    return y, back


@wrong(EQUAL)
def small_images_whole(x, weight, *, stride=1):
    """An image of one column is not thinned out."""
    return good(x, weight, stride if x.shape[2] > 1 else 1)


@wrong(EQUAL)
def one_filter_squeezed(x, weight, *, stride=1):
    """A single filter loses its axis in the gradient."""
    y, backward = good(x, weight, stride)

    def squeezed(g):
        g_x, g_weight = backward(g)
        return g_x, xp.squeeze(g_weight, axis=3) if weight.shape[3] == 1 else g_weight

    return y, squeezed


@wrong(PIXELS)
def read_as_if_contiguous(x, weight, *, stride=1):
    flat = xp.array(weight.ravel(order="K")).reshape(weight.shape)
    return good(x, flat, stride)


@wrong(PIXELS)
def float64_always(x, weight, *, stride=1):
    return good(x.astype("float64"), weight.astype("float64"), stride)


@wrong(BOTH)
def g_overwritten(x, weight, *, stride=1):
    y, backward = good(x, weight, stride)

    def writing(g):
        gradients = backward(g)
        if g.flags.writeable:
            g[...] = 0
        return gradients

    return y, writing


@wrong(UP)
def stride_2_at_most(x, weight, *, stride=1):
    return good(x, weight, min(stride, 2))


@wrong(WEIGHT)
def rows_of_g_in_another_order(x, weight, *, stride=1):
    """Pixels by rows, gradients by columns."""
    y, backward = good(x, weight, stride)
    c, f = weight.shape[2:]

    def mixed(g):
        rows = x[:, ::stride, ::stride].reshape(-1, c)
        return backward(g)[0], (rows.T @ g.swapaxes(1, 2).reshape(-1, f)).reshape(weight.shape)

    return y, mixed


@wrong(X)
def columns_forgotten_in_backward(x, weight, *, stride=1):
    """The skipped columns repeat their neighbour's gradient."""
    y, backward = good(x, weight, stride)

    def spread(g):
        g_x, g_weight = backward(g)
        return g_x[:, :, numpy.arange(x.shape[2]) // stride * stride], g_weight

    return y, spread


@wrong("test_nan_in_a_pixel_that_is_taken_shows")
def nan_to_num(x, weight, *, stride=1):
    return good(numpy.nan_to_num(x), weight, stride)


@wrong(EQUAL)
def stride_of_the_last_call(x, weight, *, stride=1):
    """Wherever the sizes fit: with strides 2 and 3, four pixels become two."""
    y, backward = good(x, weight, stride)
    STRIDES[:] = [stride]

    def latest(g):
        own, other = backward(g), good(x, weight, STRIDES[0])
        return other[1](g) if other[0].shape == y.shape else own

    return y, latest


@wrong(WEIGHT)
def sums_multiplied(x, weight, *, stride=1):
    """The product of two sums instead of a sum of products."""
    y, backward = good(x, weight, stride)
    total = x[:, ::stride, ::stride].sum(axis=(0, 1, 2))
    return y, lambda g: (backward(g)[0], numpy.outer(total, g.sum(axis=(0, 1, 2)))[None, None])


@wrong(X)
def stride_guessed_from_the_sizes(x, weight, *, stride=1):
    """H // OH is the stride if it divides H."""
    y, backward = good(x, weight, stride)

    def guessed(g):
        step, (g_x, g_weight) = x.shape[1] // y.shape[1], backward(g)
        return (g_x if step == stride else xp.roll(g_x, step - stride, axis=1)), g_weight

    return y, guessed
