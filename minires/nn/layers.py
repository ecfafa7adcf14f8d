"""The layers: weights, a mode, and the op that does the work."""

import math
from numbers import Integral, Real
from typing import Any

from minires import functional as F
from minires import ops
from minires.backend import Array
from minires.nn import init
from minires.nn.init import Generator
from minires.nn.module import Module, Parameter
from minires.ops.forms import has_forms
from minires.ops.windows import pair
from minires.tensor import Tensor


class Linear(Module):
    """x @ weight + bias.  (..., in_features) -> (..., out_features)

    Weight and bias start uniform between -1/sqrt(in_features) and 1/sqrt(in_features).
    rng  a numpy.random.Generator for the weights (default: see nn.init)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        rng: Generator | None = None,
    ) -> None:
        check_sizes(in_features=in_features, out_features=out_features)
        bound = in_features**-0.5
        self.weight = Parameter(init.uniform((in_features, out_features), bound, rng=rng))
        self.bias = Parameter(init.uniform((out_features,), bound, rng=rng)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def describe(self) -> str:
        i, o = self.weight.shape
        return f"{i}, {o}"


class Conv2d(Module):
    """Convolution.  (N, H, W, in_channels) -> (N, OH, OW, out_channels)

    kernel_size, stride, padding  an int, or a pair for height and width
    The weight starts Kaiming normal (fan-out), the bias at 0.
    rng  a numpy.random.Generator for the weights (default: see nn.init)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
        rng: Generator | None = None,
    ) -> None:
        check_sizes(in_channels=in_channels, out_channels=out_channels)
        kernel = pair(kernel_size, "kernel_size", at_least=1)
        self.stride = pair(stride, "stride", at_least=1)
        self.padding = pair(padding, "padding", at_least=0)
        self.weight = Parameter(init.kaiming_normal((*kernel, in_channels, out_channels), rng=rng))
        self.bias = Parameter(init.zeros((out_channels,))) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, stride=self.stride, padding=self.padding)

    def describe(self) -> str:
        kh, kw, c, f = self.weight.shape
        return f"{c}, {f}, {kh}x{kw}" + _movement(self.stride, self.padding)


class BatchNorm(Module):
    """Batch normalisation of (N, C) or (N, H, W, C), channel by channel.

    In training it uses the batch's statistics, and moves the running ones: running = (1 - momentum) running + momentum batch,
    with the unbiased variance. In evaluation it uses the running ones.
    """

    def __init__(self, channels: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        check_sizes(channels=channels)
        if not eps >= 0 or not 0 <= momentum <= 1:
            raise ValueError(
                f"BatchNorm: expected eps >= 0 and 0 <= momentum <= 1, got eps {eps} and momentum {momentum}"
            )
        self.eps, self.momentum = eps, momentum
        self.weight = Parameter(init.ones((channels,)))
        self.bias = Parameter(init.zeros((channels,)))
        self.running_mean = init.zeros((channels,))
        self.running_var = init.ones((channels,))

    def forward(self, x: Tensor) -> Tensor:
        x = as_tensor(x)
        if not self.training:
            mean, var = self.running_mean, self.running_var
            return F.batch_norm_frozen(x, self.weight, self.bias, mean=mean, var=var, eps=self.eps)
        stats: tuple[Array, Array] = ops.channel_stats(x.data)
        y = F.batch_norm(x, self.weight, self.bias, eps=self.eps, stats=stats)
        count = x.size // x.shape[-1]
        update_running(self.running_mean, self.running_var, *stats, self.momentum, count)
        return y

    def describe(self) -> str:
        return f"{self.weight.size}"


@has_forms
def update_running(
    running_mean: Array, running_var: Array, mean: Array, var: Array, momentum: float, count: int
) -> None:
    """Move the running statistics towards those of a batch with `count` values per channel, in place.

    running = (1 - momentum) running + momentum batch; var divides by count, running_var takes the unbiased one.
    """
    for running, batch in ((running_mean, mean), (running_var, var * (count / (count - 1)))):
        running *= 1 - momentum
        running += momentum * batch


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


class _Pool2d(Module):
    """Base of the two pooling layers, with their window. Without `stride`, windows are next to each other."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        self.kernel_size = pair(kernel_size, "kernel_size", at_least=1)
        self.stride = self.kernel_size if stride is None else pair(stride, "stride", at_least=1)
        self.padding = pair(padding, "padding", at_least=0)

    def describe(self) -> str:
        kh, kw = self.kernel_size
        return f"{kh}x{kw}" + _movement(self.stride, self.padding)


class MaxPool2d(_Pool2d):
    """The largest number in each window.  (N, H, W, C) -> (N, OH, OW, C)"""

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)


class AvgPool2d(_Pool2d):
    """The mean of the numbers in each window; the padding counts, as zeros.  (N, H, W, C) -> (N, OH, OW, C)"""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)


class GlobalAvgPool(Module):
    """The mean of each channel.  (N, H, W, C) -> (N, C)"""

    def forward(self, x: Tensor) -> Tensor:
        return F.global_avg_pool(x)


class Flatten(Module):
    """All features of an example as one vector.  (N, ...) -> (N, features)"""

    def forward(self, x: Tensor) -> Tensor:
        x = as_tensor(x)
        if not x.ndim:
            raise ValueError("Flatten: expected an x of shape (N, ...), got ()")
        return F.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Dropout(Module):
    """Dropout: in training, each element is 0 with probability p, or is divided by 1 - p. In evaluation x is unchanged.

    rng  a numpy.random.Generator for the masks (default: see nn.init)
    """

    def __init__(self, p: float = 0.5, *, rng: Generator | None = None) -> None:
        if not isinstance(p, (float, Real)) or not 0 <= p < 1:
            raise ValueError(f"Dropout: expected 0 <= p < 1, got {p!r}")
        self.p, self.rng = p, rng

    def forward(self, x: Tensor) -> Tensor:
        x = as_tensor(x)
        return (
            F.dropout(x, init.keep_mask(x.shape, self.p, rng=self.rng), p=self.p)
            if self.training
            else x
        )

    def describe(self) -> str:
        return f"p={self.p}"


class Identity(Module):
    """x."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def _movement(stride: tuple[int, int], padding: tuple[int, int]) -> str:
    """Return the stride if it is not 1, and the padding if it is not 0, as text."""
    across = f", stride {stride[0]}x{stride[1]}" if stride != (1, 1) else ""
    return across + (f", padding {padding[0]}x{padding[1]}" if padding != (0, 0) else "")


def as_tensor(x: Any) -> Tensor:
    """Return a tensor unchanged, and an array or lists as a tensor."""
    return x if isinstance(x, Tensor) else Tensor(x)


def check_sizes(**sizes: Any) -> None:
    """Check that each size is an int of at least 1.

    Raises  ValueError: it is not; the message says which.
    """
    for name, size in sizes.items():
        if not isinstance(size, Integral) or size < 1:
            raise ValueError(f"{name}: expected an int of at least 1, got {size!r}")
