"""Solutions of 04c."""

from minires.backend import xp
from tests.course.kinds import right, wrong


def forward(x, weight, bias):
    y = x @ weight
    return y if bias is None else y + bias


def flat(x, g):
    return x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])


def op(x, weight, bias, **others):
    """A right linear, with other gradients where they are given: functions of g."""
    right_ones = {
        "g_x": lambda g: g @ weight.T,
        "g_weight": lambda g: xp.einsum("ni,no->io", *flat(x, g)),
        "g_bias": lambda g: g.reshape(-1, g.shape[-1]).sum(axis=0),
    }
    ways = {**right_ones, **others}
    names = ["g_x", "g_weight"] + ([] if bias is None else ["g_bias"])
    return forward(x, weight, bias), lambda g: tuple(ways[name](g) for name in names)


@right
def two_gradients_without_a_bias(x, weight, bias=None):
    return op(x, weight, bias)


@right
def by_axes(x, weight, bias=None):
    front = tuple(range(x.ndim - 1))

    def backward(g):
        g_weight = xp.tensordot(x, g, axes=(front, front))
        return (
            xp.tensordot(g, weight, axes=(-1, 1)),
            g_weight,
            g.sum(axis=front) if bias is not None else None,
        )

    return forward(x, weight, bias), backward


@right
def example_by_example(x, weight, bias=None):
    wide = weight.astype("float64")
    y = (
        xp.zeros((*x.shape[:-1], weight.shape[1]), "float64")
        if bias is None
        else xp.tile(bias, (*x.shape[:-1], 1))
    )
    y = y.astype("float64")
    for index in xp.ndindex(x.shape[:-1]):
        y[index] += (x[index][:, None] * wide).sum(axis=0)

    def backward(g):
        g_x, g_weight, g_bias = xp.zeros(x.shape), xp.zeros(weight.shape), xp.zeros(weight.shape[1])
        for index in xp.ndindex(x.shape[:-1]):
            g_x[index] = (wide * g[index]).sum(axis=1)
            g_weight += xp.outer(x[index], g[index])
            g_bias += g[index]
        gradients = (g_x, g_weight) if bias is None else (g_x, g_weight, g_bias)
        return tuple(gradient.astype(x.dtype) for gradient in gradients)

    return y.astype(x.dtype), backward


@wrong("test_one_example_is_right", mistake="bias_left_out")
def a_product_only(x, weight, bias=None):
    _, backward = op(x, weight, bias)
    return forward(x, weight, None), backward


@wrong("test_the_gradients_of_weight_and_bias_are_sums_over_the_batch", mistake="weight_averaged")
def mean_of_outer_products(x, weight, bias=None):
    def g_weight(g):
        rows, g = flat(x, g)
        return (rows[:, :, None] * g[:, None]).mean(axis=0)

    return op(x, weight, bias, g_weight=g_weight)


@wrong("test_the_gradients_of_weight_and_bias_are_sums_over_the_batch", mistake="bias_averaged")
def mean_of_g(x, weight, bias=None):
    return op(
        x, weight, bias, g_bias=lambda g: g.mean(axis=tuple(range(g.ndim - 1))) if g.ndim > 1 else g
    )


@wrong("test_one_example_is_right", mistake="bias_over_everything")
def one_number(x, weight, bias=None):
    return op(x, weight, bias, g_bias=lambda g: g.reshape(-1) @ xp.ones(g.size, g.dtype))


@wrong("test_one_example_is_right", mistake="bias_as_it_is")
def as_in_add(x, weight, bias=None):
    return op(x, weight, bias, g_bias=lambda g: g.copy())


@wrong("test_x_may_have_any_number_of_leading_axes", mistake="bias_over_the_first_axis")
def first_axis(x, weight, bias=None):
    return op(x, weight, bias, g_bias=lambda g: xp.add.reduce(g))


@wrong("test_x_may_have_any_number_of_leading_axes", mistake="weight_for_each_matrix")
def stacked(x, weight, bias=None):
    def g_weight(g):
        return xp.einsum("...ni,...no->...io", xp.atleast_2d(x), xp.atleast_2d(g))

    return op(x, weight, bias, g_weight=g_weight)


@wrong("test_there_may_be_as_many_features_out_as_in", mistake="weight_transposed")
def outputs_first(x, weight, bias=None):
    return op(x, weight, bias, g_weight=lambda g: xp.einsum("ni,no->oi", *flat(x, g)))


@wrong("test_there_may_be_as_many_features_out_as_in", mistake="not_transposed")
def forward_again(x, weight, bias=None):
    return op(x, weight, bias, g_x=lambda g: xp.matmul(g, weight))


@wrong("test_one_example_is_right", mistake="upstream_left_out")
def slopes_only(x, weight, bias=None):
    y, backward = op(x, weight, bias)
    return y, lambda g: backward(0 * g + 1)


@wrong("test_one_example_is_right", mistake="order_of_the_gradients")
def weight_first(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def turned(g):
        first, second, *rest = backward(g)
        return second, first, *rest

    return y, turned


@wrong("test_one_example_is_right")
def no_gradient_of_bias(x, weight, bias=None):
    y, backward = op(x, weight, bias)
    return y, lambda g: backward(g)[:2]


@wrong("test_one_example_is_right")
def an_axis_too_many(x, weight, bias=None):
    return op(
        x, weight, bias, g_bias=lambda g: g.reshape(-1, g.shape[-1]).sum(axis=0, keepdims=True)
    )


@wrong("test_bias_may_be_left_out")
def zeros_for_no_bias(x, weight, bias=None):
    y, backward = op(x, weight, bias)
    return y, lambda g: (*backward(g)[:2], g.reshape(-1, g.shape[-1]).sum(axis=0))


@wrong("test_x_may_have_any_number_of_leading_axes")
def last_matrix_only(x, weight, bias=None):
    def g_weight(g):
        return (
            xp.atleast_2d(x)[(0,) * max(x.ndim - 2, 0)].T
            @ xp.atleast_2d(g)[(0,) * max(x.ndim - 2, 0)]
        )

    return op(x, weight, bias, g_weight=g_weight)


@wrong("test_the_gradients_of_weight_and_bias_are_sums_over_the_batch")
def bias_in_the_gradient_of_weight(x, weight, bias=None):
    return op(
        x,
        weight,
        bias,
        g_weight=lambda g: xp.einsum("ni,no->io", *flat(x, g)) + (0 if bias is None else bias),
    )


@wrong("test_the_gradients_of_weight_and_bias_are_sums_over_the_batch")
def bias_for_each_example(x, weight, bias=None):
    y, backward = op(x, weight, bias)
    more = (
        0
        if bias is None or x.ndim < 2
        else bias * (xp.arange(len(x)) > 0).reshape(-1, *[1] * (x.ndim - 1))
    )
    return (y + more).astype(y.dtype), backward


@wrong("test_the_gradients_of_weight_and_bias_are_sums_over_the_batch")
def float64_inside_and_not_cast_back(x, weight, bias=None):
    return op(
        x, weight, bias, g_weight=lambda g: xp.einsum("ni,no->io", *flat(x.astype("float64"), g))
    )


@wrong("test_the_gradients_of_weight_and_bias_are_sums_over_the_batch")
def writes_to_x(x, weight, bias=None):
    y, backward = op(x.copy(), weight, bias)
    x[...] = 0
    return y, backward


@wrong("test_memory_may_be_in_pieces")
def as_it_lies_in_memory(x, weight, bias=None):
    return op(x.ravel(order="K").reshape(x.shape), weight, bias)


@wrong("test_bias_may_be_left_out")
def square_weight_not_transposed_without_a_bias(x, weight, bias=None):
    if bias is None and weight.shape[0] == weight.shape[1]:
        return op(x, weight, bias, g_x=lambda g: g @ weight)
    return op(x, weight, bias)
