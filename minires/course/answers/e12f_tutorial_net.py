"""Exercise 12f: a residual network of five faults, the right one, and what is left if some of the faults are."""

import copy

from minires import functional as F
from minires.nn import BatchNorm, Conv2d, Linear, Module, Sequential


def tutorial_net(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """Return a residual network of basic blocks as a module, (N, H, W, in_channels) -> (N, num_classes).

    depths, widths  blocks per stage, and their channels
    rng  a numpy.random.Generator from which each layer draws its weights, or None
    Every stage except the first halves the map, in its first block. The method maps(x) returns the list of feature maps
    after the stem and after each stage.
    """

    class Block(Module):
        def __init__(self, c, f, stride):
            self.conv1 = Conv2d(c, f, 3, stride=stride, padding=1, bias=False, rng=rng)
            self.bn1 = BatchNorm(f)
            self.conv2 = Conv2d(f, f, 3, padding=1, bias=False, rng=rng)
            self.bn2 = BatchNorm(f)
            self.downsample = None
            if stride != 1 or c != f:
                projection = Conv2d(c, f, 1, stride=stride, bias=False, rng=rng)
                self.downsample = Sequential(projection, BatchNorm(f))

        def forward(self, x):
            skip = x if self.downsample is None else self.downsample(x)
            y = F.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            return F.relu(y + skip)

    class Net(Module):
        def __init__(self):
            channels = widths[0]
            self.conv1 = Conv2d(in_channels, channels, 3, padding=1, bias=False, rng=rng)
            self.bn1 = BatchNorm(channels)
            self.stages = []
            for stage, (depth, width) in enumerate(zip(depths, widths)):
                stride = 2 if stage else 1
                first = Block(channels, width, stride)
                others = [Block(width, width, 1) for _ in range(depth - 1)]
                self.stages.append(Sequential(first, *others))
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


def hunted(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """the function is as provided, with all of its five faults"""

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


class _Block(Module):
    """A block, right or with one of the faults."""

    def __init__(self, c, f, stride, rng, faults):
        bias, self.faults = "bias" in faults, "".join(faults)
        self.conv1 = Conv2d(c, f, 3, stride=stride, padding=1, bias=bias, rng=rng)
        self.bn1 = BatchNorm(f)
        bias = bias or "second bias" in faults
        self.conv2 = Conv2d(f, f, 3, padding=1, bias=bias, rng=rng)
        self.bn2 = BatchNorm(f)
        self.downsample = None
        if stride != 1 or c != f:
            projection = Conv2d(c, f, 1, stride=stride, bias=False, rng=rng)
            self.downsample = Sequential(projection, BatchNorm(f))

    def forward(self, x):
        skip = x if self.downsample is None else self.downsample(x)
        y = self.conv1(x)
        y = self.bn1(F.relu(y)) if "order" in self.faults else F.relu(self.bn1(y))
        y = self.bn2(self.conv2(y))
        if "branch" in self.faults:
            return F.relu(y) + skip
        return y + skip if "end" in self.faults else F.relu(y + skip)


class _Net(Module):
    """The network, right or with some of the faults."""

    def __init__(self, depths, widths, in_channels, num_classes, rng, faults):
        channels = widths[0]
        self.conv1 = Conv2d(in_channels, channels, 3, padding=1, bias=False, rng=rng)
        self.bn1 = BatchNorm(channels)
        self.stages = []
        for stage, (depth, width) in enumerate(zip(depths, widths)):
            stride = 2 if ("first stage" in faults) != (stage > 0) else 1
            stride = 1 if "never" in faults else 2 if "all stages" in faults else stride
            first = _Block(channels, width, stride, rng, faults)
            later = stride if "all blocks" in faults else 1
            others = [_Block(width, width, later, rng, faults) for _ in range(depth - 1)]
            others = others[:1] * (depth - 1) if "shared" in faults else others
            others = [copy.deepcopy(others[0]) for _ in others] if "copied" in faults else others
            self.stages.append(Sequential(first, *others))
            channels = width
        self.fc = Linear(channels, num_classes, rng=rng)

    def maps(self, x):
        found = [F.relu(self.bn1(self.conv1(x)))]
        for stage in self.stages:
            found.append(stage(found[-1]))
        return found

    def forward(self, x):
        return self.fc(F.global_avg_pool(self.maps(x)[-1]))


def first_stage_halves(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """the first stage still halves the map, and the others don't: it should be the other way round"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["first stage"])


def every_stage_halves(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """every stage halves the map: the first one should keep it"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["all stages"])


def no_stage_halves(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """no stage halves the map: each except the first should"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["never"])


def every_block_halves(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """every block of a stage halves the map: only its first one should"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["all blocks"])


def blocks_still_shared(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """a list of one block, multiplied, is still that one block several times: each needs weights of its own"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["shared"])


def blocks_copied(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """the blocks of a stage are copies of one block: they start with equal weights, and each should draw its own"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["copied"])


def biases_left(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """the convolutions of a block still have biases: the batch norm behind them subtracts them again"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["bias"])


def second_bias_left(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """a block's second convolution still has a bias"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["second bias"])


def relu_before_the_norm(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """in a block the ReLU still comes before the batch norm"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["order"])


def last_relu_missing(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """the ReLU after a block's sum is still missing"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["end"])


def relu_before_the_sum(depths, widths, *, in_channels=3, num_classes=10, rng=None):
    """a block's last ReLU comes before the sum: it belongs after it, and the branch may subtract"""
    return _Net(depths, widths, in_channels, num_classes, rng, ["branch"])
