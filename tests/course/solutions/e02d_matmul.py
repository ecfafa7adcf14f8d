"""Solutions of 02d."""

from minires.backend import xp
from minires.ops.elementwise import unbroadcast
from tests.course.kinds import right, wrong


def turned(x):
    return xp.moveaxis(x, -1, -2)


def op(a, b, g_a, g_b):
    return xp.matmul(a, b), lambda g: (unbroadcast(g_a(g), a.shape), unbroadcast(g_b(g), b.shape))


@right
def matmuls(a, b):
    return op(a, b, lambda g: xp.matmul(g, turned(b)), lambda g: xp.matmul(turned(a), g))


@right
def einsum(a, b):
    def backward(g):
        g_a, g_b = xp.einsum("...ij,...kj->...ik", g, b), xp.einsum("...ik,...ij->...kj", a, g)
        return unbroadcast(g_a, a.shape), unbroadcast(g_b, b.shape)

    return xp.einsum("...ik,...kj->...ij", a, b), backward


@right
def sums_of_products(a, b):
    def times(a, b):
        return (a[..., :, :, None] * b[..., None, :, :]).sum(axis=-2)

    def backward(g):
        return unbroadcast(times(g, turned(b)), a.shape), unbroadcast(times(turned(a), g), b.shape)

    return times(a, b), backward


@right
def by_the_transposed_product(a, b):
    """(a b)^T = b^T a^T."""

    def backward(g):
        return unbroadcast(turned(b @ turned(g)), a.shape), unbroadcast(
            turned(turned(g) @ a), b.shape
        )

    return turned(turned(b) @ turned(a)), backward


SQUARE = "test_square_matrices"


@wrong(SQUARE, mistake="elementwise")
def asterisk(a, b):
    def backward(g):
        return unbroadcast(xp.multiply(b, g), a.shape), unbroadcast(xp.multiply(a, g), b.shape)

    return xp.multiply(a, b), backward


@wrong(SQUARE, mistake="not_transposed")
def as_they_are(a, b):
    return op(a, b, lambda g: xp.matmul(g, b), lambda g: xp.matmul(a, g))


@wrong(SQUARE, mistake="wrong_order")
def turned_but_turned_round(a, b):
    return op(a, b, lambda g: xp.matmul(turned(b), g), lambda g: xp.matmul(g, turned(a)))


@wrong(SQUARE, mistake="swapped")
def b_first(a, b):
    def backward(g):
        g_b, g_a = matmuls(a, b)[1](g)
        return g_a, g_b

    return xp.matmul(a, b), backward


@wrong(SQUARE, mistake="transposed_gradients")
def turned_gradients(a, b):
    y, right = matmuls(a, b)
    return y, lambda g: tuple(turned(gradient) for gradient in right(g))


@wrong(SQUARE, mistake="upstream_ignored")
def through_a_sum(a, b):
    y, right = matmuls(a, b)
    return y, lambda g: right(g * 0 + 1)


@wrong("test_a_stack_of_matrices_on_both_sides", mistake="all_axes_turned")
def transposed(a, b):
    return op(a, b, lambda g: g @ xp.transpose(b), lambda g: xp.transpose(a) @ g)


@wrong("test_one_matrix_for_a_whole_stack", mistake="stack_not_summed")
def as_it_comes(a, b):
    return xp.matmul(a, b), lambda g: (xp.matmul(g, turned(b)), xp.matmul(turned(a), g))


@wrong("test_one_matrix_for_a_whole_stack", mistake="stack_averaged")
def means(a, b):
    def back(g, shape):
        return unbroadcast(g, shape) * (xp.ones(shape, g.dtype).size / g.size)

    return a @ b, lambda g: (back(g @ turned(b), a.shape), back(turned(a) @ g, b.shape))


@wrong(SQUARE)
def minus(a, b):
    return op(a, b, lambda g: g @ turned(b), lambda g: -(turned(a) @ g))


@wrong(SQUARE)
def by_the_result(a, b):
    y = a @ b
    return y, lambda g: (unbroadcast(y @ turned(b), a.shape), unbroadcast(turned(a) @ y, b.shape))


@wrong("test_stacks_that_broadcast")
def new_axes_only(a, b):
    def back(g, shape):
        return g.sum(axis=tuple(range(g.ndim - len(shape))))

    return a @ b, lambda g: (back(g @ turned(b), a.shape), back(turned(a) @ g, b.shape))


@wrong("test_one_matrix_for_a_whole_stack")
def first_of_the_stack(a, b):
    def back(g, shape):
        while g.ndim > len(shape):
            g = g[0]
        return unbroadcast(g, shape)

    return a @ b, lambda g: (back(g @ turned(b), a.shape), back(turned(a) @ g, b.shape))


@wrong("test_one_matrix_for_a_whole_stack")
def only_b_is_shared(a, b):
    return a @ b, lambda g: (g @ turned(b), unbroadcast(turned(a) @ g, b.shape))


@wrong(SQUARE)
def in_float64(a, b):
    return op(a, b, lambda g: g.astype("float64") @ turned(b), lambda g: turned(a) @ g)


@wrong("test_stacks_that_broadcast")
def dot(a, b):
    y = xp.dot(a, b) if max(a.ndim, b.ndim) > 3 else a @ b
    return y, matmuls(a, b)[1]


@wrong("test_stacks_that_broadcast", crashes=True)
def four_axes_at_most(a, b):
    def t(x):
        return (
            x.transpose((0, 1, 3, 2)[4 - x.ndim :] if x.ndim > 3 else (0, 2, 1))
            if x.ndim > 2
            else x.T
        )

    return a @ b, lambda g: (unbroadcast(g @ t(b), a.shape), unbroadcast(t(a) @ g, b.shape))


@wrong("test_stacks_that_broadcast")
def new_axes_or_stretched_ones_but_not_both(a, b):
    def back(g, shape):
        if g.ndim > len(shape):
            return g.sum(axis=tuple(range(g.ndim - len(shape))))
        return g.sum(axis=tuple(i for i in range(g.ndim) if shape[i] == 1), keepdims=True)

    return a @ b, lambda g: (back(g @ turned(b), a.shape), back(turned(a) @ g, b.shape))


@wrong("test_zeros_have_gradients_too")
def nothing_to_learn_from_zeros(a, b):
    def backward(g):
        if not (a.any() and b.any()):
            return xp.zeros_like(a), xp.zeros_like(b)
        return unbroadcast(g @ turned(b), a.shape), unbroadcast(turned(a) @ g, b.shape)

    return a @ b, backward
