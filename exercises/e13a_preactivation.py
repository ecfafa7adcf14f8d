"""Exercise 13a, chapter 13, 25 minutes: a pre-activated block. Check: pytest exercises/test_e13a_preactivation.py"""

from minires import functional as F
from minires.models.resnet import BasicBlock, make_shortcut
from minires.nn import BatchNorm, Conv2d, Module


class PreActivationBasicBlock(Module):
    """3x3, 3x3. shortcut  as in BasicBlock

    The layers are called bn1, conv1, bn2 and conv2. Batch norm and a ReLU come before each convolution, and the sum comes
    last: nothing follows it. The convolutions are 3x3 with padding 1 and have no bias; the first one has the stride.
    self.downsample = make_shortcut(shortcut, in_channels, channels, stride, norm=..., rng=rng) is the module between the
    block's input and the sum. Where the shape stays the same, it returns whatever you give it; where the shape changes, it
    is a 1x1 convolution (or zero channels, shortcut "A"), with a batch norm after it if norm is True; in a plain
    network ("none") it returns 0. Pass rng, which may be None, on to the convolutions. A block may run several times before
    a backward pass, so store nothing on it in forward.
    To derive: how many channels does each batch norm have? Where the shape stays the same, x itself has to reach
    the sum. Where the shape changes, x can't pass unchanged anyway, and both paths read the same tensor: which one is that,
    and does the 1x1 convolution need a batch norm of its own? Chapter 13.
    """

    expansion, preactivation = 1, True

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        raise NotImplementedError("exercise 13a: write PreActivationBasicBlock.__init__")

    shortcut = BasicBlock.shortcut

    def forward(self, x):
        raise NotImplementedError("exercise 13a: write PreActivationBasicBlock.forward")
