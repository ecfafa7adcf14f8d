"""Exercise 10d, chapter 10, 15 minutes: starting as the shortcut. Check: pytest exercises/test_e10d_zero_init_residual.py"""


def zero_init_residual(model):
    """Set the last weight of each residual block's branch to 0, so that the block starts as its shortcut alone.

    Source  Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 5.1.

    model.modules() returns (name, module) for each module in the tree, each once. A block is a module with an attribute
    `expansion`, and its layers are called as in torchvision: conv1, bn1, conv2, bn2, and in a bottleneck, whatever its
    expansion, conv3 and bn3 too. block.downsample is its shortcut: leave that unchanged, and everything outside the blocks
    too. In a block whose `preactivation` is True, each batch norm comes before its convolution (with a ReLU between them);
    otherwise, or without that attribute, after it.
    The weight of a batch norm is gamma. Set the numbers to 0 in place, whatever they are: an optimizer may hold the
    Parameter, and others its array. The model itself may be a block, and a block may have a class of its own. Return nothing.
    To derive: which one weight is the last thing that F is multiplied by, and why is it enough? Chapter 10.
    """
    raise NotImplementedError("exercise 10d: write zero_init_residual")
