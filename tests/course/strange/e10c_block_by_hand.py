"""Strange solutions of 10c."""

import functools

from minires.backend import xp
from minires.ops import add, batch_norm, conv2d, maximum, pad, pad_shortcut, relu
from tests.course.kinds import right, wrong

X, ALL, CHANGED = (
    "test_the_gradient_of_x_adds_up_two_paths",
    "test_all_gradients_where_the_shape_stays",
    "test_all_gradients_where_the_shape_changes",
)
STAYS, BELOW = "test_where_the_shape_stays_x_is_added", "test_a_sum_below_0_becomes_0"
ZERO, SIZES = (
    "test_if_gamma2_and_beta2_are_0_only_the_shortcut_is_left",
    "test_sizes_may_be_equal_or_1",
)


def padded(x, channels, stride):
    """Option A by the op pad."""
    spare = channels - x.shape[-1]
    seen = x[:, ::stride, ::stride]
    y, back = pad(seen, widths=((0, 0), (0, 0), (0, 0), (spare // 2, spare - spare // 2)))

    def backward(g):
        g_x = xp.zeros_like(x, dtype=g.dtype)
        g_x[:, ::stride, ::stride] = back(g)[0]
        return (g_x,)

    return y, backward


def forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps):
    """Return (F, the mask between, the five backward functions)."""
    y, back1 = conv2d(x, weight1, stride=stride, padding=1)
    y, norm1 = batch_norm(y, gamma1, beta1, eps=eps)
    y, inner = relu(y)
    y, back2 = conv2d(y, weight2, padding=1)
    y, norm2 = batch_norm(y, gamma2, beta2, eps=eps)

    def through(g):
        g, *second = norm2(g)
        g, g_weight2, _ = back2(g)
        g, *first = norm1(*inner(g))
        g, g_weight1, _ = back1(g)
        return (g, g_weight1, *first, g_weight2, *second)

    return y, through


@right
def always_padded(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """With stride 1 and no new channels, option A is the identity."""
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back = padded(x, len(beta2), stride)
    total = y + s

    def backward(g):
        g = g * (total > 0)
        g_x, *others = through(g)
        g_x += back(g)[0]
        return (g_x, *others)

    return total.clip(0), backward


@right
def by_the_sign_of_the_result(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    same = stride == 1 and weight1.shape[2] == weight1.shape[3]
    s, back = (
        (x, lambda g: [g]) if same else pad_shortcut(x, channels=weight1.shape[3], stride=stride)
    )
    y = xp.maximum(y + s, 0)
    passes = xp.sign(y)

    def backward(g):
        masked = passes * g
        gradients = [*through(masked)]
        gradients[0] = sum([gradients[0], *back(masked)])
        return tuple(gradients)

    return y.copy(), backward


@right
def composed(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """Backward functions that are chained before they are called."""
    branch, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back_s = padded(x, branch.shape[-1], stride)
    total, split = add(branch, s)
    y, last = relu(total)
    chain = [last, split]

    def backward(g):
        g_f, g_s = functools.reduce(lambda gradients, back: back(*gradients), chain, (g,))
        first, *others = through(g_f)
        return first + back_s(g_s)[0], *others

    return y, backward


@right
def in_float64(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    operands = (x, weight1, gamma1, beta1, weight2, gamma2, beta2)
    y, wide = composed(*(one.astype("float64") for one in operands), stride=stride, eps=eps)
    return y.astype(x.dtype), lambda g: tuple(
        one.astype(x.dtype) for one in wide(g.astype("float64"))
    )


@right
class Op:
    """The class itself is the op: calling it returns a pair."""

    def __new__(cls, x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
        op = object.__new__(cls)
        op.y, op.through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
        op.s, op.pad = padded(x, weight2.shape[-1], stride)
        op.passes = (op.y + op.s) > 0
        return xp.where(op.passes, op.y + op.s, 0), op.backward

    def backward(self, g):
        g = xp.where(self.passes, g, 0)
        gradients = self.through(g)
        return (gradients[0] + self.pad(g)[0], *gradients[1:])


KEPT = {}


@wrong(ALL)
def masks_by_shape(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """The mask of the last call of the same shape."""
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back = padded(x, len(beta2), stride)
    KEPT[y.shape] = y + s > 0

    def backward(g):
        g = g * KEPT[g.shape]
        gradients = through(g)
        return (gradients[0] + back(g)[0], *gradients[1:])

    return xp.maximum(y + s, 0), backward


@wrong(ALL)
def g_kept_from_the_first_backward(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    y, backward = composed(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )
    return y, _once(backward)


def _once(backward):
    found = []

    def kept(g):
        found[:] = found or [backward(g)]
        return found[0]

    return kept


@wrong(ALL)
def a_list_of_gradients(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    y, backward = composed(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )
    return y, lambda g: list(backward(g))


@wrong(ZERO)
def a_mask_that_lets_0_pass(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back = padded(x, len(beta2), stride)
    total = y + s

    def backward(g):
        g = g * (total >= 0)
        gradients = through(g)
        return (gradients[0] + back(g)[0], *gradients[1:])

    return xp.maximum(total, 0), backward


@wrong(ZERO)
def a_maximum_whose_ties_share(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back = padded(x, len(beta2), stride)
    total = y + s
    y, last = maximum(total, xp.zeros_like(total))

    def backward(g):
        g = last(g)[0]
        gradients = through(g)
        return (gradients[0] + back(g)[0], *gradients[1:])

    return y, backward


@wrong(ZERO)
def a_branch_of_0_skipped(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """As if gamma2 got no gradient where it is 0."""
    y, backward = composed(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )
    if gamma2.any():
        return y, backward
    zeros = [xp.zeros_like(one) for one in (weight1, gamma1, beta1, weight2, gamma2)]
    return y, lambda g: (backward(g)[0], *zeros, backward(g)[-1])


@wrong(SIZES)
def one_channel_broadcast(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """One channel is added to all: no error says so."""
    if stride > 1 or x.shape[-1] > 1:
        return composed(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps)
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    total, split = add(y, x)

    def backward(g):
        g_f, g_s = split(g * (total > 0))
        gradients = through(g_f)
        return (gradients[0] + g_s, *gradients[1:])

    return xp.maximum(total, 0), backward


@wrong(SIZES)
def equal_sizes_transposed(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    """If all sizes are equal, the shortcut's gradient is turned over, and nobody notices by the shape."""
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back = padded(x, len(beta2), stride)
    total = y + s

    def backward(g):
        g = g * (total > 0)
        gradients, (g_s,) = through(g), back(g)
        return (gradients[0] + (g_s.T if len({*x.shape}) == 1 else g_s), *gradients[1:])

    return xp.maximum(total, 0), backward


@wrong(ALL)
def the_mask_in_memory_order(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    """g is read as if it were contiguous."""
    y, backward = composed(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )
    return y, lambda g: backward(g.ravel(order="K").reshape(g.shape))


@wrong(CHANGED)
def half_a_stride(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """Strides beyond 2 are treated as 2 in the shortcut's backward pass."""
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back = padded(x, len(beta2), stride)
    total = y + s

    def backward(g):
        g = g * (total > 0)
        gradients, (g_s,) = through(g), back(g)
        return (gradients[0] + (g_s if stride < 3 else 0 * g_s), *gradients[1:])

    return xp.maximum(total, 0), backward


@wrong(STAYS)
def always_wide(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """float32 comes out as float64."""
    operands = (x, weight1, gamma1, beta1, weight2, gamma2, beta2)
    return composed(*(one.astype("float64") for one in operands), stride=stride, eps=eps)


@wrong(STAYS)
def x_overwritten(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    y, backward = composed(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )
    xp.maximum(x, 0, out=x)
    return y, backward


@wrong(BELOW)
def its_size(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back = padded(x, len(beta2), stride)
    return abs(y + s), lambda g: (through(g)[0] + back(g)[0], *through(g)[1:])


@wrong(X)
def three_paths(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """The shortcut's gradient is added twice."""
    y, through = forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
    s, back = padded(x, len(beta2), stride)
    total = y + s

    def backward(g):
        g = g * (total > 0)
        gradients = through(g)
        return (gradients[0] + 2 * back(g)[0], *gradients[1:])

    return xp.maximum(total, 0), backward
