"""Preflight: each kernel compared with its plain form, and each way of convolution with NumPy in float64. Every comparison is with
the true result for the operands as they are after rounding, so that an error is the form's own.
"""

from contextlib import nullcontext
from functools import partial

import numpy

from benchmarks import gpu_device, ours
from benchmarks.gpu_cases import KERNELS, Numbers, cases, numbers
from minires import backend, ops
from minires.backend import is_array, on_a_gpu, to_device, to_host, xp
from minires.fast import winograd
from minires.fast.tiles import F2, F4
from minires.ops.forms import FUNCTIONS

# Error allowed, of each value and of the largest: half types are rounded to the nearest once, sums many times.
TOLERANCE = {"float64": (1e-12, 1e-12), "float32": (3e-6, 3e-6), "float16": (2.0**-11, 3e-6), "bfloat16": (2.0**-8, 3e-6)}  # fmt: skip
# Precision -> a function that returns its context.
PRECISIONS = {"float32": nullcontext, "tf32": backend.using_tf32, "bf16": partial(backend.autocast, "bfloat16"),
              "fp16": partial(backend.autocast, "float16")}  # fmt: skip
# Error allowed of convolutions, relative to the largest value. The gradients of half types are rounded twice.
BOUNDS = {"float32": 1e-5, "tf32": 3e-3, "bf16": 1.2e-2, "fp16": 1.5e-3}
TILES = 1e-4  # the bound of Winograd's tiles in float32


class Wrong(Exception):
    """A result that rounding does not explain."""


class NotThere(Exception):
    """The subject of a check is not there: the reason."""


def files():
    """Return the names of the files of kernels."""
    return sorted({kernel.__module__.rpartition(".")[2] for kernel in KERNELS.values()})


def kernels(place, file):
    """Compare the kernels of a file with their plain forms in float64, in each type that they know, and print a line for each.
    The plain forms of the first sizes run on NumPy, and those of the others on the GPU.
    """
    largest, faults, missing = {}, [], set()
    for i, plan in enumerate(place.plan.kernels):
        for case in cases(plan):
            kernel = KERNELS[case.function]
            if (
                kernel.__module__.rpartition(".")[2] != file or case.backward
            ):  # which comes with its forward
                continue
            for dtype in case.types:
                name = f"{case.function}, {dtype}, {case.size}"
                try:
                    error, used = of_kernel(case, dtype, on_host=i == 0)
                except ModuleNotFoundError as why:
                    missing.add(f"{dtype} ({why})")
                    continue
                except Exception as why:
                    if gpu_device.lost(why):
                        raise Wrong(f"{name}: {_line(why)}") from why
                    faults.append(f"{name}: {_line(why)}")
                    continue
                row = largest.setdefault(case.function, {})
                row[dtype] = max(row.get(dtype, 0.0), error)
                if not used <= 1:
                    faults.append(f"{name}: off by {error:.2g} of the largest value")
    for function, row in largest.items():
        print(
            f"  {function:20} " + ", ".join(f"{dtype} {error:.1e}" for dtype, error in row.items()),
            flush=True,
        )
    place.figures["errors"] = largest
    if faults:
        print("\n".join(f"  {fault}" for fault in faults), flush=True)
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise Wrong(faults[0] + more)
    worst = {dtype: max(row.get(dtype, 0.0) for row in largest.values()) for dtype in TOLERANCE}
    told = ", ".join(
        f"{dtype} {error:.0e}"
        for dtype, error in worst.items()
        if any(dtype in row for row in largest.values())
    )
    return f"largest error {told}" + "".join(f"; without {why}" for why in sorted(missing))


def of_kernel(case, dtype, *, on_host):
    """Return (the largest error of a kernel relative to the largest value, and as a fraction of what is allowed).

    on_host  True if the plain form runs on NumPy, False if it runs where the kernel does
    """
    forms = FUNCTIONS[case.function]
    kernel = KERNELS[case.function] if on_a_gpu() else forms.default
    found, rounded = _arrays(kernel, *case.make(Numbers(dtype)))
    if on_host:
        found = [(to_host(array), kind) for array, kind in found]
    with backend.using("numpy") if on_host else nullcontext(), ops.plain():
        try:
            wanted, _ = _arrays(forms.plain, *case.make(Numbers(dtype, exact=True)), rounded)
        except Exception as why:
            raise Wrong(f"not compared, as the plain form fails: {_line(why)}") from why
        if len(found) != len(wanted):
            raise Wrong(f"{len(found)} arrays, expected {len(wanted)}")
        errors = [
            _error(a, b, *TOLERANCE.get(kind, (0.0, 0.0)))
            for (a, kind), (b, _) in zip(found, wanted)
        ]
    return tuple(map(max, zip(*errors)))


def _arrays(function, arguments, options, rounded=None):
    """Return ([(array in float64, the name of its type)], the type of an op's gradient): the arguments after the call, the
    results, and an op's gradients for a gradient that is first rounded to a type (default: that of its result).
    """
    made = function(*arguments, **options)
    if made is NotImplemented:
        raise Wrong("there is no kernel for it")
    made = made if isinstance(made, tuple) else (made,)
    if len(made) == 2 and callable(made[1]):
        y, backward = made
        rounded = rounded or y.dtype
        made = y, *backward(numbers(y.shape, 7).astype(rounded).astype(y.dtype))
    # NumPy's 0-d results are scalars.
    arrays = [
        array
        for array in (*arguments, *made)
        if is_array(array) or isinstance(array, backend.HostScalar)
    ]
    return [(array.astype(xp.float64), array.dtype.name) for array in arrays], rounded


def _error(found, wanted, relative, absolute):
    if found.shape != wanted.shape:
        raise Wrong(f"shape {found.shape}, expected {wanted.shape}")
    if not wanted.size:
        return 0.0, 0.0
    scale = float(abs(wanted).max()) or 1.0
    off = abs(found - wanted)
    error, used = (
        float(off.max()) / scale,
        float((off / (relative * abs(wanted) + absolute * scale + 1e-300)).max()),
    )
    # NaN is wrong, and max() would pass over it.
    return (error, used) if used == used else (numpy.inf, numpy.inf)


def convolution(place, precision):
    """Compare each way of convolution in one precision with NumPy in float64, forward and both gradients."""
    context = PRECISIONS[precision]
    try:
        with context():
            dtype = numpy.dtype(backend.settings().half or "float32")
    except backend.BackendError as why:
        raise NotThere(str(why)) from None
    errors, faults = {}, []
    place.figures["errors"] = errors
    for shape in place.plan.convolutions:
        wanted = _exact(shape, dtype)
        for way, (convolve, bound) in _ways(shape, precision).items():
            try:
                with context():
                    found = _both_ways(convolve, shape, dtype)
            except Exception as why:
                raise Wrong(f"{way}, {shape}: {_line(why)}") from why
            rates = [_error(a.astype(numpy.float64), b, 0.0, 1.0)[0] for a, b in zip(found, wanted)]
            errors.setdefault(way, {})[str(shape)] = rates
            told = ", ".join(
                f"{name} {error:.1e}" for name, error in zip(("y", "g_x", "g_weight"), rates)
            )
            print(f"  {way:14} {shape!s:28} {told}", flush=True)
            if not max(rates) <= bound:
                faults.append(
                    f"{way}, {shape}: off by {max(rates):.2g} of the largest value, expected {bound:.0e} at most"
                )
    if faults:
        raise Wrong("; ".join(faults[:2]))
    largest = {way: max(map(max, of.values())) for way, of in errors.items()}
    return "largest error " + ", ".join(f"{way} {error:.0e}" for way, error in largest.items())


def _ways(shape, precision):
    """Return name -> (a function that convolves, its bound)."""
    bound, ways = BOUNDS[precision], {"im2col": (ours.im2col, BOUNDS[precision])}
    if shape.kernel == 1:
        ways["pointwise"] = ops.conv2d, bound
    elif shape.stride == 1 and precision == "float32" and min(shape.c, shape.f) >= 8:
        for tile in (F4, F2):
            ways[f"Winograd F({tile.m}x{tile.m})"] = partial(_tiled, tile), TILES
        ways["conv2d"] = ops.conv2d, TILES  # the form that a network takes: it keeps its tiles
    return ways


def _tiled(tile, x, weight, *, stride, padding):
    return winograd.by_tiles(x, weight, padding=(padding, padding), tile=tile)


def _both_ways(convolve, shape, dtype):
    """Return (y, g_x, g_weight) on the host."""
    x, weight, g = (to_device(array).astype(dtype) for array in shape.arrays())
    y, backward = convolve(x, weight, stride=shape.stride, padding=shape.padding)
    return [to_host(array) for array in (y, *backward(g.astype(y.dtype))[:2])]


def _exact(shape, dtype):
    """Return the same in float64 by the plain form, on NumPy."""
    x, weight, g = (array.astype(dtype).astype(numpy.float64) for array in shape.arrays())
    with backend.using("numpy"), ops.plain():
        y, backward = ops.conv2d(x, weight, stride=shape.stride, padding=shape.padding)
        return [y, *backward(g)[:2]]


def _line(error):
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}" if not isinstance(error, Wrong) else lines[0]
