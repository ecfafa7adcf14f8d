"""python -m benchmarks.gpu_counts: what a training step of ResNet-18 asks of a GPU and of its host, counted on any machine.

The step runs as on a GPU, but kernels and products are only counted, so its numbers mean nothing.
"""

import argparse
import sys
import warnings
from collections import Counter
from contextlib import nullcontext
from operator import attrgetter
from typing import NamedTuple

import numpy

from benchmarks import ours
from benchmarks.problems import NETS, batch
from minires import backend, ops
from minires.backend import Library
from minires.fast.cuda import gemm

MODES = {"float32": nullcontext, "tf32": backend.using_tf32, "bf16 mixed": backend.autocast}
MEMORY = 128 << 30  # bytes of the GPU that the step believes in
SIZES = {0: 4, 1: 8, 2: 2, 14: 2}  # bytes of an element, by cuBLAS's number of its type
PRODUCTS = "product", "stack of products"


class Counts(NamedTuple):
    """The demands of a step: launches by name, of minires's kernels and products, and of operations of CuPy's own; the bytes of the
    arrays that they read and write, each array once a launch; and the Python functions that are called.
    """

    launches: Counter
    cupy: Counter
    nbytes: Counter
    calls: int

    def table(self):
        """Return rows (name, launches, GB), those with most bytes first, with a sum of each kind."""
        rows = []
        for kind, found in (("minires and cuBLAS", self.launches), ("CuPy", self.cupy)):
            names = sorted(found, key=lambda name: -self.nbytes[name])
            rows += [(f"  {name}", found[name], self.nbytes[name] / 1e9) for name in names]
            total = sum(self.nbytes[name] for name in names) / 1e9
            rows.append((f"{kind}, together", found.total(), total))
        return rows


def library(launches, cupy, nbytes):
    """Return a Library whose arrays count what CuPy would launch for them, and the functions that stand in for the GPU's."""

    def note(counter, name, *arrays):
        counter[name] += 1
        nbytes[name] += sum(a.nbytes for a in arrays if isinstance(a, numpy.ndarray))

    class Array(numpy.ndarray):
        def __array_ufunc__(self, function, method, *inputs, out=(), **options):
            plain = [numpy.asarray(x) if isinstance(x, Array) else x for x in inputs]
            into = {"out": tuple(map(numpy.asarray, out))} if out else {}
            made = numpy.asarray(getattr(function, method)(*plain, **into, **options))
            note(cupy, function.__name__, *plain, made)
            return out[0] if out else own(made)

        def __setitem__(self, index, value):
            numpy.ndarray.__setitem__(self, index, value)
            note(cupy, "copy", self[index], value)

        def copy(self, order="C"):
            made = numpy.ndarray.copy(self, order)
            note(cupy, "copy", self, made)
            return made

        def astype(self, dtype, copy=True, **_):
            if self.dtype == dtype and not copy:
                return self
            made = numpy.ndarray.astype(self, dtype)
            note(cupy, "cast", self, made)
            return made

    def own(made):
        """Return an Array in memory of its own. Only small ones keep their numbers."""
        array = Array(made.shape, made.dtype)
        if made.size < 1 << 16:
            numpy.ndarray.__setitem__(array, ..., made)
        return array

    class Module:
        """NumPy's functions. Those that make an array make an Array."""

        ndarray = Array

        def __getattr__(self, name):
            function = getattr(numpy, name)
            if isinstance(function, (type, numpy.ufunc)) or not callable(function):
                return function

            def counted(*arguments, **options):
                made = function(*arguments, **options)
                if name in ("concatenate", "array", "zeros", "full"):
                    read = arguments[0] if name == "concatenate" else arguments
                    note(cupy, name, made, *read)
                if not isinstance(made, numpy.ndarray):
                    return made
                return made.view(Array) if made.base is not None else own(made)

            vars(self)[name] = counted
            return counted

    def launch(source, function, blocks, block, arguments):
        note(launches, function.partition("<")[0], *arguments)

    def gemm_ex(*given):
        _product(PRODUCTS[0], given[2:5], given[7], given[14], 1)

    def gemm_strided_batched_ex(*given):
        _product(PRODUCTS[1], given[2:5], given[7], given[16], given[19])

    def _product(name, sizes, kind, kind_out, count):
        m, n, k = sizes
        launches[name] += 1
        nbytes[name] += count * ((m + n) * k * SIZES[kind] + m * n * SIZES[kind_out])

    products = gemm.Products(Module(), attrgetter("itemsize"), gemm_ex, gemm_strided_batched_ex)
    # Addresses are multiples of 16 where an array has memory of its own.
    stand_ins = {"launch": launch, "products": lambda: products, "memory": lambda: (MEMORY, MEMORY), "address": lambda array: 0}  # fmt: skip
    host = numpy.asarray
    return Library(
        "counting", Module(), Array, lambda a: a.view(Array), host, family="cupy"
    ), stand_ins


def count(mode, n, net="resnet18"):
    """Return the Counts of one step in a mode of MODES, on n 32x32 images, after the first steps."""
    launches, cupy, nbytes, calls = Counter(), Counter(), Counter(), 0
    on, stand_ins = library(launches, cupy, nbytes)

    def look(frame, event, _):
        nonlocal calls
        calls += event == "call" and frame.f_code.co_filename != __file__

    with warnings.catch_warnings(), backend.using(on), MODES[mode](), ops.standing_in(stand_ins):
        warnings.simplefilter("ignore")  # the numbers mean nothing
        x, labels = map(backend.to_device, batch(n))
        step = ours.training(ours.build(NETS[net]), x, labels)
        for _ in range(3):  # what stays is made: packed parameters, velocities
            step()
        for counter in (launches, cupy, nbytes):
            counter.clear()
        sys.setprofile(look)
        try:
            step()
        finally:
            sys.setprofile(None)
    return Counts(launches, cupy, nbytes, calls)


def main():
    """Print the counts of each mode."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_counts", description=__doc__.partition(": ")[2])  # fmt: skip
    parser.add_argument("--batch", type=int, default=512, metavar="N", help="images (512)")
    parser.add_argument("--net", choices=NETS, default="resnet18", metavar="NET", help="(resnet18)")
    options = parser.parse_args()
    if options.batch < 1:
        parser.error(f"--batch {options.batch}: expected one image or more")
    for mode in MODES:
        counts = count(mode, options.batch, options.net)
        print(f"{options.net}, batch {options.batch}, {mode}: {counts.calls:,} Python calls")
        for name, launches, gigabytes in counts.table():
            print(f"  {name:32} {launches:5} launches {gigabytes:8.2f} GB")


if __name__ == "__main__":
    main()
