"""Exercise 08a, chapter 08, 30 minutes: a residual block. Check: pytest exercises/test_e08a_residual_block.py"""

from minires import functional as F
from minires.models.resnet import make_shortcut
from minires.nn import BatchNorm, Conv2d, Module


class BasicBlock(Module):
    """3x3, 3x3.

    shortcut  the path of x where its shape changes: "A" pads with zero channels and has no parameters, "B" is a 1x1
        convolution with batch norm; with "none" the block adds nothing, and the net is plain

    The branch: conv1, bn1, a ReLU, conv2, bn2; so the layers are called, as in torchvision. The block adds the
    shortcut of x to the branch. Work on tensors: + adds them, and F.relu is the ReLU. The convolutions are 3x3 with
    padding 1 and have no bias. One of them has the stride, the other has stride 1: choose so that the second one has
    less to do. self.downsample = make_shortcut(shortcut, in_channels, channels, stride, rng=rng) is a module that
    computes the shortcut of x: it returns x where the shape stays the same, a projection of x (or x with zero
    channels) where it changes, and 0 in a plain network. self.shortcut is an alias for it. Pass rng, which may be
    None, on to the convolutions: they draw their weights from it. A block may run several times before a backward
    pass, so store nothing on it in forward.
    To derive: a second ReLU belongs to the block. Is it the last op of the branch, or does it come after the sum?
    Chapter 08.
    """

    expansion, preactivation = 1, False

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B", rng=None):
        raise NotImplementedError("exercise 08a: write BasicBlock.__init__")

    @property
    def shortcut(self):
        """The paper's name for `downsample`, which is torchvision's."""
        return self.downsample

    def forward(self, x):
        raise NotImplementedError("exercise 08a: write BasicBlock.forward")
