"""Exercise 12c, chapter 12, 20 minutes: a bottleneck. Check: pytest exercises/test_e12c_bottleneck.py"""

from minires import functional as F
from minires.models.resnet import BasicBlock, make_shortcut
from minires.nn import BatchNorm, Conv2d, Module


class Bottleneck(Module):
    """A residual block whose branch is narrow in the middle: 1x1, 3x3, 1x1. The layers are called conv1, bn1, conv2, bn2,
    conv3, bn3, as in torchvision. The first convolution leads from in_channels to `channels`, the second keeps them, and
    the third leads to expansion = 4 times as many. All three are without bias; the 3x3 has padding 1 and the stride, and
    the others have stride 1. (The paper put the stride on the first 1x1. torchvision moved it, as a 1x1 with stride 2
    never looks at three quarters of its input.) A ReLU follows bn1, another one follows bn2, and the last one comes after
    the sum with the shortcut, as in exercise 08a. self.downsample = make_shortcut(shortcut, IN, OUT, stride, rng=rng) is
    the module that computes the shortcut of x from IN to OUT channels: which numbers are they here? shortcut is "A", "B"
    or "none". Pass rng, which may be None, on to the convolutions. A block may run several times before a backward pass,
    so store nothing on it in forward. To derive: for which in_channels, channels and stride does x keep its shape?
    Chapter 12.
    """

    expansion, preactivation = 4, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        raise NotImplementedError("exercise 12c: write Bottleneck.__init__")

    shortcut = BasicBlock.shortcut

    def forward(self, x):
        raise NotImplementedError("exercise 12c: write Bottleneck.forward")
