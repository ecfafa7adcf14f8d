"""Which array library does the arithmetic: the one package that names NumPy or CuPy for it.

    from minires.backend import xp       read as np; the library is looked up at each use
    backend.use("cupy")                  from here on, on the GPU
    with backend.using("strict"): ...    for a while

MINIRES_BACKEND sets the start; without it, NumPy.
"""

import os
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, Callable, NamedTuple

import numpy

from minires import names
from minires.backend import heap, parts, products
from minires.backend.parts import threads, using_threads
from minires.backend.precision import HALVES, is_float, is_half, mixed, sum_type, tf32, to_half, using_mixed, using_tf32, widened

__all__ = ["HALVES", "BackendError", "has_kernel", "has_kernels", "in_parts", "is_array", "is_float", "is_half", "launch", "matmul", "mixed",
           "name", "naming", "scratch", "sum_type", "tf32", "threads", "to_device", "to_half", "to_host", "use", "using", "using_mixed",
           "using_tf32", "using_threads", "whole_batches", "widened", "xp"]  # fmt: skip


class BackendError(Exception):
    """The backend cannot do what was asked: it is unknown, does not work here, or the array is another's."""


PART = 4 << 20  # bytes of a part's intermediate results, to stay in the cache
LARGE = 64 << 20  # bytes that a card has in any case


class Library(NamedTuple):
    """What minires needs to know of an array library."""

    name: str
    module: Any  # what xp stands for
    ndarray: type
    to_device: Callable  # numpy.ndarray -> ndarray
    to_host: Callable  # ndarray -> numpy.ndarray
    run: Callable  # work, slices -> the sum of what work gives for each
    scratch: Callable  # name, shape, dtype -> an array of this library
    matmul: Callable  # a, b, out=None
    part: int | Callable | None = PART  # bytes; a function that tells them; or None: batches stay whole
    kernels: Any = None  # minires.backend.kernels, where there is a card for them
    launch: Callable | None = None  # source, function, (blocks across, blocks down), threads, arguments


def _numpy():
    here = lambda array: array  # noqa: E731
    heap.keep()
    scratch = partial(parts.scratch, make=numpy.empty)
    return Library("numpy", numpy, numpy.ndarray, here, here, parts.side_by_side, scratch, products.matmul)


def _strict():
    from minires.backend import strict

    return Library("strict", strict, strict.Array, strict.to_device, strict.to_host, parts.one_by_one, strict.scratch,
                   strict.matmul)  # fmt: skip


def _cupy():
    from minires.backend import card

    try:
        cupy = card.load()
    except card.Unusable as why:
        raise BackendError(str(why)) from None
    from minires.backend import cuda, kernels

    scratch = lambda name, shape, dtype: cupy.empty(shape, dtype)  # noqa: E731  CuPy has a pool of its own
    return Library("cupy", cupy, cupy.ndarray, cupy.asarray, cupy.asnumpy, parts.one_by_one, scratch, cuda.products(),
                   part=cuda.budget, kernels=kernels, launch=cuda.launch)  # fmt: skip


def _auto():
    try:
        return _cupy()
    except BackendError:
        return _numpy()


LOADERS = {"numpy": _numpy, "strict": _strict, "cupy": _cupy, "auto": _auto}


def _load(name):
    return LOADERS[names.check("backend", name, LOADERS, BackendError)]()


class _Failed:
    """In the place of a library that MINIRES_BACKEND asked for in vain: the first use of it raises why."""

    def __init__(self, error):
        self._error = error

    def __getattr__(self, attribute):
        raise self._error


def _start(name):
    try:
        return _load(name)
    except BackendError as error:
        return _Failed(BackendError(f"MINIRES_BACKEND={name}: {error}"))


class _Namespace:
    """The current library's functions, looked up late, so that a switch reaches code imported before it."""

    def __getattr__(self, name):
        return getattr(_current.module, name)

    def __dir__(self):
        return dir(_current.module)

    def __repr__(self):
        return f"<the functions of {_current.name}>"


def use(name):
    """Switch to "numpy", "strict", "cupy" or "auto" (CuPy where it works, else NumPy).

    Arrays, tensors and modules made before stay with the library that made them.
    Raises  BackendError: an unknown name, or CuPy cannot work here (it says why, and what to type).
    """
    global _current
    if parts.running():
        raise BackendError(f"use({name!r}) while parts of a batch are being worked on: each would see another library")
    _current = _load(name)


@contextmanager
def using(name):
    """Switch for the length of a `with` block, then back."""
    global _current
    before = _current
    use(name)
    try:
        yield
    finally:
        _current = before


@contextmanager
def whole_batches():
    """For a while neither batches nor products are cut, and the BLAS shares them out: to measure what parts are worth."""
    global _current
    before = _current
    _current = before._replace(part=None, run=parts.one_by_one, matmul=before.module.matmul)
    try:
        yield
    finally:
        _current = before


def name():
    """The name of the backend in use: "numpy", "strict" or "cupy"."""
    return _current.name


def is_array(value):
    """Whether `value` is an array of the backend in use."""
    return isinstance(value, _current.ndarray)


def to_device(array):
    """An array of the backend in use, from a NumPy array, a number or a list. Its own arrays pass through.

    The type of the elements stays; on "numpy" nothing is copied.
    Raises  BackendError: an array of another library.
    """
    if is_array(array):
        return array
    if isinstance(array, (numpy.ndarray, numpy.generic, list, tuple, int, float)):
        return _current.to_device(numpy.asarray(array))
    raise BackendError(f"to_device takes a NumPy array, got {_described(array)}")


def to_host(array):
    """A NumPy array, from an array of the backend in use. NumPy's own pass through.

    On "cupy" this waits for the card; on "numpy" nothing is copied.
    Raises  BackendError: an array of another library.
    """
    if is_array(array):
        return _current.to_host(array)
    if isinstance(array, (numpy.ndarray, numpy.generic)):
        return numpy.asarray(array)
    raise BackendError(f"to_host takes an array of {_current.name}, got {_described(array)}")


def in_parts(work, n, size, *, shared=0):
    """Call work(part) for slices that cut n examples into parts: the sum of what it gives, in their order.

    work  gives an array of its own, a tuple of them, or None
    size  the bytes of intermediate results for one example: those of a part stay in the processor's cache
    shared  the bytes that each part reads or gives beside its examples: a part has so many examples that these count little

    On NumPy parts run side by side on all cores, each with a BLAS of one thread; on a GPU one after the other, and there are
    several only where one would take more than a quarter of the free memory. On NumPy the cut and the order of sums depend on
    n, size and shared alone, and so do the bits of the result.
    """
    count, part = 1, _current.part
    if callable(part):  # asked only where it may matter
        part = part() if n * size > LARGE else None
    if part is not None:
        count = -(-n // max(max(part, shared) // max(size, 1), 1))
        if n * size > part:
            count += count % 2  # so that two threads end together, or nearly
        count = max(min(count, n), 1)
    edges = [-(-n * i // count) for i in range(count + 1)]
    slices = [slice(*pair) for pair in zip(edges, edges[1:])]
    return _current.run(work, slices)


def scratch(name, shape, dtype):
    """An array with anything in it, for what lives no longer than a part: on NumPy a thread's memory is used again."""
    return _current.scratch(name, shape, dtype)


def matmul(a, b, out=None):
    """a @ b for matrices or stacks of them, in the way in which the backend is fastest. Into `out` where it is given.

    Of half types the sums are float32, and are rounded once at the end, or not at all where `out` is float32.
    """
    return _current.matmul(a, b, out=out)


PLAIN = {}  # name -> each function that has_kernel was said of, as it is without one


def has_kernel(plain):
    """Say of a function that minires.backend.kernels has one of its name and arguments in CUDA C, for a GPU."""
    PLAIN[plain.__name__] = plain

    @wraps(plain)
    def routine(*arguments):
        if _current.kernels is not None:
            result = getattr(_current.kernels, plain.__name__)(*arguments)
            if result is not NotImplemented:
                return result
        return plain(*arguments)

    return routine


def has_kernels():
    """Whether the backend in use has them."""
    return _current.kernels is not None


def launch(source, function, blocks, block, arguments):
    """Start a kernel of a source in CUDA C: blocks (across, down) of so many threads each."""
    _current.launch(source, function, blocks, block, arguments)


class OutOfMemory(MemoryError):
    """There is no memory for an op; it says which, of arrays of which shapes, and what to try."""


class naming:
    """In this block an error about memory becomes OutOfMemory, with what was being done, and to which arrays."""

    def __init__(self, deed, arrays):
        self.deed, self.arrays = deed, arrays

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None or not issubclass(kind, MemoryError) or issubclass(kind, OutOfMemory):
            return
        shapes = [array.shape for array in self.arrays if is_array(array)]
        batch = f" (it has {shapes[0][0]} examples)" if shapes and shapes[0] else ""
        told = f"{self.deed} of {', '.join(map(str, shapes))}: {error}"
        raise OutOfMemory(f"{told}. Try a smaller batch{batch}, or free what else holds memory") from error


def refuse_foreign(value, what):
    """Raise the error that names what came in place of an array of the backend in use, and what would mend it."""
    if not hasattr(value, "dtype"):
        raise TypeError(f"{what} is {_described(value)}, wanted an array, a number or lists of numbers")
    cure = "to_device(array) moves it" if isinstance(value, numpy.ndarray) else "make it after backend.use()"
    raise BackendError(f"{what} is {_described(value)}, the backend in use is {_current.name}: {cure}")


def _described(array):
    kind = type(array)
    return f"a {kind.__module__}.{kind.__qualname__}"


xp = _Namespace()
_current = _start(os.environ.get("MINIRES_BACKEND") or "numpy")
