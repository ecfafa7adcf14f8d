"""Solutions of 10c: blocks with their backward pass by hand, and ones whose backward pass took a wrong path."""

from minires.backend import xp
from minires.ops import add, batch_norm, conv2d, pad_shortcut, relu
from tests.course.kinds import right, wrong

X, ALL, CHANGED = (
    "test_the_gradient_of_x_adds_up_two_paths",
    "test_all_gradients_where_the_shape_stays",
    "test_all_gradients_where_the_shape_changes",
)
STAYS, BELOW = "test_where_the_shape_stays_x_is_added", "test_a_sum_below_0_becomes_0"
FIRST, SECOND = (
    "test_the_first_layers_get_their_gradients",
    "test_the_second_layers_get_their_gradients",
)


def carried_of(x, channels, stride):
    """(s, its backward)."""
    if stride == 1 and channels == x.shape[-1]:
        return x, lambda g: (g,)
    return pad_shortcut(x, channels=channels, stride=stride)


@right
def in_a_list(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    layers = [
        (conv2d, (weight1,), {"stride": stride, "padding": 1}),
        (batch_norm, (gamma1, beta1), {"eps": eps}),
        (relu, (), {}),
        (conv2d, (weight2,), {"padding": 1}),
        (batch_norm, (gamma2, beta2), {"eps": eps}),
    ]
    y, backs = x, []
    for op, parameters, options in layers:
        y, back = op(y, *parameters, **options)
        backs.append(back)
    s, back_s = carried_of(x, len(gamma1), stride)
    total, back_total = add(y, s)
    result, back_last = relu(total)

    def backward(g):
        g_branch, g_s = back_total(*back_last(g))
        found = []
        for back in reversed(backs):
            g_branch, *others = back(g_branch)
            found = [one for one in others if one is not None] + found
        return (g_branch + back_s(g_s)[0], *found)

    return result, backward


@right
def with_masks(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    a, to_x = conv2d(x, weight1, stride=stride, padding=1)
    b, to_a = batch_norm(a, gamma1, beta1, eps=eps)
    inner = b > 0
    c, to_inner = conv2d(b * inner, weight2, padding=1)
    d, to_c = batch_norm(c, gamma2, beta2, eps=eps)
    d_shape, x_shape = d.shape, x.shape
    same = d_shape == x_shape
    s, to_s = (x, None) if same else pad_shortcut(x, channels=d_shape[-1], stride=stride)
    outer = d + s > 0

    def backward(g):
        g = g * outer
        g_c, g_gamma2, g_beta2 = to_c(g)
        g_y, g_weight2, _ = to_inner(g_c)
        g_a, g_gamma1, g_beta1 = to_a(g_y * inner)
        g_x, g_weight1, _ = to_x(g_a)
        g_x = g_x + (g if same else to_s(g)[0])
        return g_x, g_weight1, g_gamma1, g_beta1, g_weight2, g_gamma2, g_beta2

    return (d + s) * outer, backward


class Block:
    """The forward pass, kept on an object of its own for each call. What may be wrong is a method."""

    second_stride, last_relu, early_relu = 1, True, False

    def __init__(self, x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps):
        first = stride if self.second_stride == 1 else 1
        second = 1 if self.second_stride == 1 else stride
        y, self.conv1 = conv2d(x, weight1, stride=first, padding=1)
        self.a, self.norm1 = batch_norm(y, gamma1, beta1, eps=eps)
        y, self.conv2 = conv2d(xp.maximum(self.a, 0), weight2, padding=1, stride=second)
        self.residual, self.norm2 = batch_norm(y, gamma2, beta2, eps=eps)
        self.s, self.pad = carried_of(x, y.shape[-1], stride)
        f = xp.maximum(self.residual, 0) if self.early_relu else self.residual
        self.y = xp.maximum(f + self.s, 0) if self.last_relu else f + self.s

    def shares(self, g):
        """The gradients of F and of s."""
        return g * (self.y > 0), g * (self.y > 0)

    def between(self, g):
        """The gradient before the inner ReLU."""
        return xp.where(self.a > 0, g, 0)

    def joined(self, by_branch, by_s):
        return by_branch + by_s

    def backward(self, g):
        g_f, g_s = self.shares(g)
        g_f, *second = self.norm2(g_f)
        g_f, g_weight2, _ = self.conv2(g_f)
        g_f, *first = self.norm1(self.between(g_f))
        g_f, g_weight1, _ = self.conv1(g_f)
        return (self.joined(g_f, *self.pad(g_s)), g_weight1, *first, g_weight2, *second)


def of(kind, **changes):
    """An op that works as Block does, with methods replaced."""
    made = type("Changed", (kind,), changes)

    def op(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
        block = made(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride, eps)
        return block.y, block.backward

    return op


def named(name, op):
    op.__name__ = name
    return op


an_object = right(named("an_object", of(Block)))


@right
def branch_apart(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """Two functions, each an op: conv and norm; then they are put together."""

    def conv_norm(x, weight, gamma, beta, stride):
        y, back = conv2d(x, weight, stride=stride, padding=1)
        y, back_norm = batch_norm(y, gamma, beta, eps=eps)

        def backward(g):
            g, g_gamma, g_beta = back_norm(g)
            g_x, g_weight, _ = back(g)
            return g_x, g_weight, g_gamma, g_beta

        return y, backward

    y, back1 = conv_norm(x, weight1, gamma1, beta1, stride)
    y, back_inner = relu(y)
    y, back2 = conv_norm(y, weight2, gamma2, beta2, 1)
    s, back_s = carried_of(x, y.shape[3], stride)
    y = s + y
    y, back_outer = relu(y)

    def backward(g):
        g = back_outer(g)[0]
        g_y, *second = back2(g)
        g_x, *first = back1(back_inner(g_y)[0])
        return g_x + back_s(g)[0], *first, *second

    return y, backward


wrong(X, mistake="shortcut_forgotten")(no_shortcut := named(
    "no_shortcut", of(Block, joined=lambda self, by_branch, by_s: by_branch)))  # fmt: skip
wrong(X, mistake="branch_forgotten")(no_branch := named(
    "no_branch", of(Block, joined=lambda self, by_branch, by_s: 1 * by_s)))  # fmt: skip
wrong(X, mistake="halved")(meant := named(
    "meant", of(Block, joined=lambda self, by_branch, by_s: 0.5 * (by_s + by_branch))))  # fmt: skip
wrong(X, mistake="shortcut_unmasked")(s_gets_g := named(
    "s_gets_g", of(Block, shares=lambda self, g: (xp.where(self.y > 0, g, 0), g))))  # fmt: skip
wrong(SECOND, mistake="branch_unmasked")(f_gets_g := named(
    "f_gets_g", of(Block, shares=lambda self, g: (g, xp.where(self.y > 0, g, 0)))))  # fmt: skip
wrong(SECOND, mistake="both_unmasked")(no_mask := named(
    "no_mask", of(Block, shares=lambda self, g: (1.0 * g, g))))  # fmt: skip
wrong(FIRST, mistake="inner_unmasked")(no_inner_mask := named(
    "no_inner_mask", of(Block, between=lambda self, g: 1 * g)))  # fmt: skip
wrong(SECOND, mistake="inner_mask_for_all")(one_mask := named(
    "one_mask", of(Block, shares=lambda self, g: (xp.where(self.a > 0, g, 0),) * 2)))  # fmt: skip
wrong(X, mistake="mask_of_x")(where_x_is_positive := named(
    "where_x_is_positive", of(Block, shares=lambda self, g: (g * (self.y > 0), xp.where(self.s > 0, g, 0)))))  # fmt: skip
wrong(SECOND, mistake="mask_of_residual")(where_f_is_positive := named(
    "where_f_is_positive", of(Block, shares=lambda self, g: (xp.where(self.residual > 0, g, 0), g * (self.y > 0)))))  # fmt: skip
wrong(STAYS, mistake="relu_before_the_sum")(early := named(
    "early", of(Block, early_relu=True, last_relu=False, shares=lambda self, g: (g * (self.residual > 0), g))))  # fmt: skip
wrong(BELOW, mistake="last_relu_missing")(sum_returned := named(
    "sum_returned", of(Block, last_relu=False, shares=lambda self, g: (g, g))))  # fmt: skip
wrong("test_the_stride_alone_changes_the_shape_too", mistake="stride_on_the_second")(late_stride := named(
    "late_stride", of(Block, second_stride=2)))  # fmt: skip


@wrong(ALL)
def writes_to_g(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    y, backward = an_object(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )

    def in_place(g):
        g *= y > 0
        return backward(g)

    return y, in_place


@wrong(ALL)
def adds_to_x_in_place(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    y, backward = an_object(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )
    if y.shape == x.shape:
        x += y - x
        return x, backward
    return y, backward


@wrong(FIRST)
def in_the_order_of_the_layers(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    """The second layers' gradients come first, as backward finds them."""
    y, backward = an_object(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )

    def turned(g):
        g_x, *rest = backward(g)
        return g_x, *rest[3:], *rest[:3]

    return y, turned


@wrong(ALL)
def three_gradients_of_a_convolution(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    """With the None of each bias."""
    y, backward = an_object(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )

    def nine(g):
        g_x, g_weight1, *norm1, g_weight2, g_gamma2, g_beta2 = backward(g)
        return g_x, g_weight1, None, *norm1, g_weight2, None, g_gamma2, g_beta2

    return y, nine


@wrong(CHANGED)
def shortcut_lost_where_the_shape_changes(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    y, backward = an_object(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )
    lost = no_shortcut(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps)[1]
    return y, backward if y.shape == x.shape else lost


@wrong("test_eps_reaches_both_batch_norms")
def eps_for_the_first_only(
    x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5
):
    y, back1 = conv2d(x, weight1, stride=stride, padding=1)
    y, back2 = batch_norm(y, gamma1, beta1, eps=eps)
    y, back3 = relu(y)
    y, back4 = conv2d(y, weight2, padding=1)
    y, back5 = batch_norm(y, gamma2, beta2)
    s, back_s = carried_of(x, y.shape[-1], stride)
    y, back6 = relu(y + s)

    def backward(g):
        (g,) = back6(g)
        g_y, *second = back5(g)
        g_y, g_weight2, _ = back4(g_y)
        g_y, *first = back2(*back3(g_y))
        g_x, g_weight1, _ = back1(g_y)
        return (g_x + back_s(g)[0], g_weight1, *first, g_weight2, *second)

    return y, backward
