"""The work that is measured, done by minires: a step of training, inference, a convolution."""

from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from benchmarks.problems import CLASSES, SGD, SMOOTHING
from minires import Tensor, backend, models, nn, no_grad, ops, optim
from minires import functional as F


def build(net):
    """The model of a Net, with the same weights each time."""
    nn.manual_seed(0)
    return models.ResNet(getattr(models, net.block), net.depths, net.widths, num_classes=CLASSES, shortcut="B")


def training(model, x, labels):
    """A function that does one step: forward, loss, backward, optimizer."""
    model.train()
    optimizer = optim.SGD(model.parameters(), **SGD)

    def step():
        loss = F.cross_entropy(model(Tensor(x)), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def inference(model, x):
    """A function that gives the logits of the model, with batch norm folded into its convolutions."""
    folded = nn.folded(model, x[:2])

    def logits():
        with no_grad():
            return folded(Tensor(x)).numpy()

    return logits


def convolution(shape, algorithm):
    """(forward, both): functions that convolve, and that convolve and give the gradients of x and weight."""
    x, weight, g = shape.arrays()
    options = {"stride": shape.stride, "padding": shape.padding, "algorithm": algorithm}

    def forward():
        ops.conv2d(x, weight, **options)

    def both():
        _, backward = ops.conv2d(x, weight, **options)
        backward(g)

    return forward, both


@contextmanager
def one_thread():
    """A context in which minires and the BLAS use one thread."""
    with backend.using_threads(1), threadpool_limits(1, user_api="blas"):
        yield
