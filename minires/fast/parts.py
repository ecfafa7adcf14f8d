"""Chunks of a batch that stay in the processor's cache, worked on by all cores at once.

Stands for a call on the whole batch. im2col of a whole batch is 3 to 4 times slower than in chunks that fit the L2 cache.
The cut and the order of sums depend on the problem alone, so the result has the same bits on any number of threads.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import numpy

from minires.backend import carried, is_float, threads, xp
from minires.ops.forms import faster, has_forms

CHUNK = 4 << 20  # bytes of a chunk's intermediate results, to stay in the cache


class Process:
    """Facts of this process that settings cannot hold: the pool of threads, how many threads the BLAS uses, scratch memory.

    There is one, with one lock, as a BLAS has one number of threads for the whole process.
    """

    def __init__(self):
        self.lock = threading.Lock()
        # .busy: this thread works on a chunk; .buffers: its scratch memory.
        self.here = threading.local()
        # _size: (process id, threads), as a child after a fork has no threads.
        self._pool, self._size = None, None
        self._libraries, self._depth, self._before = None, 0, []

    def pool(self, threads):
        """The pool, with room for this many threads, the caller's included."""
        with self.lock:
            if self._size != (os.getpid(), threads):
                self._pool = ThreadPoolExecutor(max(threads - 1, 1), "minires")
                self._size = os.getpid(), threads
            return self._pool

    def blas(self):
        """The BLAS libraries of this process; none where they cannot be found (Accelerate): they keep their threads then."""
        if self._libraries is None:
            from threadpoolctl import ThreadpoolController

            # So that it is loaded, whatever was imported before.
            numpy.ones((2, 2)) @ numpy.ones((2, 2))
            self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        return self._libraries

    def multiplies_small_in_place(self):
        """Return True if the BLAS is OpenBLAS with a kernel that multiplies small matrices without copying them first."""
        kernels = "SkylakeX", "Cooperlake", "SapphireRapids"
        return any(getattr(library, "architecture", None) in kernels for library in self.blas())

    @contextmanager
    def one_blas_thread(self):
        """In this block each product of matrices runs on the thread that asked for it; afterwards the BLAS has its number back."""
        with self.lock:
            self._depth += 1
            if self._depth == 1:
                self._before = [(library, library.num_threads) for library in self.blas()]
                self._limit(1)
        try:
            yield
        finally:
            with self.lock:
                self._depth -= 1
                if self._depth == 0:
                    self._limit(None)

    def _limit(self, threads):
        for library, number in self._before:
            if number != 1:
                library.set_num_threads(threads or number)


PROCESS = Process()


@has_forms
def sum_over_chunks(work, n, bytes_each, bytes_shared=0):
    """Call work(slice) for slices that cut n examples into chunks: the sum of what it returns, in their order.

    work  returns an array of its own, a tuple of them, or None
    bytes_each  of intermediate results for one example: those of a chunk stay in the processor's cache
    bytes_shared  that each chunk reads or writes besides its examples: chunks are made large enough for these to count little

    On NumPy chunks run on all cores, each with a BLAS of one thread; on a GPU one after the other, and there are several only
    where one would take more than a quarter of the free memory.
    """
    return work(slice(0, n))


@faster("sum_over_chunks", on="numpy")
def chunks_on_all_cores(work, n, bytes_each, bytes_shared=0):
    """Several at a time."""
    return side_by_side(work, cut(n, bytes_each, bytes_shared, CHUNK))


@faster("sum_over_chunks", on="strict")
def chunks_in_order(work, n, bytes_each, bytes_shared=0):
    """The same cut, one after the other."""
    return one_by_one(work, cut(n, bytes_each, bytes_shared, CHUNK))


def cut(n, bytes_each, bytes_shared, chunk):
    """The slices: of about `chunk` bytes each, and an even number of them, so that two threads end together."""
    count = -(-n // max(max(chunk, bytes_shared) // max(bytes_each, 1), 1))
    if n * bytes_each > chunk:
        count += count % 2
    count = max(min(count, n), 1)
    edges = [-(-n * i // count) for i in range(count + 1)]
    return [slice(*pair) for pair in pairwise(edges)]


def one_by_one(work, chunks):
    """work(chunk) for each, and the sum of what they return (None where they return nothing)."""
    total = None
    for chunk in chunks:
        total = _added(total, work(chunk))
    return total


def side_by_side(work, chunks):
    """The same, several at a time, under the settings of this thread. No chunk waits for another.

    Meanwhile the BLAS uses one thread for each. Raises  what the first chunk to fail raised.
    """
    if getattr(PROCESS.here, "busy", False):  # a chunk within a chunk
        return one_by_one(work, chunks)
    workers = min(threads(), len(chunks))
    with PROCESS.one_blas_thread():
        return one_by_one(work, chunks) if workers < 2 else _shared_out(work, chunks, workers)


def _shared_out(work, chunks, workers):
    queue, others, pool = _Queue(work, chunks), [], PROCESS.pool(threads())
    try:
        others += [pool.submit(carried(queue.serve)) for _ in range(workers - 1)]
        queue.serve()
        _wait(others)
    except (
        BaseException
    ) as error:  # Ctrl-C between chunks: no thread keeps running behind the caller's back
        queue.error = queue.error or error
        _wait(others)
    # A thread may still hold the queue for a moment.
    total, queue.work, queue.total = queue.total, None, None
    if queue.error is not None:
        raise queue.error
    return total


def _wait(others):
    for other in others:
        if not other.cancel():  # one that has not begun yet has nothing left to do
            other.result()


class _Queue:
    """Chunks that several threads take in their order, and sums that are added up in it."""

    def __init__(self, work, chunks):
        self.work, self.chunks, self.taken = work, chunks, 0
        self.given, self.added, self.adding, self.total, self.error = {}, 0, False, None, None
        self.lock = threading.Lock()

    def serve(self):
        """Take chunks until none is left."""
        PROCESS.here.busy = True
        try:
            while True:
                with self.lock:
                    i = self.taken
                    if i == len(self.chunks) or self.error is not None:
                        return
                    self.taken += 1
                given = self.work(self.chunks[i])
                with self.lock:
                    self.given[i] = given
                del given
                self.add()
        except BaseException as error:
            with self.lock:
                self.error = self.error or error
        finally:
            PROCESS.here.busy = False

    def add(self):
        """Add what chunks have given, as far as there is no gap; unless another thread is at it, which sees this one's too."""
        with self.lock:
            if self.adding:
                return
            self.adding = True
        while True:
            with self.lock:
                if self.added not in self.given:
                    self.adding = False
                    return
                given = self.given.pop(self.added)
                self.added += 1
            self.total = _added(self.total, given)


def _added(total, given):
    """total + given, for arrays and tuples of them. The first array given is the one that is added to."""
    if isinstance(given, tuple):
        return tuple(_added(t, g) for t, g in zip(total or [None] * len(given), given))
    if total is None or given is None:
        return given
    total += given
    return total


@has_forms
def scratch(name, shape, dtype):
    """An array with anything in it, for what lives no longer than a chunk."""
    return xp.empty(shape, dtype=dtype)


@faster("scratch", on="numpy")
def kept_scratch(name, shape, dtype):
    """This thread's memory, used again under the same name."""
    buffers = PROCESS.here.__dict__.setdefault("buffers", {})
    size = 1
    for length in shape:
        size *= length
    nbytes = size * dtype.itemsize
    if name not in buffers or buffers[name].nbytes < nbytes:
        buffers[name] = numpy.empty(nbytes, dtype="uint8")
    return buffers[name][:nbytes].view(dtype).reshape(shape)


@faster("scratch", on="strict")
def marked_scratch(name, shape, dtype):
    """NaN, or ones where there is none: code that reads what was not written shows it."""
    return xp.full(shape, float("nan") if is_float(numpy.dtype(dtype)) else 1, dtype=dtype)
