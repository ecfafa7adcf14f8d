"""Exercise 12f, chapter 12, 25 minutes: a net from a tutorial. Check: pytest exercises/test_e12f_tutorial_net.py"""

from minires import functional as F
from minires.nn import BatchNorm, Conv2d, Linear, Module, Sequential


def tutorial_net(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """Return a residual network of basic blocks as a module, (N, H, W, in_channels) -> (N, num_classes).

    depths, widths  blocks per stage, and their channels
    rng  a numpy.random.Generator from which each layer draws its weights, or None
    Every stage except the first halves the map, in its first block. The method maps(x) returns the list of feature maps
    after the stem and after each stage.

    The function below is put together from tutorials. It runs, and it learns, but it isn't the network of the paper:
    tutorial_net((3, 3, 3), (16, 32, 64)) should have 272,474 parameters, and on 8x8 images its maps should have the
    shapes (N, 8, 8, 16), (N, 8, 8, 16), (N, 4, 4, 32) and (N, 2, 2, 64), for 2,551,424 multiply-adds. As provided, only
    the first of these shapes is right. The function has five faults, most of which counting finds: fix all of them, and
    leave the names of attributes and methods unchanged. In the paper, batch norm comes right after each convolution and
    before the ReLU, and each block ends with a ReLU. The projection, which a block needs if it changes the shape, is
    right as provided. Chapter 12.
    """

    class Block(Module):
        def __init__(self, c, f, stride):
            self.conv1 = Conv2d(c, f, 3, stride=stride, padding=1, rng=rng)
            self.bn1 = BatchNorm(f)
            self.conv2 = Conv2d(f, f, 3, padding=1, rng=rng)
            self.bn2 = BatchNorm(f)
            self.downsample = None
            if stride != 1 or c != f:
                projection = Conv2d(c, f, 1, stride=stride, bias=False, rng=rng)
                self.downsample = Sequential(projection, BatchNorm(f))

        def forward(self, x):
            skip = x if self.downsample is None else self.downsample(x)
            y = self.bn1(F.relu(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            return y + skip

    class Net(Module):
        def __init__(self):
            channels = widths[0]
            self.conv1 = Conv2d(in_channels, channels, 3, padding=1, bias=False, rng=rng)
            self.bn1 = BatchNorm(channels)
            self.stages = []
            for stage, (depth, width) in enumerate(zip(depths, widths)):
                stride = 1 if stage else 2
                first, other = Block(channels, width, stride), Block(width, width, 1)
                self.stages.append(Sequential(first, *[other] * (depth - 1)))
                channels = width
            self.fc = Linear(channels, num_classes, rng=rng)

        def maps(self, x):
            found = [F.relu(self.bn1(self.conv1(x)))]
            for stage in self.stages:
                found.append(stage(found[-1]))
            return found

        def forward(self, x):
            return self.fc(F.global_avg_pool(self.maps(x)[-1]))

    return Net()
