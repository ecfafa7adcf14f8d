"""Strange solutions of 04c."""

from functools import partial

from minires.backend import xp
from tests.course.kinds import right, wrong

HAND, ZEROS = "test_one_example_is_right", "test_zeros_get_a_gradient"
EQUAL, LEADING = (
    "test_there_may_be_as_many_features_out_as_in",
    "test_x_may_have_any_number_of_leading_axes",
)
BATCH = "test_the_gradients_of_weight_and_bias_are_sums_over_the_batch"
LAYOUT = "test_memory_may_be_in_pieces"


def added(y, bias):
    return y if bias is None else y + bias


def back(x, weight, bias, g):
    """The gradients."""
    rows, g_rows = x.reshape(-1, weight.shape[0]), g.reshape(-1, weight.shape[1])
    gradients = (g_rows @ weight.T).reshape(x.shape), rows.T @ g_rows
    return gradients if bias is None else (*gradients, g_rows.sum(axis=0))


def op(x, weight, bias, y=None):
    return added(x @ weight, bias) if y is None else y, partial(back, x, weight, bias)


@right
def by_einsum(x, weight, bias=None):
    y = xp.einsum("...i,io->...o", x, weight)

    def backward(g):
        g_x = xp.einsum("...o,io->...i", g, weight)
        rows, g_rows = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
        g_weight = xp.einsum("ni,no->io", rows, g_rows)
        return g_x, g_weight, None if bias is None else xp.einsum("no->o", g_rows)

    return added(y, bias), backward


@right
def bias_as_one_more_row(x, weight, bias=None):
    rows = x.reshape(-1, weight.shape[0])
    if bias is None:
        bias_row = xp.zeros((1, weight.shape[1]), weight.dtype)
    else:
        bias_row = bias[None]
    wide = xp.concatenate([rows, xp.ones((len(rows), 1), x.dtype)], axis=1)
    both = xp.concatenate([weight, bias_row])

    def backward(g):
        g_both = wide.T @ g.reshape(-1, weight.shape[1])
        g_x = (g.reshape(-1, weight.shape[1]) @ both.T)[:, :-1].reshape(x.shape)
        return g_x, g_both[:-1], None if bias is None else g_both[-1]

    return (wide @ both).reshape(*x.shape[:-1], weight.shape[1]), backward


class Layer:
    """The op as an object, which is its own backward."""

    def __init__(self, x, weight, bias):
        self.x, self.weight, self.bias = x, weight, bias

    def forward(self):
        y = xp.matmul(self.x, self.weight)
        if self.bias is not None:
            y += self.bias
        return y

    def __call__(self, g):
        return back(self.x, self.weight, self.bias, g)


@right
def object_of_each_call(x, weight, bias=None):
    layer = Layer(x, weight, bias)
    return layer.forward(), layer


@right
def filter_by_filter(x, weight, bias=None):
    o = weight.shape[1]
    y = xp.stack([(x * weight[:, j]).sum(axis=-1) for j in range(o)], axis=-1)

    def backward(g):
        g_x, g_weight, g_bias = xp.zeros_like(x), xp.zeros_like(weight), xp.zeros(o, x.dtype)
        for j in range(o):
            along = g[..., j : j + 1]
            g_x = g_x + along * weight[:, j]
            g_weight[:, j] = (along * x).reshape(-1, len(weight)).sum(axis=0)
            g_bias[j] = along.sum()
        return (g_x, g_weight) if bias is None else (g_x, g_weight, g_bias)

    return added(y, bias).astype(x.dtype), backward


@right
def tensordot_of_contiguous_copies(x, weight, bias=None):
    if weight.ndim != 2 or x.shape[-1] != weight.shape[0]:
        raise ValueError(f"expected {weight.shape[0]} features, got {x.shape}")
    own, rows = xp.ascontiguousarray(weight), xp.ascontiguousarray(x).reshape(-1, x.shape[-1])

    def backward(g):
        g_rows = xp.ascontiguousarray(g).reshape(-1, own.shape[1])
        g_x = xp.tensordot(g_rows, own, axes=([1], [1])).reshape(x.shape)
        g_weight = xp.tensordot(rows, g_rows, axes=([0], [0]))
        g_bias = xp.ones(len(g_rows), g.dtype) @ g_rows
        return g_x, g_weight, None if bias is None else g_bias

    return added(xp.tensordot(x, own, axes=1), bias), backward


@wrong(ZEROS)
def no_gradient_for_a_bias_of_zeros(x, weight, bias=None):
    return op(x, weight, bias if bias is not None and bias.any() else None)


@wrong(ZEROS)
def zeros_stay_zeros(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def masked(g):
        g_x, g_weight, *g_bias = backward(g)
        return g_x, g_weight * (weight != 0), *g_bias

    return y, masked


@wrong(EQUAL)
def out_is_x(x, weight, bias=None):
    if x.ndim == 2 and weight.shape[0] == weight.shape[1]:
        kept = x.copy()
        xp.matmul(kept, weight, out=x)
        x += 0 if bias is None else bias
        return op(kept, weight, bias, x)
    return op(x, weight, bias)


@wrong(HAND)
def bias_written_to(x, weight, bias=None):
    if bias is None:
        return op(x, weight, None)
    own = bias.copy()
    bias += (x @ weight).reshape(-1, len(bias))[-1]
    return op(x, weight, own)


@wrong(HAND)
def state_of_the_function(x, weight, bias=None):
    state_of_the_function.saved = x, weight, bias
    return added(x @ weight, bias), lambda g: back(*state_of_the_function.saved, g)


KEPT = {}


@wrong(HAND)
def inputs_kept_by_shape(x, weight, bias=None):
    key = x.shape, weight.shape, x.dtype
    KEPT[key] = x, weight, bias
    return added(x @ weight, bias), lambda g: back(*KEPT[key], g)


@wrong(EQUAL)
def transposed_only_if_it_must_be(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def fits(g):
        g_x, *others = backward(g)
        return (g @ weight if g.shape[-1] == weight.shape[0] else g_x), *others

    return y, fits


@wrong(EQUAL)
def axes_of_g_weight_by_size(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def by_size(g):
        g_x, g_weight, *g_bias = backward(g)
        return g_x, (g_weight.T if g_weight.T.shape == weight.shape else g_weight), *g_bias

    return y, by_size


@wrong(EQUAL)
def bias_along_the_axis_of_its_size(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def by_size(g):
        g_x, g_weight, *g_bias = backward(g)
        axis = g.shape.index(weight.shape[1])
        others = tuple(i for i in range(g.ndim) if i != axis)
        return g_x, g_weight, *(g.sum(axis=others) for _ in g_bias)

    return y, by_size


@wrong("test_there_may_be_one_feature_in_or_out")
def axes_of_size_1_squeezed(x, weight, bias=None):
    y, backward = op(x, weight, bias)
    return y, lambda g: (*backward(g)[:1], *(part.squeeze() for part in backward(g)[1:]))


@wrong("test_there_may_be_one_feature_in_or_out")
def product_of_elements_for_one_feature(x, weight, bias=None):
    if weight.shape == (1, 1) and x.ndim == 2:
        y, backward = op(x, weight, bias)
        return y, lambda g: (g * weight, (x * g)[-1:], *backward(g)[2:])
    return op(x, weight, bias)


@wrong("test_an_identity_as_weight_gives_a_new_array")
def identity_returns_x(x, weight, bias=None):
    identity = weight.shape[0] == weight.shape[1] and (weight == xp.eye(len(weight))).all()
    return op(x, weight, bias, x if identity and (bias is None or not bias.any()) else None)


@wrong("test_an_empty_batch_has_gradients_of_0")
def mean_times_n(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def by_means(g):
        g_x, g_weight, *g_bias = backward(g)
        n = x.size // x.shape[-1]
        g_rows = g.reshape(n, -1) if n else xp.full((1, weight.shape[1]), xp.nan, g.dtype)
        return g_x, g_weight, *(g_rows.mean(axis=0) * max(n, 1) for _ in g_bias)

    return y, by_means


@wrong(BATCH)
def gradient_of_one_example_times_n(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def first_only(g):
        g_x, g_weight, *g_bias = backward(g)
        return (
            g_x,
            g_weight,
            *(g.reshape(-1, weight.shape[1])[0] * (g.size // weight.shape[1]) for _ in g_bias),
        )

    return y, first_only


@wrong(BATCH)
def bias_in_the_gradient_of_x(x, weight, bias=None):
    y, backward = op(x, weight, bias)
    return y, lambda g: back(x, weight, bias, g if bias is None else g + bias)[:1] + backward(g)[1:]


@wrong(LAYOUT)
def weight_as_it_is_in_memory(x, weight, bias=None):
    return op(x, weight.ravel(order="K").reshape(weight.shape), bias)


@wrong(LEADING)
def last_two_axes_only(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def last_matrix(g):
        g_x, g_weight, *g_bias = backward(g)
        if x.ndim > 2:
            g_weight = back(x[(-1,) * (x.ndim - 2)], weight, None, g[(-1,) * (x.ndim - 2)])[1]
        return g_x, g_weight, *g_bias

    return y, last_matrix


@wrong(HAND)
def in_half_precision_sums(x, weight, bias=None):
    y, backward = op(x, weight, bias)

    def halved(g):
        g_x, g_weight, *g_bias = backward(g)
        return g_x, g_weight.astype("float16").astype(weight.dtype), *g_bias

    return y, halved


@wrong("test_g_may_be_huge")
def gradient_of_bias_clipped(x, weight, bias=None):
    y, backward = op(x, weight, bias)
    return y, lambda g: (*backward(g)[:2], *(xp.clip(part, -1e3, 1e3) for part in backward(g)[2:]))


@wrong("test_bias_may_be_left_out")
def leading_axes_forgotten_without_a_bias(x, weight, bias=None):
    y, backward = op(x, weight, bias)
    return y, backward if bias is not None else lambda g: (g @ weight.T, x.swapaxes(-1, -2) @ g)
