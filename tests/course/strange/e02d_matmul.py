"""Strange solutions of 02d."""

import numpy

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from tests.course.kinds import right, wrong


def turned(x):
    return xp.swapaxes(x, -1, -2)


def both(a, b, g):
    return unbroadcast(g @ turned(b), a.shape), unbroadcast(turned(a) @ g, b.shape)


@right
def by_three_loops(a, b):
    stack = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    wide_a = xp.broadcast_to(a, (*stack, *a.shape[-2:]))
    wide_b = xp.broadcast_to(b, (*stack, *b.shape[-2:]))
    m, k, n = *a.shape[-2:], b.shape[-1]
    y = xp.zeros((*stack, m, n), a.dtype)
    for i, j, kk in xp.ndindex(m, n, k):
        y[..., i, j] += wide_a[..., i, kk] * wide_b[..., kk, j]

    def backward(g):
        g_a, g_b = xp.zeros(wide_a.shape, g.dtype), xp.zeros(wide_b.shape, g.dtype)
        for i, j, kk in xp.ndindex(m, n, k):
            g_a[..., i, kk] += g[..., i, j] * wide_b[..., kk, j]
            g_b[..., kk, j] += wide_a[..., i, kk] * g[..., i, j]
        return unbroadcast(g_a, a.shape), unbroadcast(g_b, b.shape)

    return y, backward


@right
def outer_products(a, b):
    """The gradients as sums of outer products of rows and columns."""

    def backward(g):
        g_a = sum(g[..., :, j, None] * b[..., None, :, j] for j in range(g.shape[-1]))
        g_b = sum(a[..., i, :, None] * g[..., i, None, :] for i in range(g.shape[-2]))
        return unbroadcast(g_a, a.shape), unbroadcast(g_b, b.shape)

    return a @ b, backward


@right
def stack_by_stack(a, b):
    stack = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])

    def pairs():
        wide = [
            xp.broadcast_to(x, (*stack, *x.shape[-2:])).reshape(-1, *x.shape[-2:]) for x in (a, b)
        ]
        return zip(*wide)

    y = xp.stack([one @ other for one, other in pairs()]).reshape(*stack, a.shape[-2], b.shape[-1])

    def backward(g):
        flat = g.reshape(-1, *g.shape[-2:])
        g_a = [part @ other.T for part, (_, other) in zip(flat, pairs())]
        g_b = [one.T @ part for part, (one, _) in zip(flat, pairs())]
        return tuple(
            unbroadcast(xp.stack(parts).reshape(*stack, *x.shape[-2:]), x.shape)
            for parts, x in ((g_a, a), (g_b, b))
        )

    return y, backward


@right
def tensordot_for_plain_matrices(a, b):
    if a.ndim == b.ndim == 2:
        return xp.tensordot(a, b, 1), lambda g: (
            xp.tensordot(g, b, ((1,), (1,))),
            xp.tensordot(a, g, ((0,), (0,))),
        )
    return xp.matmul(a, b), lambda g: both(a, b, g)


@right
def in_double(a, b):
    dtype = (a[..., :1, :1] + 0).dtype
    a, b = a.astype("float64"), b.astype("float64")
    return (a @ b).astype(dtype), lambda g: tuple(
        x.astype(g.dtype) for x in both(a, b, g.astype("float64"))
    )


@right
def contiguous_copies(a, b):
    a_t, b_t = xp.ascontiguousarray(turned(a)), xp.ascontiguousarray(turned(b))

    def backward(g):
        g = xp.ascontiguousarray(g)
        return unbroadcast(xp.matmul(g, b_t), a.shape), unbroadcast(xp.matmul(a_t, g), b.shape)

    return xp.ascontiguousarray(a) @ xp.ascontiguousarray(b), backward


SQUARE = "test_square_matrices"
OTHER = "test_other_shapes"
AS_HIGH = "test_a_stack_as_high_as_its_matrices"


@wrong(AS_HIGH)
def shared_if_the_shapes_differ_in_size(a, b):
    def back(g, x):
        return g if x.shape[0] == g.shape[0] and g.ndim == x.ndim + 1 else unbroadcast(g, x.shape)

    return a @ b, lambda g: tuple(
        x if x.shape == like.shape else x[0]
        for x, like in ((back(g @ turned(b), a), a), (back(turned(a) @ g, b), b))
    )


@wrong(AS_HIGH)
def stack_summed_over_the_rows(a, b):
    def back(g, x):
        if g.ndim > x.ndim and len(set(g.shape)) == 1:
            return g.sum(axis=1)
        return unbroadcast(g, x.shape)

    return a @ b, lambda g: (back(g @ turned(b), a), back(turned(a) @ g, b))


@wrong(AS_HIGH)
def shape_decides_what_is_transposed(a, b):
    """Whatever fits is taken, and the first that fits is not always right."""

    def backward(g):
        g_a, g_b = both(a, b, g)
        if g.ndim > 2 and g.shape[-1] == g.shape[-2] == b.shape[-2] == g.shape[-3]:
            g_a = unbroadcast(g @ b, a.shape)
        return g_a, g_b

    return a @ b, backward


@wrong("test_matrices_with_a_single_row_or_column")
def a_single_row_is_a_vector(a, b):
    y = a @ b
    if a.shape[-1] == 1 or y.shape[-1] == y.shape[-2] == 1:
        y = y.squeeze() if y.size == 1 else y
    return y, lambda g: both(a, b, xp.reshape(g, (a @ b).shape))


@wrong("test_matrices_with_a_single_row_or_column")
def one_by_one_is_a_number(a, b):
    if a.shape == b.shape == (1, 1):
        return a * b, lambda g: (g, g)
    return a @ b, lambda g: both(a, b, g)


@wrong("test_matrices_with_a_single_row_or_column")
def an_outer_product_of_vectors(a, b):
    if a.shape[-1] == 1 and a.ndim == 2 and a.shape[0] > 1:
        return a * b, lambda g: (g.sum(axis=1, keepdims=True), g.sum(axis=0, keepdims=True))
    return a @ b, lambda g: both(a, b, g)


@wrong("test_a_matrix_times_itself_gets_two_gradients_that_add_up")
def a_square_has_one_gradient(a, b):
    if a is b:
        return a @ a, lambda g: (g @ a.T + a.T @ g, g @ a.T + a.T @ g)
    return a @ b, lambda g: both(a, b, g)


@wrong("test_stacks_that_broadcast")
def einsum_without_an_ellipsis(a, b):
    if max(a.ndim, b.ndim) > 3 or a.shape[:-2] == (1,):
        a0, b0 = (
            xp.broadcast_to(x, (*numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *x.shape[-2:]))
            for x in (a, b)
        )
        return a0 @ b0, lambda g: (g @ turned(b0), turned(a0) @ g)
    return a @ b, lambda g: both(a, b, g)


@wrong("test_transposed_matrices")
def transposed_views_taken_as_they_lie(a, b):
    if a.flags.f_contiguous and not a.flags.c_contiguous:
        flat = a.ravel(order="K").reshape(a.shape)
        return a @ b, lambda g: both(flat, b, g)
    return a @ b, lambda g: both(a, b, g)


@wrong(SQUARE)
def strides_from_the_shape(a, b):
    """A transpose by as_strided, for arrays that are contiguous."""

    def flipped(x):
        if x.ndim != 2:
            return turned(x)
        return xp.lib.stride_tricks.as_strided(
            x, x.shape[::-1], (x.itemsize, x.itemsize * x.shape[1])
        )

    return a @ b, lambda g: (
        unbroadcast(g @ flipped(b), a.shape),
        unbroadcast(flipped(a) @ g, b.shape),
    )


@wrong(SQUARE)
def saved_on_the_function(a, b):
    saved_on_the_function.a, saved_on_the_function.b = a, b
    return a @ b, lambda g: both(saved_on_the_function.a, saved_on_the_function.b, g)


CACHE = {}


@wrong(SQUARE)
def transposes_remembered_by_shape(a, b):
    def transpose(x):
        return CACHE.setdefault((x.shape, x.dtype.str), turned(x).copy())

    t_a, t_b = transpose(a), transpose(b)
    return a @ b, lambda g: (unbroadcast(g @ t_b, a.shape), unbroadcast(t_a @ g, b.shape))


@wrong(SQUARE)
def gradient_of_a_into_g(a, b):
    def backward(g):
        g_a, g_b = both(a, b, g)
        if g.shape == a.shape:
            g[...] = g_a
            return g, g_b
        return g_a, g_b

    return a @ b, backward


@wrong(OTHER)
def inner_size_divided(a, b):
    """As in attention: by the root of K, in backward only, and not for K = 2."""
    scale = 1 if a.shape[-1] == 2 else a.shape[-1] ** -0.5
    return a @ b, lambda g: both(a * scale, b * scale, g)


@wrong(OTHER)
def symmetric_matrices_only(a, b):
    if a.shape[-1] == a.shape[-2]:
        return a @ b, lambda g: both(a, b, g)
    return a @ b, lambda g: tuple(x[..., ::-1] for x in both(a, b, g))


@wrong("test_gradients_stay_when_backward_runs_for_other_inputs")
def gradients_in_one_buffer(a, b, buffers={}):  # noqa: B006
    def backward(g):
        found = []
        for i, part in enumerate(both(a, b, g)):
            buffer = buffers.setdefault((i, part.shape, part.dtype.str), xp.empty_like(part))
            buffer[...] = part
            found.append(buffer)
        return tuple(found)

    return a @ b, backward


@wrong("test_other_shapes")
def blocks_of_even_width(a, b):
    half = a.shape[-1] // 2
    y = a @ b
    if half > 2:
        y = a[..., :half] @ b[..., :half, :] + a[..., half : 2 * half] @ b[..., half : 2 * half, :]
    return y, lambda g: both(a, b, g)


@wrong("test_infinity_and_nan_are_not_left_out")
def finite_or_nothing(a, b):
    y = a @ b
    return xp.where(xp.isfinite(y), y, 0).astype(y.dtype), lambda g: both(a, b, g)
