"""Batch norm over the images of all processes, for data-parallel training."""

from collections.abc import Callable
from typing import Any

from minires import ops
from minires.backend import Array, xp
from minires.nn.layers import BatchNorm, as_tensor, update_running
from minires.nn.module import Module
from minires.ops.forms import op
from minires.ops.norm import check_channels, check_values
from minires.ops.reduce import total
from minires.tensor import Tensor, apply


@op
def sync_batch_norm(
    x: Array,
    gamma: Array,
    beta: Array,
    *,
    mean: Array,
    var: Array,
    count: int,
    add_up: Callable[[Array], Array],
    eps: float = 1e-5,
) -> tuple[Array, Callable]:
    """ops.batch_norm of this process's images, with the mean and the variance of the images of all processes.

    x  (N, C) or (N, H, W, C)    gamma, beta, mean, var  (C,)    count  the values per channel in all processes
    add_up  takes a vector and returns its sum over all processes

    g_x = gamma / sqrt(var + eps) * (g - sum(g) / count - x_hat * sum(g * x_hat) / count), with sums over all processes. The
    gradients of gamma and beta are sums over this process alone: they are added up later, as those of all parameters.

    Saves  x_hat, gamma and 1 / sqrt(var + eps).
    Raises  ValueError: gamma, beta, mean or var that are not (C,). TypeError: x is not of floats.
    """
    axes, _ = check_values("sync_batch_norm", x, at_least=1)
    check_channels("sync_batch_norm", x, gamma=gamma, beta=beta, mean=mean, var=var)
    scale = 1 / xp.sqrt(var + eps)
    x_hat = (x - mean) * scale

    def backward(g: Array) -> tuple[Array, Array, Array]:
        g_beta, g_gamma = total(g, axes), total(g * x_hat, axes)
        c = g_beta.size
        sums = add_up(xp.concatenate([g_beta, g_gamma])) / count
        g_x = gamma * scale * (g - sums[:c] - x_hat * sums[c:])
        return g_x, g_gamma, g_beta

    return x_hat * gamma + beta, backward


class SyncBatchNorm(BatchNorm):
    """BatchNorm whose statistics in training are those of the images of all processes of a group.

    Each forward pass and each backward pass exchanges two numbers per channel, so every process must run the same layers.
    group  has a method sum(array), as parallel.Mpi has it

    Raises  ValueError: fewer than two values per channel in all processes.
    """

    def __init__(
        self, channels: int, group: Any, *, eps: float = 1e-5, momentum: float = 0.1
    ) -> None:
        super().__init__(channels, eps=eps, momentum=momentum)
        self.group = group

    @classmethod
    def convert(cls, model: Module, group: Any) -> None:
        """Replace each BatchNorm of a model by a SyncBatchNorm of a group, with the same parameters and running statistics."""
        made: dict[int, SyncBatchNorm] = {}

        def converted(value: Any) -> Any:
            """Return the value, with each BatchNorm replaced; lists and dicts are changed in place."""
            if type(value) is BatchNorm:
                norm = made.setdefault(id(value), cls(value.weight.size, group))
                vars(norm).update(vars(value))
                return norm
            if isinstance(value, dict):
                value.update((key, converted(item)) for key, item in value.items())
            elif isinstance(value, list):
                value[:] = map(converted, value)
            elif isinstance(value, tuple):
                return getattr(value, "_make", type(value))([*map(converted, value)])
            return value

        for _, module in model.modules():
            converted(vars(module))

    def forward(self, x: Tensor) -> Tensor:
        x = as_tensor(x)
        if not self.training:
            return super().forward(x)
        mean, var, count = self._pooled(x.data)
        options = {"mean": mean, "var": var, "count": count, "eps": self.eps}
        y = apply(sync_batch_norm, x, self.weight, self.bias, add_up=self.group.sum, **options)
        # Not a stand-in, such as that of minires.shards, which would add them up over the processes a second time.
        move: Any = update_running
        move.default(self.running_mean, self.running_var, mean, var, self.momentum, count)
        return y

    def _pooled(self, x: Array) -> tuple[Array, Array, int]:
        """Return (mean, var, number of values) of each channel over all processes.

        What is added up are moments about the running mean, in float64: E[x**2] - E[x]**2 would lose digits.
        """
        mean, var = ops.channel_stats(x)
        n, c = x.size // x.shape[-1], x.shape[-1]
        apart = mean.astype("float64") - self.running_mean
        moments = [n * apart, n * (var + apart * apart), xp.asarray([n], dtype="float64")]
        sums = self.group.sum(xp.concatenate(moments))
        count = int(sums[-1])
        if count < 2:
            raise ValueError(f"SyncBatchNorm: expected two or more values per channel, got {count}")
        apart = sums[:c] / count
        pooled = self.running_mean + apart, sums[c : 2 * c] / count - apart * apart
        mean, var = (each.astype(self.running_mean.dtype) for each in pooled)
        return mean, var, count
