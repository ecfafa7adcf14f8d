"""Strange solutions of 10c."""

import functools

from minires import functional as F
from minires.backend import xp
from minires.ops import add, batch_norm, conv2d, pad, pad_shortcut, relu
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

X, ALL, CHANGED = (
    "test_the_gradient_of_x_adds_up_two_paths",
    "test_all_gradients_where_the_shape_stays",
    "test_all_gradients_where_the_shape_changes",
)
STAYS = "test_where_the_shape_stays_x_is_added"
ZERO, INNER_ZERO, SIZES = (
    "test_if_gamma2_and_beta2_are_0_only_the_shortcut_is_left",
    "test_if_gamma1_and_beta1_are_0_the_inner_relu_lets_nothing_pass",
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


def forward(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps, relu=relu):
    """Return (F, the function that runs the branch's backward pass)."""
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
def by_its_sign(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
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


def made(
    operands, stride, eps, *, mask=lambda total: total > 0, g_s=lambda g, back: back(g)[0], **others
):
    """Return (result, backward) of a block. mask(total) is the last ReLU's, g_s(masked g, back) the gradient of the shortcut."""
    y, through = forward(*operands, stride, eps, **others)
    s, back = padded(operands[0], len(operands[-1]), stride)
    total = y + s

    def backward(g):
        g = g * mask(total)
        g_x, *parameters = through(g)
        return (g_x + g_s(g, back), *parameters)

    return xp.maximum(total, 0), backward


KEPT = {}


@wrong(ALL)
def masks_by_shape(*operands, stride=1, eps=1e-5):
    """The mask of the last call of the same shape."""
    y, backward = made(operands, stride, eps, mask=lambda total: KEPT[total.shape])
    KEPT[y.shape] = y > 0
    return y, backward


@wrong(ALL)
def g_kept_from_the_first_backward(*operands, stride=1, eps=1e-5):
    y, backward = composed(*operands, stride=stride, eps=eps)
    found = []

    def kept(g):
        found[:] = found or [backward(g)]
        return found[0]

    return y, kept


@wrong(ALL)
def a_list_of_gradients(*operands, stride=1, eps=1e-5):
    y, backward = composed(*operands, stride=stride, eps=eps)
    return y, lambda g: list(backward(g))


@wrong(ZERO)
def a_mask_that_lets_0_pass(*operands, stride=1, eps=1e-5):
    return made(operands, stride, eps, mask=lambda total: total >= 0)


@wrong(INNER_ZERO)
def an_inner_mask_that_lets_0_pass(*operands, stride=1, eps=1e-5):
    def lenient(y):
        return xp.maximum(y, 0), lambda g: (g * (y >= 0),)

    return made(operands, stride, eps, relu=lenient)


@wrong(ZERO)
def a_branch_of_0_skipped(*operands, stride=1, eps=1e-5):
    """As if gamma2 got no gradient where it is 0."""
    y, backward = composed(*operands, stride=stride, eps=eps)
    if operands[5].any():
        return y, backward
    zeros = [xp.zeros_like(one) for one in operands[1:6]]
    return y, lambda g: (backward(g)[0], *zeros, backward(g)[-1])


@wrong(SIZES)
def one_channel_broadcast(*operands, stride=1, eps=1e-5):
    """One channel is added to all: no error says so."""
    x = operands[0]
    if stride > 1 or x.shape[-1] > 1:
        return composed(*operands, stride=stride, eps=eps)
    y, through = forward(*operands, stride, eps)
    total, split = add(y, x)

    def backward(g):
        g_f, g_s = split(g * (total > 0))
        gradients = through(g_f)
        return (gradients[0] + g_s, *gradients[1:])

    return xp.maximum(total, 0), backward


@wrong(SIZES)
def equal_sizes_transposed(*operands, stride=1, eps=1e-5):
    """If all sizes are equal, the shortcut's gradient is turned over, and nobody notices by the shape."""
    equal = len({*operands[0].shape}) == 1
    turned = (lambda g, back: back(g)[0].T) if equal else (lambda g, back: back(g)[0])
    return made(operands, stride, eps, g_s=turned)


@wrong(ALL)
def the_mask_in_memory_order(*operands, stride=1, eps=1e-5):
    """g is read as if it were contiguous."""
    y, backward = composed(*operands, stride=stride, eps=eps)
    return y, lambda g: backward(g.ravel(order="K").reshape(g.shape))


@wrong(CHANGED)
def half_a_stride(*operands, stride=1, eps=1e-5):
    """With strides beyond 2, the shortcut's backward pass returns 0."""
    return made(operands, stride, eps, g_s=lambda g, back: back(g)[0] * (stride < 3))


@wrong(STAYS)
def always_wide(*operands, stride=1, eps=1e-5):
    """float32 comes out as float64."""
    return composed(*(one.astype("float64") for one in operands), stride=stride, eps=eps)


@wrong(STAYS)
def x_overwritten(x, *parameters, stride=1, eps=1e-5):
    y, backward = composed(x, *parameters, stride=stride, eps=eps)
    xp.maximum(x, 0, out=x)
    return y, backward


@wrong(STAYS)
def each_image_on_its_own(x, *parameters, stride=1, eps=1e-5):
    """The statistics of batch norm are those of one image, as if the batch were a loop."""
    alone = [composed(one[None], *parameters, stride=stride, eps=eps) for one in x]

    def backward(g):
        found = [back(one[None]) for (_, back), one in zip(alone, g)]
        g_x, *sums = zip(*found)
        return (xp.concatenate(g_x), *map(sum, sums))

    return xp.concatenate([y for y, _ in alone]), backward


@wrong("test_the_second_layers_get_their_gradients")
def a_graph_in_each_call(*operands, stride=1, eps=1e-5):
    """All right, but Tensor.backward() does the work: this exercise is about what it does."""

    def recorded():
        x, weight1, gamma1, beta1, weight2, gamma2, beta2 = leaves = [
            Tensor(one.copy(), requires_grad=True) for one in operands
        ]
        y = F.conv2d(x, weight1, stride=stride, padding=1)
        y = F.conv2d(F.relu(F.batch_norm(y, gamma1, beta1, eps=eps)), weight2, padding=1)
        s = F.pad_shortcut(x, channels=len(beta2.data), stride=stride)
        return F.relu(F.batch_norm(y, gamma2, beta2, eps=eps) + s), leaves

    def backward(g):
        y, leaves = recorded()
        y.backward(g.copy())
        return tuple(leaf.grad for leaf in leaves)

    return recorded()[0].data, backward


@wrong(X)
def three_paths(*operands, stride=1, eps=1e-5):
    """The shortcut's gradient is added twice."""
    return made(operands, stride, eps, g_s=lambda g, back: 2 * back(g)[0])


@wrong(X)
def masked_by_the_sign_of_x(*operands, stride=1, eps=1e-5):
    """As if the shortcut had a ReLU of its own, in the backward pass only."""
    return made(operands, stride, eps, g_s=lambda g, back: back(g)[0] * (operands[0] > 0))
