"""Exercise 12a, chapter 12, 20 minutes: parameters of a ResNet. Check: pytest exercises/test_e12a_count_parameters.py"""


def count_parameters(
    kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    """Return the number of parameters of a residual network.

    kind  "basic" (3x3, 3x3) or "bottleneck" (1x1, 3x3, 1x1 to four times the width)
    depths, widths  the number of blocks of each stage, and the channels of their 3x3 convolutions
    in_channels  of an image    stem  "cifar" or "imagenet"    shortcut  "A", "B" or "none"

    Source  He et al. 2015, "Deep Residual Learning", table 1, sections 3.3 and 4.2.

    Count by arithmetic, without building the network: return an int, however large. Convolutions have no bias, and each
    has a batch norm behind it. A batch norm has a weight and a bias per channel; its running statistics aren't
    parameters. The stem is one convolution from in_channels to widths[0], 7x7 with stem="imagenet" and 3x3 with "cifar".
    Pooling has no parameters. The first block of each stage except the first has stride 2. Where a block changes the
    number of channels, or has stride 2, its shortcut "B" is a 1x1 convolution with batch norm; elsewhere a shortcut has
    no parameters, and neither has any shortcut "A" or "none". A last linear layer with a bias leads from the channels to
    num_classes. Leave depths and widths unchanged; they may be lists or tuples. To derive: how many parameters does a 3x3
    convolution from C to F channels have, together with its batch norm? Chapter 12.
    """
    raise NotImplementedError("exercise 12a: write count_parameters")
