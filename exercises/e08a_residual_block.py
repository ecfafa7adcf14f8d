"""Exercise 08a, chapter 08, 30 minutes: a residual block. Check: pytest exercises/test_e08a_residual_block.py"""

from minires import functional as F
from minires.models.blocks import make_shortcut
from minires.nn import BatchNorm, Conv2d, Module


class BasicBlock(Module):
    """3x3, 3x3.

    relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)), on tensors: they add with +, and F.relu is there.
    The layers are called conv1, bn1, conv2, bn2, as in torchvision. The convolutions are 3x3 with padding 1 and have no bias;
    the first one has the stride. self.downsample = make_shortcut(shortcut, in_channels, channels, stride) is what x goes
    through where its shape changes (a projection, or zero channels), Identity() where it does not; and None in a plain net,
    where nothing is added. Chapter 08.
    """

    expansion, preactivation = 1, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B"):
        raise NotImplementedError("exercise 08a: write BasicBlock.__init__")

    def forward(self, x):
        raise NotImplementedError("exercise 08a: write BasicBlock.forward")
