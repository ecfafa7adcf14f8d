"""The CUDA kernels at the sizes of a network's layers: the arguments of each, and the bytes that it has to move at least."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy

from benchmarks import ours
from benchmarks.problems import CLASSES, NETS, SGD, SMOOTHING
from minires.backend import HALVES, accumulation_dtype, is_array, to_device, xp
from minires.data.batches import sample_augmentation
from minires.fast.tiles import F2, F4, Maps
from minires.ops.forms import FUNCTIONS

# Name of a function -> the kernel that replaces it on a GPU.
KERNELS = {
    name: form.run
    for name, forms in FUNCTIONS.items()
    for form in forms.faster
    if form.run.__name__.endswith("_kernel")
}


WHOLE = ("float32", "float64")
TILES = {tile.m: tile for tile in (F2, F4)}


class Case(NamedTuple):
    """A kernel at one size."""

    function: str  # the function that it replaces
    size: str  # in words
    make: Callable  # takes Numbers, and returns its arguments and its options
    backward: bool = False  # whether its backward is what runs, on its own result
    types: tuple = (*WHOLE, *HALVES)  # that the kernel knows

    @property
    def kernel(self):
        """The kernel's name."""
        return self.function + ", backward" * self.backward


class Numbers:
    """Arrays for the arguments of a case: normally distributed numbers that are rounded to a type.

    dtype  of images and weights: a name
    exact  True to keep the rounded numbers as float64, for a result to compare with
    """

    def __init__(self, dtype="float32", *, exact=False):
        self.dtype, self.exact = _type(dtype), exact
        self.sums = accumulation_dtype(self.dtype)

    def __call__(self, shape, seed=0):
        """Return an array of the type."""
        return self._kept(numbers(shape, seed).astype(self.dtype, copy=False))

    def vector(self, shape, seed=0):
        """Return an array of the type of its sums."""
        return self._kept(numbers(shape, seed).astype(self.sums, copy=False))

    def maps(self, shape, m):
        """Return Winograd's linear maps, for output tiles of m x m."""
        return winograd_maps(shape, m, numpy.dtype("float64") if self.exact else self.dtype)

    def _kept(self, array):
        return array.astype(numpy.float64, copy=False) if self.exact else array


def _type(name):
    if name == "bfloat16":
        import ml_dtypes

        return numpy.dtype(ml_dtypes.bfloat16)
    return numpy.dtype(name)


def cases(plan):
    """Yield the kernels at the sizes of the network's layers."""
    n, first = plan.n, plan.shapes[0]
    for shape in plan.shapes:
        if shape.kernel > 1:  # a window of one pixel needs no columns
            yield from _of_columns(shape)
        for m in plan.tiles if shape.kernel == 3 and shape.stride == 1 else ():
            yield from _of_tiles(shape, m)
    for size, c in dict.fromkeys((shape.size // shape.stride, shape.f) for shape in plan.shapes):
        yield from _of_norm((n, size, size, c))
    image = (n, first.size, first.size, first.f)
    for backward in (False, True):
        yield Case("max_pool2d", f"{_told(image)}, 3x3, stride 2",
                   lambda new: ((new(image),), {"kernel": 3, "stride": 2, "padding": 1}), backward)  # fmt: skip
    yield Case("cross_entropy", _told((n, CLASSES)),
               lambda new: ((new((n, CLASSES)), to_device(numpy.arange(n) % CLASSES)), {"label_smoothing": SMOOTHING}))  # fmt: skip
    count = sum(parameter.size for parameter in ours.build(NETS[plan.net]).parameters())
    yield Case(
        "sgd",
        f"{count:,} parameters",
        lambda new: (tuple(new((count,), seed) for seed in (1, 2, 3)), SGD),
        types=WHOLE,
    )
    yield Case("adam", f"{count:,} parameters",
               lambda new: ((*(new((count,), seed) for seed in (1, 2, 3)), abs(new((count,), 4)), 10, 1e-3),
                            {"weight_decay": 1e-2, "decoupled": True}), types=WHOLE)  # fmt: skip
    yield Case(
        "gather",
        f"{n:,} of {plan.images:,} images of 32 x 32 x 3",
        lambda new: (_gathered(n, plan.images, new), {}),
        types=("float32",),
    )


def _of_columns(shape):
    image, out = (shape.n, shape.size, shape.size, shape.c), shape.size // shape.stride
    options = {"kernel": shape.kernel, "stride": shape.stride, "padding": shape.padding}
    rows = (shape.n * out * out, shape.kernel**2 * shape.c)
    yield Case("im2col", str(shape), lambda new: ((new(image),), options))
    yield Case("col2im", str(shape), lambda new: ((new(rows),), {"shape": image, **options}))


def _of_tiles(shape, m):
    image, result = ((shape.n, shape.size, shape.size, channels) for channels in (shape.c, shape.f))
    filters = 3, 3, shape.c, shape.f

    def case(name, make):
        return Case(f"Maps.{name}", f"{shape}{'' if m == F4.m else f', F({m}x{m})'}",
                    lambda new: ((maps := new.maps(shape, m), *make(maps, new)), {}), types=WHOLE)  # fmt: skip

    def tiled(maps, channels):
        return maps.k, maps.k, *maps.tiles, shape.n, channels

    yield case("tile_images", lambda maps, new: (new(image),))
    yield case("untile", lambda maps, new: (new(tiled(maps, shape.f)), new(result)))
    yield case("tile_gradient", lambda maps, new: (new(result),))
    yield case("tile_filters", lambda maps, new: (new(filters),))
    yield case("untile_filters", lambda maps, new: (new((maps.k**2, shape.c, shape.f)),))


def _of_norm(shape):
    told, vector, eps = _told(shape), shape[-1:], 1e-5

    def forward(new, has_add):
        x, add = new(shape), new(shape, 1) if has_add else None
        gamma, beta, mean, var = (new.vector(vector, seed) for seed in range(2, 6))
        return (x, gamma, beta, add, mean, abs(var), eps, True), {}

    def backward(new, has_add):
        g, y, x = (new(shape, seed) for seed in range(3))
        gamma, mean, var = (new.vector(vector, seed) for seed in range(3, 6))
        return (g, y, x, gamma, mean, abs(var), eps, True, has_add), {}

    yield Case("channel_stats", told, lambda new: ((new(shape),), {}))
    yield Case(
        "update_running",
        told,
        lambda new: ((*(abs(new.vector(vector, seed)) for seed in range(4)), 0.1, shape[0]), {}),
        types=WHOLE,
    )
    yield Case("moving_stats", told,
               lambda new: ((new(shape), *(abs(new.vector(vector, seed)) for seed in range(4)), 0.1), {}))  # fmt: skip
    yield Case("norm_forward", f"{told}, ReLU", lambda new: forward(new, False))
    yield Case("norm_forward", f"{told}, add and ReLU", lambda new: forward(new, True))
    yield Case("norm_backward", f"{told}, ReLU", lambda new: backward(new, False))
    yield Case("norm_backward", f"{told}, add and ReLU", lambda new: backward(new, True))


def _gathered(n, images, new):
    rng = numpy.random.default_rng(0)
    moves = sample_augmentation(rng, n, (32, 32), crop=4, mirrored=rng.random(n) < 0.5, cutout=8)
    host = (
        rng.integers(0, 256, (images, 32, 32, 3), numpy.uint8),
        rng.integers(0, images, n),
        moves,
    )
    return *map(to_device, host), 8, new.vector((3,), 1), new.vector((3,), 2)


def traffic(kernel, arguments, results):
    """Return the bytes that a kernel has to move at least: it reads each input once, and writes each result once.

    norm_backward sums over g, y and x before it can read them again: those count twice. sgd and adam overwrite their
    inputs, except for g; update_running overwrites half of them; moving_stats overwrites two vectors, and does not read two
    others. gather reads only the chosen images. max_pool2d saves a byte for each maximum, which says where it was; cross_entropy
    writes a loss for each example and saves a number for each logit.
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


def winograd_maps(shape, m=F4.m, dtype=None):
    """Return Winograd's linear maps for a convolution, for output tiles of m x m."""
    x = numbers((shape.n, shape.size, shape.size, shape.c))
    weight = numbers((3, 3, shape.c, shape.f))
    return Maps(x, weight, (shape.padding,) * 2, TILES[m], dtype or x.dtype)


def numbers(shape, seed=0):
    """Return a float32 array, normally distributed; a million numbers, repeated."""
    size = math.prod(shape)
    some = to_device(
        numpy.random.default_rng(seed).standard_normal(min(size, 1 << 20), dtype=numpy.float32)
    )
    return xp.tile(some, -(-size // some.size))[:size].reshape(shape)


def _told(shape):
    return " x ".join(map(str, shape))
