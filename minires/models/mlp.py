"""Deep multilayer perceptrons, plain or residual, with and without batch norm: what depth does, without convolutions."""

from minires import functional as F
from minires.nn import BatchNorm, Linear, Module, Parameter, init
from minires.nn.init import Generator
from minires.nn.layers import check_sizes
from minires.tensor import Tensor


class DeepMLP(Module):
    """(N, inputs) -> (N, num_classes), through `depth` layers of one width.

    plain   x -> relu(W x + b), or relu(BN(W x + b)) with `norm`
    skip    x -> x + scale * (W relu(x) + b), or x + scale * (W relu(BN(x)) + b), pre-activated as in He et al. 2016; before the
            last layer, batch norm (with `norm`) and ReLU
    scale  a number: 1/sqrt(depth) keeps the variance of a skip net in bounds without batch norm
    rng  a numpy.random.Generator for the weights. They are Kaiming normal (fan-in), and the biases start at 0.

    Raises  ValueError: a depth or width below 1, or a scale without skip.
    """

    def __init__(
        self,
        depth: int,
        *,
        width: int = 32,
        inputs: int = 64,
        num_classes: int = 10,
        skip: bool = False,
        norm: bool = False,
        scale: float = 1.0,
        rng: Generator | None = None,
    ) -> None:
        check_sizes(depth=depth, width=width)
        if scale != 1 and not skip:
            raise ValueError(f"DeepMLP: expected skip=True with a scale, got scale={scale} alone")
        self.skip, self.scale = skip, scale
        self.first = _linear(inputs, width, rng)
        self.layers = [_linear(width, width, rng) for _ in range(depth)]
        self.norms = [BatchNorm(width) if norm else None for _ in range(depth)]
        self.last_norm = BatchNorm(width) if skip and norm else None
        self.last = _linear(width, num_classes, rng)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maps(x)[-1]
        if self.skip:
            x = F.relu(x if self.last_norm is None else self.last_norm(x))
        return self.last(x)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the feature maps (N, width): that of the first layer, then one for each of the `depth` layers."""
        x = self.first(x)
        found = [x if self.skip else F.relu(x)]
        for layer, norm in zip(self.layers, self.norms):
            x = found[-1]
            if self.skip:
                branch = layer(F.relu(x if norm is None else norm(x)))
                found.append(F.scaled_add(x, branch, self.scale))
            else:
                y = layer(x)
                found.append(F.relu(y if norm is None else norm(y)))
        return found


def _linear(inputs: int, outputs: int, rng: Generator | None) -> Linear:
    """Return a linear layer with Kaiming normal weights (fan-in) and biases of 0."""
    layer = Linear(inputs, outputs, rng=rng)
    layer.weight = Parameter(init.kaiming_normal((inputs, outputs), mode="fan_in", rng=rng))
    layer.bias = Parameter(init.zeros((outputs,)))
    return layer
