"""The work that is measured, in minires: a step of training, inference, a convolution."""

import warnings
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from benchmarks.problems import CLASSES, SGD, SMOOTHING
from minires import Tensor, backend, models, nn, no_grad, ops, optim
from minires import functional as F
from minires.fast import winograd as tiled
from minires.train import train_epoch

# Without these forms, conv2d computes im2col, one chunk of the batch at a time.
NOT_COLUMNS = ("winograd", "pointwise")


def build(net):
    """Return the model of a Net, with the same weights each time."""
    nn.manual_seed(0)
    return models.ResNet(
        getattr(models, net.block), net.depths, net.widths, num_classes=CLASSES, shortcut="B"
    )


def training(model, x, labels):
    """Return a function that does one step: forward, loss, backward, optimizer."""
    model.train()
    optimizer = optim.SGD(model.parameters(), **SGD)

    def step():
        loss = F.cross_entropy(model(Tensor(x)), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def epoch(model, x, labels, steps, **options):
    """Return a function that trains on one batch for `steps` steps by train_epoch, and returns its Score.

    options  settings, such as cuda_graph=True. Raises  UserWarning: steps cannot be one launch each
    """
    optimizer, batches = optim.SGD(model.parameters(), **SGD), [(x, labels)] * steps

    def run():
        with backend.using(**options), warnings.catch_warnings():
            warnings.filterwarnings("error", "cuda_graph")
            return train_epoch(model, batches, optimizer, label_smoothing=SMOOTHING)

    return run


def inference(model, x):
    """Return a function that returns the logits of the model. In evaluation, batch norm is folded into the convolutions."""
    model.eval()

    def logits():
        with no_grad():
            return model(Tensor(x)).numpy()

    return logits


def im2col(x, weight, *, stride, padding):
    """Return conv2d with im2col."""
    with ops.without(*NOT_COLUMNS):
        return ops.conv2d(x, weight, stride=stride, padding=padding)


def winograd(x, weight, *, stride, padding):
    """Return conv2d with Winograd's tiles, even where the form declines because they do not pay."""
    made = tiled.winograd(x, weight, stride=stride, padding=padding)
    if made is NotImplemented:
        made = tiled.by_tiles(
            x, weight, padding=(padding, padding), tile=tiled.TILES[stride, stride][-1]
        )
    return made


CONVOLUTIONS = {"im2col": im2col, "winograd": winograd, "minires": ops.conv2d}


def convolution(shape, way):
    """Return (forward, both): functions that convolve, and that convolve and compute the gradients of x and weight.

    way  one of CONVOLUTIONS
    """
    x, weight, g = shape.arrays()
    conv2d, options = CONVOLUTIONS[way], {"stride": shape.stride, "padding": shape.padding}

    def forward():
        conv2d(x, weight, **options)

    def both():
        _, backward = conv2d(x, weight, **options)
        backward(g)

    return forward, both


@contextmanager
def one_thread():
    """Context manager: minires and the BLAS use one thread."""
    with backend.using_threads(1), threadpool_limits(1, user_api="blas"):
        yield
