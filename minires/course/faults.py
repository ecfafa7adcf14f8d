"""A training run that is right, and twelve that have one fault each: what chapter 15 examines.

    run = FAULTS["rate x100"](seed=0)       a run that hasn't started: run.model, run.optimizer, run.training, ...
    run.train()                             train it; run.losses has the loss of each step
    run.accuracy()                          fraction of correct predictions on the validation set

Each fault is a subclass that changes one piece of Right. All of them run without an error.
"""

import math

import numpy

from minires import data, optim
from minires import functional as F
from minires.models.resnet import BasicBlock, ResNet
from minires.tensor import Tensor
from minires.train import evaluate


class Right:
    """nothing: this is the right one"""

    epochs, batch, lr, momentum, decay = 2, 64, 0.1, 0.9, 1e-4
    block, flip = BasicBlock, False

    def __init__(self, seed=0):
        self.seed, self.losses = seed, []
        self.training, self.validation, self.test = self.images()
        self.model = self.network(numpy.random.default_rng(seed))
        steps = self.epochs * len(self.batches(0))
        self.optimizer = optim.SGD(
            self.model.parameters(), lr=self.rate(steps), momentum=self.momentum, weight_decay=self.decay
        )  # fmt: skip

    def images(self):
        """Return the training, validation and test sets."""
        return data.digits()

    def network(self, rng):
        """Return a residual network of eight layers."""
        return ResNet(self.block, (1, 1, 1), (8, 16, 32), in_channels=1, rng=rng)

    def rate(self, steps):
        """Return the learning rate as a function of the step: half a cosine, with a warm-up."""
        return optim.cosine(self.lr, steps=steps, warmup=steps // 10)

    def batches(self, epoch):
        """Return an epoch of batches (x, labels)."""
        return data.batches(self.training, self.batch, seed=self.seed, epoch=epoch, flip=self.flip)

    def mode(self):
        """Switch the model to the mode in which it is trained."""
        self.model.train()

    def loss(self, x, labels):
        """Return the loss of a batch."""
        return F.cross_entropy(self.model(Tensor(x)), labels)

    def step(self, x, labels):
        """Take one step on a batch, and record its loss."""
        self.mode()
        loss = self.loss(x, labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses.append(float(loss.data))

    def train(self):
        """Train for all epochs. Returns the run. A loss that isn't finite ends it."""
        with numpy.errstate(all="ignore"):
            for epoch in range(self.epochs):
                for x, labels in self.batches(epoch):
                    self.step(x, labels)
                    if not math.isfinite(self.losses[-1]):
                        return self
        return self

    def accuracy(self):
        """Return the fraction of validation images that are classified correctly."""
        with numpy.errstate(all="ignore"):
            return evaluate(self.model, data.batches(self.validation, 256)).accuracy


class ShuffledApart(Right):
    """the labels of the training images are shuffled, and the images are not"""

    def images(self):
        training, validation, test = data.digits()
        mixed = data.Dataset(
            training.images, numpy.random.default_rng(self.seed).permutation(training.labels), training.classes,
            max_value=training.max_value, mean=training.mean, std=training.std,
        )  # fmt: skip
        return mixed, validation, test


class DividedTwice(Right):
    """pixels are divided by their largest value twice, and then normalised as if they weren't"""

    def images(self):
        parts = data.digits()
        for part in parts:
            part.max_value **= 2
        return parts


class RateByEpoch(Right):
    """the schedule counts steps, and is given the number of epochs: the rate is 0 after two steps"""

    def rate(self, steps):
        return optim.cosine(self.lr, steps=self.epochs)


class LeftAtEval(Right):
    """the model is trained in evaluation mode"""

    def mode(self):
        self.model.eval()


class MomentumSwapped(Right):
    """batch norm's momentum follows a different convention: the old statistics have a weight of 0.1, and the batch's 0.9"""

    def network(self, rng):
        model = super().network(rng)
        for _, module in model.modules():
            if hasattr(module, "running_var"):
                module.momentum = 1 - module.momentum
        return model


class _CutNet(ResNet):
    def stem(self, x):
        return super().stem(x).detach()


class CutGraph(Right):
    """the stem's result is detached from the graph"""

    def network(self, rng):
        return _CutNet(self.block, (1, 1, 1), (8, 16, 32), in_channels=1, rng=rng)


class RateTimes100(Right):
    """the learning rate is 100 times as high"""

    lr = 100 * Right.lr


class _WithoutFirstReLU(ResNet):
    def stem(self, x):
        return self.bn1(self.conv1(x))


class FirstReLUMissing(Right):
    """there is no ReLU between the first batch norm and the first block"""

    def network(self, rng):
        return _WithoutFirstReLU(self.block, (1, 1, 1), (8, 16, 32), in_channels=1, rng=rng)


class _ReLUBeforeTheAdd(BasicBlock):
    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y))) + self.shortcut(x)


class ReLUBeforeTheAdd(Right):
    """in each block, the last ReLU comes before the sum"""

    block = _ReLUBeforeTheAdd


class DecayOfAHalf(Right):
    """the weight decay is 0.5"""

    decay = 0.5


class FlippedDigits(Right):
    """half of the training images are mirrored, as is usual for photographs"""

    flip = True


class TestStatistics(Right):
    """all images are normalised by the mean and the standard deviation of the test set"""

    def images(self):
        parts = data.digits()
        _, _, test = parts
        own = test.part(slice(None), mean=None, std=None)
        for part in parts:
            part.normalise(mean=own.mean, std=own.std)
        return parts


FAULTS = {
    "labels shuffled apart": ShuffledApart,
    "divided twice": DividedTwice,
    "rate by epoch": RateByEpoch,
    "left at eval": LeftAtEval,
    "momentum swapped": MomentumSwapped,
    "cut graph": CutGraph,
    "rate x100": RateTimes100,
    "first ReLU missing": FirstReLUMissing,
    "ReLU before the add": ReLUBeforeTheAdd,
    "decay 0.5": DecayOfAHalf,
    "flipped digits": FlippedDigits,
    "test statistics": TestStatistics,
}
RUNS = {"right": Right, **FAULTS}

# Five of them with letters instead of names, as chapter 15 shows them before it tells which is which.
LINE_UP = {"A": CutGraph, "B": FlippedDigits, "C": Right, "D": LeftAtEval, "E": DividedTwice}
