"""The parts of minires's work on a GPU: each kernel, in bytes per second, and each matrix product, in FLOP/s, compared with the
rates at which the GPU copies memory and multiplies large matrices.
"""

import math
from contextlib import nullcontext, suppress
from functools import partial

from benchmarks import timing
from benchmarks.gpu_cases import KERNELS, Numbers, cases, numbers, traffic, winograd_maps
from minires import backend
from minires.backend import on_a_gpu, xp
from minires.fast.products import product as matmul
from minires.ops.forms import FUNCTIONS


def precisions():
    """Return name -> (a context, the dtype) of each precision that is available for products here; see minires.backend."""
    found = {"float32": (nullcontext, xp.float32), "tf32": (backend.using_tf32, xp.float32)}
    with suppress(backend.BackendError), backend.autocast("bfloat16"):
        found["bf16"] = nullcontext, backend.settings().half
    return found


def limits(call, *, products=True):
    """Return the limits of the GPU: {"copy": GB/s read and written, "product": TFLOP/s of minires's matmul in float32, "product
    tf32", "product bf16"}, and of PyTorch's matmul in each of its precisions.

    products  False to measure the copy alone
    """
    plan, n = call.plan, call.plan.product
    source, target = (numbers((plan.copied // 4,)) for _ in range(2))
    figures = {
        "copy": _rate(call, lambda: xp.copyto(target, source), 2e-9 * source.nbytes, plan.turn)
    }
    print(
        f"  copy of {source.nbytes >> 10:,} KiB {timing.shown(figures['copy']).strip()} GB/s, read and written"
    )
    for name, (exact, dtype) in precisions().items() if products else ():
        a, b = (numbers((n, n), seed).astype(dtype) for seed in (1, 2))
        product = xp.empty((n, n), dtype=dtype)
        with exact():
            found = _rate(call, lambda: matmul(a, b, out=product), 2e-12 * n**3, plan.turn)
        figures["product" if name == "float32" else f"product {name}"] = found
        print(f"  product of two {n} x {n} matrices, {name}: {timing.shown(found).strip()} TFLOP/s")
    for name, multiply in call.peers.products(n).items() if call.peers and products else ():
        figures[name] = _rate(call, multiply, 2e-12 * n**3, plan.turn)
        print(f"    {name} {timing.shown(figures[name]).strip()} TFLOP/s")
    return figures


def kernels(call):
    """each kernel at the sizes of the network's layers: GB/s of the bytes that it has to move at least, compared with copying"""
    return _rows(call, cases(call.plan), _of_case, lambda case: f"{case.kernel}, {case.size}")


def _rows(call, items, measured, named):
    """Return the figures of each item that could be measured, and keep them on the way."""
    rows = []
    for item in items:
        if call.late(f"{named(item)}, and what follows"):
            break
        row, _ = call.attempted(named(item), partial(measured, call, item))
        if row is not None:
            rows.append(row)
            call.keep(rows)
    return rows


def _of_case(call, case):
    call.release()  # memory of the case before
    arguments, options = case.make(Numbers())
    function = KERNELS[case.function] if on_a_gpu() else FUNCTIONS[case.function].default
    results = function(*arguments, **options)
    if results is NotImplemented:
        raise ValueError(f"{case.kernel} has no kernel for {case.size}")
    if case.backward:
        (*arguments, function), options = results, {}
        results = function(*arguments)
    moved = 1e-9 * traffic(case.kernel, arguments, results)
    run = partial(function, *arguments, **options)
    del results
    rate = _rate(call, run, moved, call.plan.brief)
    seconds, share = moved / rate["median"], rate["median"] / call.limits["copy"]["median"]
    called = timing.spread(
        [
            timing.of_calls(run, call.plan.calls, call.device.synchronise)
            for _ in range(call.plan.rounds)
        ]
    )
    print(f"  {case.kernel:21} {case.size:42} {rate['median']:8,.1f} GB/s, {100 * share:4.0f} % of a copy's; "
          f"{1e6 * seconds:8,.1f} us, called from the host {1e6 * called['median']:8,.1f}", flush=True)  # fmt: skip
    return {"kernel": case.kernel, "size": case.size, "nbytes": round(1e9 * moved), "rate": rate, "share": share,
            "seconds": seconds, "called": called}  # fmt: skip


def products(call):
    """the matrix product of each convolution with im2col, and those of its two gradients; and where Winograd
    applies, its stack of products
    """
    return _rows(call, call.plan.shapes, _of_shape, str)


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
    columns, weight, g = (
        numbers(shape, seed).astype(dtype) for seed, shape in enumerate(((m, k), (k, f), (m, f)), 1)
    )
    y, g_columns = (xp.empty(array.shape, dtype=dtype) for array in (g, columns))
    g_weight = xp.empty(weight.shape, dtype=xp.float32)
    ways = {"columns @ weight": lambda: matmul(columns, weight, out=y),
            "columns.T @ g": lambda: matmul(columns.T, g, out=g_weight),
            "g @ weight.T": lambda: matmul(g, weight.T, out=g_columns)}  # fmt: skip
    with exact():
        rates = {
            way: _rate(call, run, 2e-12 * m * k * f, call.plan.brief) for way, run in ways.items()
        }
    told = ", ".join(f"{way} {rate['median']:6.2f}" for way, rate in rates.items())
    limit = call.limits.get(
        "product" if name == "float32" else f"product {name}", {"median": math.nan}
    )["median"]
    print(f"    {name:8} {told} TFLOP/s, of {limit:.2f}", flush=True)
    return rates


def _of_winograd(call, shape):
    call.release()
    maps = winograd_maps(shape)
    places, tiles = maps.k**2, maps.tiles[0] * maps.tiles[1] * shape.n
    v, u = numbers((places, tiles, shape.c), 1), numbers((places, shape.c, shape.f), 2)
    product = xp.empty((places, tiles, shape.f), dtype=xp.float32)
    flop = 2 * places * tiles * shape.c * shape.f
    rate = _rate(call, lambda: matmul(v, u, out=product), 1e-12 * flop, call.plan.brief)
    print(
        f"    Winograd's {places} products {rate['median']:6.2f} TFLOP/s, worth {rate['median'] * shape.flop / flop:6.2f}",
        flush=True,
    )
    return {"flop": flop, "rate": rate}


def _rate(call, function, work, turn):
    """Return the spread over the rounds of `work` per second, on the device alone."""
    function()
    taken = timing.of_calls(function, 1, call.device.synchronise)
    calls = min(max(round(turn / taken), 1), call.plan.calls)
    return timing.spread(
        [work / call.device.seconds(function, calls) for _ in range(call.plan.rounds)]
    )
