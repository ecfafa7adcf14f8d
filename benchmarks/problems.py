"""The work that is measured: networks, batches, shapes of convolutions, and how often. It names neither minires nor PyTorch."""

from typing import NamedTuple

import numpy

CLASSES = 10
SGD = {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
SMOOTHING = 0.1  # of labels


class Net(NamedTuple):
    """A residual network for 32x32 images, with CIFAR stem and projection shortcuts (B)."""

    block: str  # "BasicBlock" or "Bottleneck"
    depths: tuple
    widths: tuple


WIDE, NARROW = (64, 128, 256, 512), (16, 32, 64)
NETS = {
    "resnet18": Net("BasicBlock", (2, 2, 2, 2), WIDE),
    "resnet50": Net("Bottleneck", (3, 4, 6, 3), WIDE),
    **{f"resnet{6 * n + 2}": Net("BasicBlock", (n, n, n), NARROW) for n in (3, 5, 7, 9)},
    **{
        f"widths {w} to {8 * w}": Net("BasicBlock", (2, 2, 2, 2), (w, 2 * w, 4 * w, 8 * w))
        for w in (16, 32, 64)
    },
    # With 4 channels, the backward pass of PyTorch 2.13's channels_last convolutions crashes or gives wrong numbers on a
    # processor with AVX2 and without AVX-512.
    "tiny": Net("BasicBlock", (1, 1), (8, 16)),
    "tiny bottleneck": Net("Bottleneck", (1,), (8,)),
}


class Shape(NamedTuple):
    """A convolution of n images of size x size pixels, without bias."""

    n: int
    size: int
    c: int
    f: int
    kernel: int
    stride: int

    def __str__(self):
        step = ", stride 2" if self.stride == 2 else ""
        return f"{self.kernel}x{self.kernel} {self.c}->{self.f}, {self.size}x{self.size}{step}"

    @property
    def padding(self):
        """The padding that keeps the size at stride 1."""
        return self.kernel // 2

    @property
    def winograd(self):
        """Return True if Winograd applies to it."""
        return self.kernel == 3 and self.stride in (1, 2)

    @property
    def flop(self):
        """Operations of the direct convolution, forward: a multiplication and an addition for each weight at each position."""
        return 2 * self.n * (self.size // self.stride) ** 2 * self.kernel**2 * self.c * self.f

    @property
    def nbytes(self):
        """Bytes that have to be moved at least: weight, result and the pixels of x that are seen, in float32, once each."""
        result = (self.size // self.stride) ** 2
        places = min(self.size**2, result * self.kernel**2)
        return 4 * (self.n * (places * self.c + result * self.f) + self.kernel**2 * self.c * self.f)

    def arrays(self):
        """Return (x, weight, g): the operands, and a gradient of the result, normally distributed."""
        rng, out = numpy.random.default_rng(0), self.size // self.stride
        x, g = ((self.n, self.size, self.size, self.c), (self.n, out, out, self.f))
        weight = (self.kernel, self.kernel, self.c, self.f)
        return tuple(rng.standard_normal(shape, dtype=numpy.float32) for shape in (x, weight, g))


def shapes(n):
    """Return the convolutions of ResNet-18 with CIFAR stem, each once, from its image to its mean."""
    yield Shape(n, 32, 3, 64, 3, 1)
    for i, width in enumerate(WIDE):
        if i:
            yield Shape(n, 64 >> i, width // 2, width, 3, 2)
            yield Shape(n, 64 >> i, width // 2, width, 1, 2)
        yield Shape(n, 32 >> i, width, width, 3, 1)


class Plan(NamedTuple):
    """The amount of what is measured, and the number of rounds."""

    rounds: int = 5  # after one to warm up
    few: int = 3  # rounds, where a round is long
    turn: float = 0.5  # seconds, at least
    training: tuple = (("resnet18", 128), ("resnet20", 128), ("resnet50", 32))
    net: str = "resnet18"  # of inference, memory, threads and the ladder
    n: int = 128  # its batch, and the batch of the shapes
    shapes: tuple = tuple(shapes(128))
    small: str = "resnet20"  # the net whose batch grows
    batches: tuple = (16, 32, 64, 128, 256)
    depths: tuple = ("resnet20", "resnet32", "resnet44", "resnet56")
    widths: tuple = ("widths 16 to 128", "widths 32 to 256", "widths 64 to 512")
    steps: int = 4  # until memory is looked at
    imports: int = 9
    loop: int = 8  # steps of the loop and of the bare step in a round
    product: int = (
        4096  # rows and columns of the two matrices that the rate of products is measured with
    )
    copied: int = 1 << 28  # bytes


FULL = Plan()
SMOKE = Plan(
    rounds=1, few=1, turn=0.0, training=(("tiny", 4), ("tiny bottleneck", 4)), net="tiny", n=4,
    shapes=(Shape(4, 8, 16, 16, 3, 1), Shape(4, 8, 8, 16, 1, 2)), small="tiny", batches=(2, 4), depths=("tiny",),
    widths=("tiny",), steps=1, imports=1, loop=1, product=256, copied=1 << 20,
)  # fmt: skip


class Part(NamedTuple):
    """The seconds of a part of the benchmark on a GPU."""

    expected: float  # on an H200, by estimate
    limit: float  # after which it begins nothing new


class GpuPlan(NamedTuple):
    """The amount of what is measured on a GPU, and the number of rounds."""

    rounds: int = 5  # after one to warm up
    turn: float = 0.3  # seconds of a turn, at least
    brief: float = 0.02  # seconds of a turn of one kernel or product
    calls: int = 50  # of a kernel in a turn, at most
    net: str = "resnet18"
    batches: tuple = (512, 128, 1024)  # of training steps, the most wanted first
    n: int = 512  # the batch of everything else
    host: tuple = (512, 128)  # batches whose steps are issued to a GPU that is held
    shapes: tuple = tuple(shapes(512))
    tiles: tuple = (4,)  # sides of Winograd's output tiles
    images: int = 50_000  # that a batch is picked from
    steps: int = 5  # of which the time is taken apart
    compiled: tuple = (512,)  # batches for which PyTorch compiles its net as well
    compiling: float = 140.0  # seconds of a part after which it compiles no more
    launched: int = 10  # steps of a call where each is one launch
    # In this order. The limits add up to `seconds`, so that no part takes the time of another.
    parts: dict = {
        "steps": Part(200, 210), "kinds": Part(40, 45), "graph": Part(75, 80), "products": Part(35, 40), "kernels": Part(45, 50),
        "inference": Part(12, 15), "memory": Part(10, 15),
    }  # fmt: skip
    seconds: float = 455.0  # of all parts
    grace: float = (
        20.0  # seconds that what was begun may take beyond a limit, before the part is stopped
    )
    product: int = (
        8192  # rows and columns of the two matrices that the rate of products is measured with
    )
    copied: int = 1 << 30  # bytes


GPU = GpuPlan()
GPU_SMOKE = GpuPlan(
    rounds=1, turn=0.0, brief=0.0, calls=1, net="tiny", batches=(4, 2), n=4, host=(4, 2),
    shapes=(Shape(4, 8, 3, 4, 3, 1), Shape(4, 8, 4, 8, 3, 2), Shape(4, 8, 4, 8, 1, 2)), images=8, steps=1, compiled=(), launched=2,
    product=64, copied=1 << 16,
)  # fmt: skip


class PreflightPlan(NamedTuple):
    """The amount of what is checked on a new GPU."""

    net: str = "resnet18"  # of the training steps
    n: int = 32  # their batch
    few: int = 8  # the batch under compute-sanitizer, which is slow
    steps: int = 3
    launched: int = 10  # steps of an epoch that is recorded as a graph
    ahead: tuple = ("resnet20", 128, 8)  # net, batch and steps that take batches from a thread
    calls: int = 1000  # of what is asked for its cost
    # Small and odd sizes, then the first and the last layers at a real one.
    kernels: tuple = (
        GPU._replace(n=3, net="tiny", images=7, tiles=(4, 2), shapes=(
            Shape(3, 7, 3, 5, 3, 1), Shape(3, 10, 6, 12, 3, 2), Shape(2, 5, 20, 7, 3, 1), Shape(1, 4, 8, 24, 3, 1))),
        GPU._replace(n=128, images=1000, tiles=(4, 2), shapes=(
            Shape(128, 32, 64, 64, 3, 1), Shape(128, 32, 64, 128, 3, 2), Shape(128, 4, 512, 512, 3, 1))),
    )  # fmt: skip
    convolutions: tuple = (
        Shape(8, 32, 3, 64, 3, 1), Shape(8, 32, 64, 64, 3, 1), Shape(8, 16, 64, 128, 3, 2), Shape(8, 16, 64, 128, 1, 2),
        Shape(8, 7, 24, 40, 3, 1), Shape(8, 7, 24, 40, 1, 1),
    )  # fmt: skip


PREFLIGHT = PreflightPlan()
PREFLIGHT_SMOKE = PreflightPlan(
    net="tiny", n=4, few=2, launched=5, ahead=("tiny", 4, 2), calls=10, kernels=(GPU_SMOKE._replace(tiles=(4, 2)),),
    convolutions=(Shape(2, 8, 16, 16, 3, 1), Shape(2, 8, 4, 8, 1, 2)),
)  # fmt: skip


def batch(n):
    """Return (x, labels): n random images (N, H, W, C), and a class for each."""
    rng = numpy.random.default_rng(0)
    return rng.standard_normal((n, 32, 32, 3), dtype=numpy.float32), rng.integers(0, CLASSES, n)
