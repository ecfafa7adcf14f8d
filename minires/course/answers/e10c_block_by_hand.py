"""Exercise 10c: a residual block as one op, and what goes wrong with its backward pass."""

from minires.ops import batch_norm, conv2d, pad_shortcut, relu


def residual_block(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """relu(F + s) as one op, where the residual F is a 3x3 convolution, batch norm, ReLU, 3x3 convolution, batch norm.

    x  (N, H, W, C)    weight1  (3, 3, C, D)    weight2  (3, 3, D, D)    gamma, beta  (D,)    result  (N, OH, OW, D)

    Raises  ValueError: shapes that do not match.
    """
    y, back_conv1 = conv2d(x, weight1, stride=stride, padding=1)
    y, back_norm1 = batch_norm(y, gamma1, beta1, eps=eps)
    y, back_relu1 = relu(y)
    y, back_conv2 = conv2d(y, weight2, padding=1)
    y, back_norm2 = batch_norm(y, gamma2, beta2, eps=eps)
    shortcut, back_shortcut = x, None
    if y.shape != x.shape:
        shortcut, back_shortcut = pad_shortcut(x, channels=y.shape[-1], stride=stride)
    y, back_relu2 = relu(y + shortcut)

    def backward(g):
        (g_sum,) = back_relu2(g)
        g_y, g_gamma2, g_beta2 = back_norm2(g_sum)
        g_y, g_weight2, _ = back_conv2(g_y)
        (g_y,) = back_relu1(g_y)
        g_y, g_gamma1, g_beta1 = back_norm1(g_y)
        g_x, g_weight1, _ = back_conv1(g_y)
        (g_shortcut,) = back_shortcut(g_sum) if back_shortcut else (g_sum,)
        return g_x + g_shortcut, g_weight1, g_gamma1, g_beta1, g_weight2, g_gamma2, g_beta2

    return y, backward


class _Block:
    """A block whose parts can be wrong. The methods that end in _back return the gradient at one place of the backward pass."""

    def __init__(self, x, parameters, stride, eps):
        weight1, gamma1, beta1, weight2, gamma2, beta2 = parameters
        self.x, (first, second) = x, self.strides(stride)
        y, self.conv1 = conv2d(x, weight1, stride=first, padding=1)
        y, self.norm1 = batch_norm(y, gamma1, beta1, eps=eps)
        self.between = y
        y, self.conv2 = conv2d(self.inner(y), weight2, stride=second, padding=1)
        y, self.norm2 = batch_norm(y, gamma2, beta2, eps=eps)
        carried, self.pad = x, lambda g: (g,)
        if y.shape != x.shape:
            carried, self.pad = pad_shortcut(x, channels=y.shape[-1], stride=stride)
        self.carried = carried
        self.total = self.joined(y, carried)

    def strides(self, stride):
        """Return the strides of the two convolutions."""
        return stride, 1

    def inner(self, y):
        """Compute the ReLU between the convolutions."""
        return relu(y)[0]

    def inner_back(self, g):
        """Return the gradient before the ReLU between the convolutions."""
        return g * (self.between > 0)

    def joined(self, residual, carried):
        """Return what the last ReLU gets."""
        return residual + carried

    def result(self):
        """Return the result."""
        return relu(self.total)[0]

    def branch_back(self, g):
        """Return the gradient that the branch gets."""
        return g * (self.total > 0)

    def carried_back(self, g):
        """Return the gradient that the shortcut gets."""
        return g * (self.total > 0)

    def x_back(self, by_branch, by_shortcut):
        """Return the gradient of x from those of its two paths."""
        return by_branch + by_shortcut

    def backward(self, g):
        """Return the seven gradients."""
        g_y, *norm2 = self.norm2(self.branch_back(g))
        g_y, g_weight2, _ = self.conv2(g_y)
        g_y, *norm1 = self.norm1(self.inner_back(g_y))
        g_x, g_weight1, _ = self.conv1(g_y)
        (by_shortcut,) = self.pad(self.carried_back(g))
        return self.x_back(g_x, by_shortcut), g_weight1, *norm1, g_weight2, *norm2

    @classmethod
    def op(cls, x, *parameters, stride=1, eps=1e-5):
        """Return (result, backward)."""
        block = cls(x, parameters, stride, eps)
        return block.result(), block.backward


class _ShortcutForgotten(_Block):
    def x_back(self, by_branch, by_shortcut):
        return by_branch


class _BranchForgotten(_Block):
    def x_back(self, by_branch, by_shortcut):
        return by_shortcut + 0.0


class _ShortcutUnmasked(_Block):
    def carried_back(self, g):
        return g


class _BranchUnmasked(_Block):
    def branch_back(self, g):
        return g


class _InnerUnmasked(_Block):
    def inner_back(self, g):
        return g


class _InnerMaskForAll(_Block):
    def branch_back(self, g):
        return g * (self.between > 0)

    carried_back = branch_back


class _MaskOfX(_Block):
    def carried_back(self, g):
        return g * (self.carried > 0)


class _MaskOfResidual(_Block):
    def joined(self, residual, carried):
        self.residual = residual
        return residual + carried

    def branch_back(self, g):
        return g * (self.residual > 0)


class _ReluBeforeTheSum(_Block):
    def joined(self, residual, carried):
        self.residual = residual
        return relu(residual)[0] + carried

    def result(self):
        return self.total

    def branch_back(self, g):
        return g * (self.residual > 0)

    def carried_back(self, g):
        return g


class _LastReluMissing(_Block):
    def result(self):
        return self.total

    def branch_back(self, g):
        return g

    carried_back = branch_back


class _StrideOnTheSecond(_Block):
    def strides(self, stride):
        return 1, stride


class _Halved(_Block):
    def x_back(self, by_branch, by_shortcut):
        return (by_branch + by_shortcut) / 2


def shortcut_forgotten(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the shortcut's path is left out of the gradient of x: g reaches x twice, through F and around it"""
    return _ShortcutForgotten.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def branch_forgotten(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the path through F is left out of the gradient of x: g reaches x twice, through F and around it"""
    return _BranchForgotten.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def shortcut_unmasked(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the shortcut gets g as it came, before the last ReLU's mask: the ReLU is applied to the sum, so its mask is on both paths"""
    return _ShortcutUnmasked.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def branch_unmasked(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the branch gets g as it came, before the last ReLU's mask: the ReLU is applied to the sum, so its mask is on both paths"""
    return _BranchUnmasked.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def both_unmasked(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the last ReLU has no backward pass here: where the result is 0, no gradient may pass, neither to the branch nor to the shortcut"""
    block = _Block(x, (weight1, gamma1, beta1, weight2, gamma2, beta2), stride, eps)
    block.branch_back = block.carried_back = lambda g: g
    return block.result(), block.backward


def inner_unmasked(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the ReLU between the convolutions is left out of the backward pass"""
    return _InnerUnmasked.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def inner_mask_for_all(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """both ReLUs use the mask of the inner one: each has its own"""
    return _InnerMaskForAll.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def mask_of_x(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the mask on the shortcut's path is that of the shortcut's own numbers: the ReLU's mask says where the sum is positive"""
    return _MaskOfX.op(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps)


def mask_of_residual(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the mask on the branch's path says where F is positive: the ReLU's mask says where the sum is"""
    return _MaskOfResidual.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def relu_before_the_sum(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the last ReLU comes before the sum: it belongs after it"""
    return _ReluBeforeTheSum.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def last_relu_missing(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the ReLU after the sum is missing"""
    return _LastReluMissing.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def stride_on_the_second(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the second convolution has the stride instead of the first: the shapes are the same, but the values differ"""
    return _StrideOnTheSecond.op(
        x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps
    )


def halved(x, weight1, gamma1, beta1, weight2, gamma2, beta2, *, stride=1, eps=1e-5):
    """the two gradients that reach x are averaged: contributions add up"""
    return _Halved.op(x, weight1, gamma1, beta1, weight2, gamma2, beta2, stride=stride, eps=eps)
