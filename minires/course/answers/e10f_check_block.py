"""Exercise 10f: residual blocks that should be told apart, a check that does it, and checks that do not."""

import itertools

from minires import functional as F
from minires import nn
from minires.backend import to_device, xp
from minires.models.resnet import PadShortcut, make_shortcut
from minires.nn import BatchNorm, Conv2d, init
from minires.tensor import Tensor


def check_block(block):
    """Raise AssertionError unless `block` makes right residual blocks: relu(F + s).

    block  block(in_channels, channels, *, stride=1) makes a Module from x (N, H, W, C) to (N, OH, OW, D), with random weights
    """
    x = _inputs()
    made = block(4, 4)
    y = made(Tensor(x))
    y.backward(xp.ones_like(y.data))
    for parameter in made.parameters():
        assert parameter.grad is not None, "a layer whose result nobody reads"
        parameter.data[...] = 0
    assert xp.allclose(made(Tensor(x)).data, xp.maximum(x, 0)), "F = 0 leaves relu(x)"
    assert block(4, 8, stride=2)(Tensor(x)).shape == (2, 3, 3, 8), "half as high and wide"


def _inputs(shift=0.0):
    return to_device(
        ((xp.arange(2 * 5 * 6 * 4) * 7 % 17 - 8) / 4 + shift).reshape(2, 5, 6, 4).astype("float32")
    )


class _Block(nn.Module):
    """A right one."""

    kind = "B"

    def __init__(self, in_channels, channels, *, stride=1):
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = BatchNorm(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = BatchNorm(channels)
        self.shortcut = make_shortcut(self.kind, in_channels, channels, stride)

    def first(self, x):
        return F.relu(self.bn1(self.conv1(x)))

    def second(self, y):
        return self.bn2(self.conv2(y))

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class _OptionA(_Block):
    kind = "A"


class _ThreeConvolutions(nn.Module):
    """Other names, in a list; a branch of three convolutions."""

    def __init__(self, in_channels, channels, *, stride=1):
        inner = max(channels // 2, 1)
        self.branch = [
            Conv2d(in_channels, inner, 1, bias=False), BatchNorm(inner), nn.ReLU(),
            Conv2d(inner, inner, 3, stride=stride, padding=1, bias=False), BatchNorm(inner), nn.ReLU(),
            Conv2d(inner, channels, 1, bias=False), BatchNorm(channels),
        ]  # fmt: skip
        self.skip = make_shortcut("B", in_channels, channels, stride)

    def forward(self, x):
        y = x
        for layer in self.branch:
            y = layer(y)
        return F.maximum(self.skip(x) + y, 0)


class _ReluBeforeTheSum(_Block):
    def forward(self, x):
        return F.relu(self.second(self.first(x))) + self.shortcut(x)


class _Twice(_Block):
    def forward(self, x):
        y = self.second(self.first(x)) + self.shortcut(x)
        return F.relu(self.shortcut(x) + y)


class _Pooled(_Block):
    def forward(self, x):
        carried = F.mean(self.shortcut(x), axis=(1, 2), keepdims=True)
        return F.relu(self.second(self.first(x)) + carried)


class _OfTheFirst(_Block):
    def forward(self, x):
        y = self.first(x)
        return F.relu(self.second(y) + y)


class _StrideOnBoth(_Block):
    def __init__(self, in_channels, channels, *, stride=1):
        super().__init__(in_channels, channels, stride=stride)
        self.conv2.stride = self.conv1.stride
        if stride > 1:
            self.shortcut = PadShortcut(in_channels, channels, stride * stride)


class _SecondReadsX(_Block):
    def forward(self, x):
        y = self.first(x)
        y = self.second(x if x.shape == y.shape else y)
        return F.relu(y + self.shortcut(x))


# So that a check can't go by the names of classes.
for _kind in (_OptionA, _ThreeConvolutions, _ReluBeforeTheSum, _Twice, _Pooled, _OfTheFirst, _StrideOnBoth, _SecondReadsX):  # fmt: skip
    _kind.__name__, _kind.__qualname__, _kind.__doc__ = "_Block", "_Block", _Block.__doc__


def _seeded(kind):
    """Return a function that makes such blocks: each has weights of its own, from a fixed sequence of seeds."""
    seeds = itertools.count(10)

    def block(in_channels, channels, *, stride=1):
        with init.kept_generator():
            init.manual_seed(next(seeds) % 50)
            return kind(in_channels, channels, stride=stride)

    return block


RIGHT = {"a right one with option B": _seeded(_Block), "a right one with option A": _seeded(_OptionA),
         "a right one with other names and three convolutions": _seeded(_ThreeConvolutions)}  # fmt: skip
WRONG = {"the one with the last ReLU before the add": _seeded(_ReluBeforeTheSum),
         "the one that adds its shortcut twice": _seeded(_Twice),
         "the one that adds the mean of x over the image": _seeded(_Pooled),
         "the one that adds the first convolution's result": _seeded(_OfTheFirst),
         "the one with the stride on both convolutions": _seeded(_StrideOnBoth),
         "the one whose second convolution reads x": _seeded(_SecondReadsX)}  # fmt: skip


def _silenced(made):
    for parameter in made.parameters():
        parameter.data[...] = 0
    return made


def never_rejects(block):
    """the check accepts every block, right or wrong"""
    block(4, 4)(Tensor(_inputs()))


def shapes_only(block):
    """the check rejects only the block with the stride on both convolutions: shapes show no more, as the other five have the right ones"""
    assert block(4, 8, stride=2)(Tensor(_inputs())).shape == (2, 3, 3, 8)


def signs_only(block):
    """the check rejects only the block with its last ReLU before the add: a result without negative numbers shows no more"""
    assert (block(4, 4)(Tensor(_inputs())).data >= 0).all()


def gradients_only(block):
    """the check rejects only the block whose second convolution reads x: gradients that are missing show no more"""
    made = block(4, 4)
    y = made(Tensor(_inputs()))
    y.backward(xp.ones_like(y.data))
    assert all(parameter.grad is not None for parameter in made.parameters())


def silence_only(block):
    """the check accepts two wrong blocks: with all parameters 0 and the same shape, neither the stride on both convolutions nor a second convolution that reads x can show"""
    assert xp.allclose(_silenced(block(4, 4))(Tensor(_inputs())).data, xp.maximum(_inputs(), 0))


def silence_and_shapes(block):
    """the check accepts one wrong block, the one whose second convolution reads x: F = 0 hides it, so look at which of its weights have an effect"""
    shapes_only(block)
    silence_only(block)


def silence_and_gradients(block):
    """the check accepts one wrong block, the one with the stride on both convolutions: try a stride of 2"""
    gradients_only(block)
    silence_only(block)


def nothing_negative(block):
    """the check accepts one wrong block, the one with its last ReLU before the add: an x without negative numbers can't show it"""
    x = _inputs(shift=2.5)
    assert xp.allclose(_silenced(block(4, 4))(Tensor(x)).data, x)
    gradients_only(block)
    shapes_only(block)


def never_content(block):
    """the check rejects every block, including the right ones: for example, because of a name that one of them doesn't use, or a shortcut that isn't x where the shape changes"""
    raise AssertionError
