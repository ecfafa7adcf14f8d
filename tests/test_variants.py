"""The variants of the block compute what their formulas say, written out here by hand, and make whole nets."""

import numpy
import pytest

from minires import Tensor, models, nn
from minires.course.variants import VARIANTS


def relu(x):
    return numpy.maximum(x, 0)


def conv(x, layer):
    """A convolution by loops over the kernel's positions."""
    weight, (stride, _), (padding, _) = layer.weight.numpy(), layer.stride, layer.padding
    x = numpy.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    kh, kw = weight.shape[:2]
    oh, ow = (x.shape[1] - kh) // stride + 1, (x.shape[2] - kw) // stride + 1
    rows, columns = stride * (oh - 1) + 1, stride * (ow - 1) + 1
    return sum(
        x[:, u : u + rows : stride, v : v + columns : stride] @ weight[u, v]
        for u in range(kh)
        for v in range(kw)
    )


def norm(x, layer):
    """Batch normalisation with the batch's statistics."""
    mean, var = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    return (x - mean) / numpy.sqrt(var + layer.eps) * layer.weight.numpy() + layer.bias.numpy()


def padded(x, channels, stride):
    """Option A."""
    x = x[:, ::stride, ::stride]
    before = (channels - x.shape[-1]) // 2
    y = numpy.zeros((*x.shape[:-1], channels))
    y[..., before : before + x.shape[-1]] = x
    return y


def usual(b, x):
    return norm(conv(relu(norm(conv(x, b.conv1), b.bn1)), b.conv2), b.bn2)


def read_twice(b, x, s):
    """Where the shape changes, the original."""
    return relu(norm(conv(x, b.conv2), b.bn2) + s) if x.shape == s.shape else relu(usual(b, x) + s)


def preactivated(b, x, s):
    active = relu(norm(x, b.bn1))
    s = x if x.shape == s.shape else padded(active, s.shape[-1], x.shape[1] // s.shape[1])
    return conv(relu(norm(conv(active, b.conv1), b.bn2)), b.conv2) + s


BY_HAND = {  # block, x, what the shortcut carries -> the result
    "original": lambda b, x, s: relu(usual(b, x) + s),
    "plain": lambda b, x, s: relu(usual(b, x)),
    "pre-activation": preactivated,
    "ReLU before the add": lambda b, x, s: relu(usual(b, x)) + s,
    "BN after the add": lambda b, x, s: relu(
        norm(conv(relu(norm(conv(x, b.conv1), b.bn1)), b.conv2) + s, b.bn2)
    ),
    "all times 0.5": lambda b, x, s: relu((usual(b, x) + s) / 2),
    "1x1 on each shortcut": lambda b, x, s: relu(
        usual(b, x) + norm(conv(x, b.downsample[0]), b.downsample[1])
    ),
    "dropout on the shortcut": lambda b, x, s: relu(usual(b, x) + s * KEPT[: s.size].reshape(s.shape) / 0.5),
    "second conv reads x": read_twice,
    "gamma 0": lambda b, x, s: relu(usual(b, x) + s),
    "conv ReLU BN": lambda b, x, s: conv(norm(relu(conv(x, b.conv1)), b.bn1), b.conv2) + s,
}  # fmt: skip
KEPT = numpy.random.default_rng(7).random(10**4) >= 0.5  # as the block below draws it


def made(name, stride, channels):
    block = VARIANTS[name](
        6, channels, stride=stride, shortcut="A", rng=numpy.random.default_rng(5)
    )
    rng = numpy.random.default_rng(6)
    for _, layer in block.modules():
        if isinstance(layer, nn.BatchNorm):
            layer.bias.data[:] = rng.normal(size=layer.bias.shape)
            if name != "gamma 0":
                layer.weight.data[:] = rng.uniform(0.5, 2, layer.weight.shape)
        if isinstance(layer, nn.Dropout):
            layer.rng = numpy.random.default_rng(7)
    return block


@pytest.mark.parametrize(("stride", "channels"), [(1, 6), (2, 12)])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_computes_its_formula(name, stride, channels):
    block = made(name, stride, channels)
    x = numpy.random.default_rng(8).normal(size=(4, 8, 8, 6)).astype(numpy.float32)
    expected = BY_HAND[name](block, x.astype(float), padded(x.astype(float), channels, stride))
    found = block(Tensor(x)).numpy()
    numpy.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)
    others = [
        other(made(name, stride, channels), x.astype(float), padded(x.astype(float), channels, stride))
        for key, other in BY_HAND.items()
        if key not in (name, "1x1 on each shortcut", "gamma 0")
        and (name, key) != ("gamma 0", "original")
        and name not in ("1x1 on each shortcut", "conv ReLU BN", "pre-activation")
        and key not in ("conv ReLU BN", "pre-activation")
        and not ({name, key} <= {"original", "second conv reads x"} and stride == 2)
        and not (name == "gamma 0" and key == "second conv reads x")
    ]  # fmt: skip
    assert all(abs(found - other).max() > 0.01 for other in others)


def test_gamma_0_starts_as_the_shortcut_alone():
    block = VARIANTS["gamma 0"](6, 6, shortcut="A")
    x = numpy.random.default_rng(0).normal(size=(2, 4, 4, 6)).astype(numpy.float32)
    numpy.testing.assert_array_equal(block(Tensor(x)).numpy(), relu(x))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_makes_a_net_whose_loss_can_be_walked_back(name):
    net = models.ResNet(VARIANTS[name], (2, 2, 2), (8, 16, 32), shortcut="A", in_channels=1)
    x = numpy.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(numpy.float32)
    logits = net(Tensor(x))
    assert logits.shape == (3, 10)
    (logits * logits).mean().backward()
    assert net.conv1.weight.grad is not None
    silent = {key for key, each in net.named_parameters() if each.grad is None}
    dead = {"layer1.0", "layer1.1", "layer2.1", "layer3.1"} if name == "second conv reads x" else {}
    assert {key.rpartition(".")[0].rpartition(".")[0] for key in silent} == set(dead)
    net.eval()(Tensor(x))


def test_evaluation_drops_nothing():
    block = VARIANTS["dropout on the shortcut"](6, 6).eval()
    x = Tensor(numpy.ones((2, 4, 4, 6), numpy.float32))
    numpy.testing.assert_array_equal(block(x).numpy(), block(x).numpy())
