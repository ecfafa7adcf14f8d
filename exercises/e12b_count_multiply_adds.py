"""Exercise 12b, chapter 12, 20 minutes: the work of a ResNet. Check: pytest exercises/test_e12b_count_multiply_adds.py"""


def count_multiply_adds(
    kind, depths, widths, size, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    """Return the number of multiply-adds that a residual network takes for one image.

    kind  "basic" (3x3, 3x3) or "bottleneck" (1x1, 3x3, 1x1 to four times the width)
    depths, widths  the number of blocks of each stage, and the channels of their 3x3 convolutions
    size  (H, W) of the image, in_channels  its channels    stem  "cifar" or "imagenet"    shortcut  "A", "B" or "none"

    Source  He et al. 2015, "Deep Residual Learning", table 1, sections 3.3 and 4.2.

    Count by arithmetic, for one image: return an int, however large. Count the convolutions, those of projections too,
    and the last linear layer; norms, ReLUs, sums and pooling count as 0. Multiplications with the zeros of the padding
    count. The network is that of exercise 12a. A convolution with stride 2 halves height and width and rounds up: 7
    pixels become 4, and 1 stays 1. So does the 3x3 max pool that follows the stem "imagenet", whose convolution has
    stride 2 too; the stem "cifar" keeps the size. The first block of each stage except the first has stride 2: a basic
    block in its first convolution, a bottleneck in its 3x3, and a projection in its 1x1. Shortcuts "A" and "none" cost
    nothing. The linear layer gets one number per channel. Leave depths, widths and size unchanged; they may be lists or
    tuples. To derive: how many multiply-adds does one pixel of one channel of the result of a 3x3 convolution take?
    And all of them? Chapter 12.
    """
    raise NotImplementedError("exercise 12b: write count_multiply_adds")
