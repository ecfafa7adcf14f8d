"""What minires asks of a card, piece by piece: each of its kernels, in bytes a second, and each product of matrices, in FLOP/s;
beside the rates at which the card copies memory and multiplies large matrices.
"""

import math
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import NamedTuple

import numpy

from benchmarks import ours, timing
from benchmarks.problems import CLASSES, NETS, SGD, SMOOTHING
from minires import backend
from minires.backend import on_a_gpu, to_device, xp
from minires.data.batches import sample_augmentation
from minires.fast.products import product as matmul
from minires.fast.tiles import F4, Maps
from minires.ops.forms import FUNCTIONS

# Name of a function -> the kernel that stands for it on a GPU.
KERNELS = {
    name: form.run for name, forms in FUNCTIONS.items() for form in forms.faster if form.run.__name__.endswith("_kernel")
}


class Case(NamedTuple):
    """A kernel at one size."""

    function: str  # the one that it stands for
    size: str  # in words
    make: Callable  # returns its arguments and its options
    backward: bool = False  # whether its backward is what runs, on its own result

    @property
    def kernel(self):
        """Its name."""
        return self.function + ", backward" * self.backward


def precisions():
    """Name -> (a context, the type of numbers) of each precision in which products can be had here: see minires.backend."""
    found = {"float32": (nullcontext, xp.float32), "tf32": (backend.using_tf32, xp.float32)}
    with suppress(backend.BackendError), backend.autocast("bfloat16"):
        found["bf16"] = nullcontext, backend.settings().half
    return found


def limits(call):
    """The rates that nothing passes: {"copy": GB/s read and written, "product": TFLOP/s of minires's matmul in float32, "product
    tf32", "product bf16"}, and of PyTorch's matmul in each of its precisions.
    """
    plan, n = call.plan, call.plan.product
    source, target = (numbers((plan.copied // 4,)) for _ in range(2))
    figures = {"copy": _rate(call, lambda: xp.copyto(target, source), 2e-9 * source.nbytes, plan.turn)}
    print(f"  copy of {source.nbytes >> 10:,} KiB {timing.shown(figures['copy']).strip()} GB/s, read and written")
    for name, (exact, dtype) in precisions().items():
        a, b = (numbers((n, n), seed).astype(dtype) for seed in (1, 2))
        product = xp.empty((n, n), dtype=dtype)
        with exact():
            found = _rate(call, lambda: matmul(a, b, out=product), 2e-12 * n**3, plan.turn)
        figures["product" if name == "float32" else f"product {name}"] = found
        print(f"  product of two {n} x {n} matrices, {name}: {timing.shown(found).strip()} TFLOP/s")
    for name, multiply in call.peers.products(n).items() if call.peers else ():
        figures[name] = _rate(call, multiply, 2e-12 * n**3, plan.turn)
        print(f"    {name} {timing.shown(figures[name]).strip()} TFLOP/s")
    return figures


def kernels(call):
    """each kernel at the sizes of the net's layers: GB/s of the bytes that it has to move at least, beside those of copying"""
    return [_of_case(call, case) for case in cases(call.plan)]


def _of_case(call, case):
    call.release()  # what the case before held
    arguments, options = case.make()
    function = KERNELS[case.function] if on_a_gpu() else FUNCTIONS[case.function].default
    results = function(*arguments, **options)
    if results is NotImplemented:
        raise ValueError(f"{case.kernel} has no kernel for {case.size}")
    if case.backward:
        (*arguments, function), options = results, {}
        results = function(*arguments)
    moved, run = 1e-9 * traffic(case.kernel, arguments, results), lambda: function(*arguments, **options)
    del results
    rate = _rate(call, run, moved, call.plan.brief)
    seconds, share = moved / rate["median"], rate["median"] / call.limits["copy"]["median"]
    called = timing.spread([timing.of_calls(run, call.plan.calls, call.device.synchronise) for _ in range(call.plan.rounds)])
    print(f"  {case.kernel:21} {case.size:42} {rate['median']:8,.1f} GB/s, {100 * share:4.0f} % of a copy's; "
          f"{1e6 * seconds:8,.1f} us, called from the host {1e6 * called['median']:8,.1f}", flush=True)  # fmt: skip
    return {"kernel": case.kernel, "size": case.size, "nbytes": round(1e9 * moved), "rate": rate, "share": share,
            "seconds": seconds, "called": called}  # fmt: skip


def products(call):
    """the product of matrices of each convolution as im2col has it, and those of its two gradients; and where Winograd's way is
    there for it, its stack of products
    """
    return [_of_shape(call, shape) for shape in call.plan.shapes]


def _of_shape(call, shape):
    m, k, f = shape.n * (shape.size // shape.stride) ** 2, shape.kernel**2 * shape.c, shape.f
    print(f"  {shape!s:32} {m:8,} x {k:5,} x {f:4,}")
    rates = {name: _in_precision(call, (m, k, f), name, *how) for name, how in precisions().items()}
    nbytes = 4 * (m * k + k * f + m * f)
    found = {"shape": str(shape), "m": m, "k": k, "f": f, "flop": shape.flop, "nbytes": nbytes, "rate": rates.pop("float32"),
             "rate in": rates}  # fmt: skip
    if shape.kernel == 3 and shape.stride == 1:
        found["winograd"] = _of_winograd(call, shape)
    return found


def _in_precision(call, sizes, name, exact, dtype):
    call.release()
    m, k, f = sizes
    columns, weight, g = (numbers(shape, seed).astype(dtype) for seed, shape in enumerate(((m, k), (k, f), (m, f)), 1))
    y, g_columns = (xp.empty(array.shape, dtype=dtype) for array in (g, columns))
    g_weight = xp.empty(weight.shape, dtype=xp.float32)
    ways = {"columns @ weight": lambda: matmul(columns, weight, out=y),
            "columns.T @ g": lambda: matmul(columns.T, g, out=g_weight),
            "g @ weight.T": lambda: matmul(g, weight.T, out=g_columns)}  # fmt: skip
    with exact():
        rates = {way: _rate(call, run, 2e-12 * m * k * f, call.plan.brief) for way, run in ways.items()}
    told = ", ".join(f"{way} {rate['median']:6.2f}" for way, rate in rates.items())
    limit = call.limits.get("product" if name == "float32" else f"product {name}", {"median": math.nan})["median"]
    print(f"    {name:8} {told} TFLOP/s, of {limit:.2f}", flush=True)
    return rates


def _of_winograd(call, shape):
    call.release()
    maps = _maps(shape)
    places, tiles = maps.k**2, maps.tiles[0] * maps.tiles[1] * shape.n
    v, u = numbers((places, tiles, shape.c), 1), numbers((places, shape.c, shape.f), 2)
    product = xp.empty((places, tiles, shape.f), dtype=xp.float32)
    flop = 2 * places * tiles * shape.c * shape.f
    rate = _rate(call, lambda: matmul(v, u, out=product), 1e-12 * flop, call.plan.brief)
    print(f"    Winograd's {places} products {rate['median']:6.2f} TFLOP/s, worth {rate['median'] * shape.flop / flop:6.2f}", flush=True)
    return {"flop": flop, "rate": rate}


def _maps(shape):
    """Winograd's linear maps for a convolution."""
    x, weight = numbers((shape.n, shape.size, shape.size, shape.c)), numbers((3, 3, shape.c, shape.f))
    return Maps(x, weight, (shape.padding,) * 2, F4, x.dtype)


def cases(plan):
    """The kernels at the sizes of the net's layers."""
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
    yield Case("sgd", f"{count:,} parameters", lambda: (tuple(numbers((count,), seed) for seed in (1, 2, 3)), SGD))
    yield Case("adam", f"{count:,} parameters",
               lambda: ((*(numbers((count,), seed) for seed in (1, 2, 3)), abs(numbers((count,), 4)), 10, 1e-3),
                        {"weight_decay": 1e-2, "decoupled": True}))  # fmt: skip
    yield Case("gather", f"{n:,} of {plan.images:,} images of 32 x 32 x 3", lambda: (_gathered(n, plan.images), {}))


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
        return Case(f"Maps.{name}", str(shape), lambda: ((maps := _maps(shape), *make(maps)), {}))

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
    yield Case("update_running", told, lambda: ((*(abs(numbers(vector, seed)) for seed in range(4)), 0.1, shape[0]), {}))
    yield Case("norm_forward", f"{told}, ReLU", lambda: forward(False))
    yield Case("norm_forward", f"{told}, add and ReLU", lambda: forward(True))
    yield Case("norm_backward", f"{told}, ReLU", lambda: backward(False))
    yield Case("norm_backward", f"{told}, add and ReLU", lambda: backward(True))


def _gathered(n, images):
    rng = numpy.random.default_rng(0)
    moves = sample_augmentation(rng, n, (32, 32), crop=4, mirrored=rng.random(n) < 0.5, cutout=8)
    host = (rng.integers(0, 256, (images, 32, 32, 3), numpy.uint8), rng.integers(0, images, n), moves)
    return *map(to_device, host), 8, numbers((3,), 1), numbers((3,), 2)


def traffic(kernel, arguments, results):
    """Bytes that a kernel has to move at least: it reads each array that comes in once, and writes each result once.

    norm_backward sums over g, y and x before it can go over them again: those count twice. sgd and adam write over
    what comes in, except for g; update_running over half of it. gather reads the chosen images and no others. max_pool2d saves a
    byte for each maximum, which says where it was; cross_entropy writes a loss for each example and saves a number for each logit.
    """
    arrays = [argument for argument in arguments if backend.is_array(argument)]
    results = [result for result in (results if isinstance(results, tuple) else (results,)) if backend.is_array(result)]
    read = sum(array.nbytes for array in arrays)
    written = sum(result.nbytes for result in results if not any(result is array for array in arrays))
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


def numbers(shape, seed=0):
    """An array of float32, normally distributed; a million of them, over and over."""
    size = math.prod(shape)
    some = to_device(numpy.random.default_rng(seed).standard_normal(min(size, 1 << 20), dtype=numpy.float32))
    return xp.tile(some, -(-size // some.size))[:size].reshape(shape)


def _rate(call, function, work, turn):
    """The spread over the rounds of `work` a second, on the device alone."""
    function()
    taken = timing.of_calls(function, 1, call.device.synchronise)
    calls = min(max(round(turn / taken), 1), call.plan.calls)
    return timing.spread([work / call.device.seconds(function, calls) for _ in range(call.plan.rounds)])


def _told(shape):
    return " x ".join(map(str, shape))
