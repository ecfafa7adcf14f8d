"""The CUDA kernels at the sizes of a network's layers: the arguments of each, and the bytes that it has to move at least."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy

from benchmarks import ours
from benchmarks.problems import CLASSES, NETS, SGD, SMOOTHING
from minires.backend import is_array, to_device, xp
from minires.data.batches import sample_augmentation
from minires.fast.tiles import F4, Maps
from minires.ops.forms import FUNCTIONS

# Name of a function -> the kernel that replaces it on a GPU.
KERNELS = {
    name: form.run
    for name, forms in FUNCTIONS.items()
    for form in forms.faster
    if form.run.__name__.endswith("_kernel")
}


class Case(NamedTuple):
    """A kernel at one size."""

    function: str  # the function that it replaces
    size: str  # in words
    make: Callable  # returns its arguments and its options
    backward: bool = False  # whether its backward is what runs, on its own result

    @property
    def kernel(self):
        """The kernel's name."""
        return self.function + ", backward" * self.backward


def cases(plan):
    """Yield the kernels at the sizes of the network's layers."""
    n, first = plan.n, plan.shapes[0]
    for shape in plan.shapes:
        if shape.kernel > 1:  # a window of one pixel needs no columns
            yield from _of_columns(shape)
        if shape.kernel == 3 and shape.stride == 1:
            yield from _of_tiles(shape)
    for size, c in dict.fromkeys((shape.size // shape.stride, shape.f) for shape in plan.shapes):
        yield from _of_norm((n, size, size, c))
    image = (n, first.size, first.size, first.f)
    for backward in (False, True):
        yield Case("max_pool2d", f"{_told(image)}, 3x3, stride 2",
                   lambda: ((numbers(image),), {"kernel": 3, "stride": 2, "padding": 1}), backward)  # fmt: skip
    yield Case("cross_entropy", _told((n, CLASSES)),
               lambda: ((numbers((n, CLASSES)), to_device(numpy.arange(n) % CLASSES)), {"label_smoothing": SMOOTHING}))  # fmt: skip
    count = sum(parameter.size for parameter in ours.build(NETS[plan.net]).parameters())
    yield Case(
        "sgd",
        f"{count:,} parameters",
        lambda: (tuple(numbers((count,), seed) for seed in (1, 2, 3)), SGD),
    )
    yield Case("adam", f"{count:,} parameters",
               lambda: ((*(numbers((count,), seed) for seed in (1, 2, 3)), abs(numbers((count,), 4)), 10, 1e-3),
                        {"weight_decay": 1e-2, "decoupled": True}))  # fmt: skip
    yield Case(
        "gather",
        f"{n:,} of {plan.images:,} images of 32 x 32 x 3",
        lambda: (_gathered(n, plan.images), {}),
    )


def _of_columns(shape):
    image, out = (shape.n, shape.size, shape.size, shape.c), shape.size // shape.stride
    options = {"kernel": shape.kernel, "stride": shape.stride, "padding": shape.padding}
    rows = (shape.n * out * out, shape.kernel**2 * shape.c)
    yield Case("im2col", str(shape), lambda: ((numbers(image),), options))
    yield Case("col2im", str(shape), lambda: ((numbers(rows),), {"shape": image, **options}))


def _of_tiles(shape):
    image, result = ((shape.n, shape.size, shape.size, channels) for channels in (shape.c, shape.f))
    filters = 3, 3, shape.c, shape.f

    def case(name, make):
        return Case(
            f"Maps.{name}", str(shape), lambda: ((maps := winograd_maps(shape), *make(maps)), {})
        )

    def tiled(maps, channels):
        return numbers((maps.k, maps.k, *maps.tiles, shape.n, channels))

    yield case("tile_images", lambda maps: (numbers(image),))
    yield case("untile", lambda maps: (tiled(maps, shape.f), numbers(result)))
    yield case("tile_gradient", lambda maps: (numbers(result),))
    yield case("untile_gradient", lambda maps: (tiled(maps, shape.c), numbers(image)))
    yield case("tile_filters", lambda maps: (numbers(filters),))
    yield case("untile_filters", lambda maps: (numbers((maps.k**2, shape.c, shape.f)),))


def _of_norm(shape):
    told, vector, eps = _told(shape), shape[-1:], 1e-5

    def forward(has_add):
        x, add = numbers(shape), numbers(shape, 1) if has_add else None
        gamma, beta, mean, var = (numbers(vector, seed) for seed in range(2, 6))
        return (x, gamma, beta, add, mean, abs(var), eps, True), {}

    def backward(has_add):
        g, y, x = (numbers(shape, seed) for seed in range(3))
        gamma, mean, var = (numbers(vector, seed) for seed in range(3, 6))
        return (g, y, x, gamma, mean, abs(var), eps, True, has_add), {}

    yield Case("channel_stats", told, lambda: ((numbers(shape),), {}))
    yield Case(
        "update_running",
        told,
        lambda: ((*(abs(numbers(vector, seed)) for seed in range(4)), 0.1, shape[0]), {}),
    )
    yield Case("norm_forward", f"{told}, ReLU", lambda: forward(False))
    yield Case("norm_forward", f"{told}, add and ReLU", lambda: forward(True))
    yield Case("norm_backward", f"{told}, ReLU", lambda: backward(False))
    yield Case("norm_backward", f"{told}, add and ReLU", lambda: backward(True))


def _gathered(n, images):
    rng = numpy.random.default_rng(0)
    moves = sample_augmentation(rng, n, (32, 32), crop=4, mirrored=rng.random(n) < 0.5, cutout=8)
    host = (
        rng.integers(0, 256, (images, 32, 32, 3), numpy.uint8),
        rng.integers(0, images, n),
        moves,
    )
    return *map(to_device, host), 8, numbers((3,), 1), numbers((3,), 2)


def traffic(kernel, arguments, results):
    """Return the bytes that a kernel has to move at least: it reads each input once, and writes each result once.

    norm_backward sums over g, y and x before it can read them again: those count twice. sgd and adam overwrite their
    inputs, except for g; update_running overwrites half of them. gather reads only the chosen images. max_pool2d saves a
    byte for each maximum, which says where it was; cross_entropy writes a loss for each example and saves a number for each logit.
    """
    arrays = [argument for argument in arguments if is_array(argument)]
    results = [
        result
        for result in (results if isinstance(results, tuple) else (results,))
        if is_array(result)
    ]
    read = sum(array.nbytes for array in arrays)
    written = sum(
        result.nbytes for result in results if not any(result is array for array in arrays)
    )
    if kernel == "norm_backward":
        read += sum(array.nbytes for array in arguments[:3] if array is not None)
    if kernel in ("sgd", "adam"):
        written = read - arguments[1].nbytes
    if kernel == "update_running":
        written = read // 2
    if kernel == "max_pool2d":
        written += results[0].size
    if kernel == "max_pool2d, backward":
        read += arguments[0].size
    if kernel == "cross_entropy":
        written = arguments[0].nbytes + arguments[0].nbytes // arguments[0].shape[1]
    if kernel == "gather":
        images, chosen = arguments[:2]
        read -= images.nbytes - len(chosen) * images.nbytes // len(images)
    return read + written


def winograd_maps(shape):
    """Return Winograd's linear maps for a convolution."""
    x = numbers((shape.n, shape.size, shape.size, shape.c))
    weight = numbers((3, 3, shape.c, shape.f))
    return Maps(x, weight, (shape.padding,) * 2, F4, x.dtype)


def numbers(shape, seed=0):
    """Return a float32 array, normally distributed; a million numbers, repeated."""
    size = math.prod(shape)
    some = to_device(
        numpy.random.default_rng(seed).standard_normal(min(size, 1 << 20), dtype=numpy.float32)
    )
    return xp.tile(some, -(-size // some.size))[:size].reshape(shape)


def _told(shape):
    return " x ".join(map(str, shape))
