"""An imitation of a GPU whose streams can be captured, on NumPy's arrays: the backend "recorder".

While a stream is captured nothing is computed: each operation is noted together with the arrays that it reads and writes, and new arrays
hold NaNs. A launch repeats what was noted, with the same arrays and the same numbers. What CuPy refuses in a capture is refused:
copies from and to the host, products through CuPy's own handle of cuBLAS, joining more than 8 arrays. Kernels run as on the shim.
"""

import weakref
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import numpy as np

from minires.backend import Library
from minires.fast.cuda import gemm
from minires.fast.cuda.graph import products_on
from minires.ops.forms import faster
from tests import shim

# The notes of the capture that is under way or None, the current stream, the pool of the allocator, and what streams were asked.
NOW = SimpleNamespace(notes=None, stream=None, pool=None, calls=[])
PRODUCTS = ("matmul", "dot", "tensordot", "einsum")


def refuse(what):
    if NOW.notes is not None:
        raise RuntimeError(f"the current stream is capturing, so {what} are disallowed")


def refuse_products():
    if NOW.notes is not None:
        raise NotImplementedError(
            "calling cuBLAS API during stream capture is currently unsupported"
        )


class Array(np.ndarray):
    """An array on the imitated GPU."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if any(getattr(value, "__array_ufunc__", 0) is None for value in inputs):
            return NotImplemented
        return run(getattr(ufunc, method), inputs, options, writes=inputs[:1] * (method == "at"))

    def __array_function__(self, function, types, inputs, options):
        return run(function, inputs, options)

    def __getitem__(self, index):
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, (list, np.ndarray)) for part in parts):
            if not all(
                isinstance(part, Array) for part in parts if isinstance(part, (list, np.ndarray))
            ):
                refuse("H2D transfers")
            return run(np.ndarray.__getitem__, (self, index), {})
        return bare(self)[(*parts, ...)].view(Array)

    def __setitem__(self, index, value):
        if isinstance(value, np.ndarray) and not isinstance(value, Array):
            refuse("H2D transfers")
        run(np.ndarray.__setitem__, (self, index, value), {}, writes=(self,))


def _give_methods():
    def running(function):
        return lambda self, *inputs, **options: run(function, (self, *inputs), options)

    def reading(function):
        def read(self, *inputs):
            refuse("D2H transfers")
            return function(bare(self), *inputs)

        return read

    def fill(self, value):
        run(np.ndarray.fill, (self, value), {}, writes=(self,))

    Array.fill = fill
    names = "astype copy sum max min argmax argmin mean var take clip reshape ravel flatten any all cumsum"
    for name in names.split():
        setattr(Array, name, running(getattr(np.ndarray, name)))
    for name in ("__float__", "__int__", "__bool__", "__index__", "item", "tolist"):
        setattr(Array, name, reading(getattr(np.ndarray, name)))


_give_methods()


def bare(value):
    """The same with NumPy's own arrays."""
    if isinstance(value, Array):
        return value.view(np.ndarray)
    if isinstance(value, (list, tuple)):
        return type(value)(map(bare, value))
    return value


def arrays_in(value):
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from arrays_in(part)


def run(function, inputs, options, writes=()):
    """Run a function of NumPy, or note it."""
    given, named = bare(inputs), {name: bare(value) for name, value in options.items()}
    out = [*arrays_in(options.get("out")), *writes]
    work = partial(function, *given, **named)
    if NOW.notes is None:
        made = work()
        return out[0] if out else left(made, [*arrays_in(given)])
    if getattr(function, "__name__", "") in PRODUCTS:
        refuse_products()
    if out:
        NOW.notes.append(work)
        return out[0]
    with np.errstate(all="ignore"):
        made = work()
    result = left(made, [*arrays_in(given)])
    if isinstance(result, Array) and not shares(result, [*arrays_in(given)]):
        target = bare(result)
        target.fill(np.nan if target.dtype.kind in "fV" else 0)
        NOW.notes.append(partial(fill_in, target, work))
    return result


def fill_in(target, work):
    target[...] = work()


def shares(made, others):
    return any(np.may_share_memory(made, other) for other in others)


def left(made, given):
    """What a function of NumPy returned, as arrays of the imitated GPU. New ones belong to the pool of the allocator."""
    if isinstance(made, (np.ndarray, np.generic)):
        made = np.asarray(made)
        if NOW.pool is not None and not shares(made, given):
            NOW.pool.given(made)
        return made.view(Array)
    return made


def to_device(array):
    if array.ndim:
        refuse("H2D transfers")
    return left(np.array(array), [])


def to_host(array):
    refuse("D2H transfers")
    return np.array(bare(array))


class Pool:
    """A memory pool. After a capture nothing more is allocated from it: the graph writes to its free blocks."""

    def __init__(self):
        self.kept, self.bytes, self.closed = [], 0, False

    def malloc(self, size):
        raise AssertionError("the imitation asks for arrays, not for memory")

    def given(self, array):
        assert not self.closed, "memory from the pool of a graph"
        self.bytes += array.nbytes
        weakref.finalize(array, self.freed, array.nbytes)
        if NOW.notes is not None:
            self.kept.append(array)

    def freed(self, nbytes):
        self.bytes -= nbytes

    def used_bytes(self):
        return self.bytes


class Stream:
    """A stream, by its name in `NOW.calls`."""

    def __init__(self, non_blocking=False, name="own"):
        assert non_blocking or name == "null"
        self.name, self.ptr, self.around = name, 1 << 40, []

    def record(self):
        NOW.calls.append(("record", self.name))
        return self.name

    def wait_event(self, event):
        NOW.calls.append(("wait", self.name, event))

    def synchronize(self):
        NOW.calls.append(("synchronize", self.name))

    def __enter__(self):
        self.around.append(NOW.stream)
        NOW.stream = self

    def __exit__(self, *error):
        NOW.stream = self.around.pop()

    def begin_capture(self):
        assert NOW.stream is self and self.name != "null" and NOW.notes is None
        NOW.calls.append(("begin", self.name))
        NOW.notes = []

    def end_capture(self):
        notes, NOW.notes = NOW.notes, None
        NOW.calls.append(("end", self.name))
        return Graph(notes)


class Graph:
    """What was noted."""

    def __init__(self, notes):
        self.notes = notes

    def launch(self, stream):
        assert stream.name == "own" and NOW.stream is stream and NOW.notes is None
        NOW.calls.append(("launch", stream.name))
        for work in self.notes:
            work()


NULL = Stream(name="null")


@contextmanager
def using_allocator(malloc):
    before, NOW.pool = NOW.pool, malloc.__self__
    try:
        yield
    finally:
        if NOW.notes is not None:
            NOW.pool.closed = True
        NOW.pool = before


class Namespace:
    """What xp stands for."""

    ndarray = Array
    cuda = SimpleNamespace(Stream=Stream, MemoryPool=Pool, using_allocator=using_allocator, Device=lambda: SimpleNamespace(id=0),
                           get_current_stream=lambda: NOW.stream or NULL)  # fmt: skip

    def get_default_memory_pool(self):
        return SimpleNamespace(free_all_blocks=lambda: NOW.calls.append(("free_all_blocks",)))

    def concatenate(self, arrays, axis=0):
        if len(arrays) > 8:
            refuse("H2D transfers")
        return run(np.concatenate, (arrays,), {"axis": axis})

    def asarray(self, value, dtype=None):
        return self.array(value, dtype, copy=False)

    def array(self, value, dtype=None, copy=True, order="K"):
        if not isinstance(value, Array) and np.ndim(value):
            refuse("H2D transfers")
        return run(np.array if copy else np.asarray, (value,), {"dtype": dtype, "order": order})

    def __getattr__(self, name):
        value = getattr(np, name)
        if isinstance(value, type) or not callable(value):
            return value
        return lambda *inputs, **options: run(value, inputs, options)


XP = Namespace()


def noted(work):
    """The function, or in a capture a note of it."""

    def call(*arguments):
        if NOW.notes is None:
            return work(*arguments)
        NOW.notes.append(partial(work, *arguments))
        return None

    return call


def address(array):
    return array.ctypes.data


def by_cupy(gemm_ex):
    """A product through CuPy's own handle."""

    def call(*arguments):
        refuse_products()
        gemm_ex(*arguments)

    return call


OF_CUPY = gemm.Products(XP, address, by_cupy(shim.gemm_ex), by_cupy(shim.gemm_strided_batched_ex))
OWN = gemm.Products(XP, address, noted(shim.gemm_ex), noted(shim.gemm_strided_batched_ex))


@faster("launch", on="recorder")
def launch_noted(source, function, blocks, block, arguments):
    noted(shim.launch_here)(source, function, blocks, block, arguments)


@faster("products", on="recorder")
def products_of_cupy():
    return OF_CUPY


@faster(products_on, on="recorder")
def products_noted(stream):
    return OWN, None


@faster("address", on="recorder")
def address_here(array):
    return address(array)


@faster("memory", on="recorder")
def memory_here():
    return 8 << 30, 8 << 30


def library():
    return Library("recorder", XP, Array, to_device, to_host, family="cupy")
