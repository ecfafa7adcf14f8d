"""Chunks of a batch that stay in the processor's cache, worked on by all cores at once.

This replaces a call on the whole batch. im2col of a whole batch is 3 to 4 times slower than in chunks that fit the L2 cache.
The chunks and the order of sums depend only on the problem, so the result has the same bits on any number of threads.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import pairwise, product
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy

from minires.backend import carried, is_float, settings, threads, xp
from minires.fast.memory import bytes_at_a_line
from minires.ops.forms import faster, has_forms

CHUNK = 2 << 20  # bytes of a chunk's intermediate results, to stay in the cache


class Process:
    """State of the process: its worker threads, and the number of threads of its BLAS.

    An interrupt may come at any line, and the next call works as if there had been none: locks, which C code releases, show
    which blocks have ended, and no interrupt reaches a worker.
    """

    def __init__(self):
        self.here = threading.local()  # .buffers: a thread's scratch memory
        self._jobs, self._workers = SimpleQueue(), 0
        # Guarded by `lock`: the calls that need a single-threaded BLAS, each as a lock that is held meanwhile; and (library,
        # its usual number of threads).
        self.lock, self._holds, self._before = threading.Lock(), [], []
        self._libraries = None

    def start(self, jobs):
        """Have worker threads call these functions, which must not raise. If no thread can be started, they are not called."""
        try:
            while self._workers < len(jobs):
                threading.Thread(target=self.work, args=(self._jobs,), daemon=True).start()
                self._workers += 1
        except RuntimeError:  # the interpreter is shutting down, or the system has no more threads
            if not self._workers:
                return
        for job in jobs:
            self._jobs.put(job)

    def blas(self):
        """Return the BLAS libraries of this process. One that is not found (Accelerate) keeps its number of threads."""
        if self._libraries is None:
            from threadpoolctl import ThreadpoolController

            numpy.ones((2, 2)) @ numpy.ones((2, 2))  # so that it is loaded
            found = ThreadpoolController().select(user_api="blas").lib_controllers
            self._libraries = [Blas.of(library) for library in found]
        return self._libraries

    def multiplies_small_in_place(self):
        """Return True if the BLAS is OpenBLAS with a kernel that multiplies small matrices without copying them first."""
        kernels = "SkylakeX", "Cooperlake", "SapphireRapids"
        return any(getattr(library, "architecture", None) in kernels for library in self.blas())

    def with_one_blas_thread(self, run):
        """Call run() with each matrix multiplication on the thread that calls it; then restore the BLAS's number of threads."""
        hold = threading.Lock()
        with hold:
            try:
                try:
                    self._locked(self._limit, hold)
                    return run()
                finally:
                    self._locked(self._release, hold)
            except BaseException:  # an interrupt may have ended the release
                self._locked(self._release, hold)
                raise

    def _locked(self, run, hold):
        with self.lock: run(hold)  # noqa: E701  # fmt: skip  # one line: nothing comes between run and the lock's release

    def _limit(self, hold):
        first = not self._before  # of several threads, and no interrupt has left numbers behind
        if first:
            self._before = [(library, library.get()) for library in self.blas()]
        self._holds.append(hold)
        for library, number in self._before:
            if number > 1 and (first or library.get() > 1):
                library.set(1)

    def _release(self, hold):
        if hold in self._holds:
            self._holds.remove(hold)
        if self._holds:  # those of other threads, and of interrupts
            self._holds = [other for other in self._holds if other.locked()]
        for library, number in self._before:
            if number > 1 and (not self._holds or library.per_thread):
                library.set(number)
        if not self._holds:
            self._before = []

    def work(self, jobs):
        """Run jobs in an endless loop, as a worker thread."""
        for library in self.blas():
            if library.per_thread:
                library.set(1)
        while True:
            job = jobs.get()
            job()
            del job  # and the arrays that it holds

    def after_fork(self):
        """Reset everything in a child process, which has one thread."""
        for library, number in self._before:
            library.set(number)
        self.__init__()


class Blas(NamedTuple):
    """A BLAS: its kernel, functions that get and set its number of threads, and whether each thread has a number of its own."""

    architecture: str | None
    get: Callable[[], int]
    set: Callable[[int], Any]
    per_thread: bool

    @classmethod
    def of(cls, library):
        """Return the Blas of a library of threadpoolctl's; for OpenBLAS with its own functions, which any thread may call."""
        kernel, layer = (getattr(library, key, None) for key in ("architecture", "threading_layer"))
        per_thread = library.internal_api == "mkl" or layer == "openmp"
        affixes = product(("", "scipy_"), ("", "64_", "_64"))
        for prefix, suffix in (
            affixes if library.internal_api == "openblas" and not per_thread else ()
        ):
            names = [f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set")]
            own = [getattr(library.dynlib, name, None) for name in names]
            if all(own):
                return cls(kernel, *own, per_thread)
        return cls(kernel, library.get_num_threads, library.set_num_threads, per_thread)


PROCESS = Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=PROCESS.after_fork)


@has_forms
def sum_over_chunks(work, n, bytes_each, bytes_shared=0):
    """Call work(slice) for slices that cut n examples into chunks, and return the sum of the results, in order.

    work  returns a new array, a tuple of new arrays, or None
    bytes_each  of intermediate results per example; those of a chunk stay in the processor's cache
    bytes_shared  that each chunk reads or writes besides its examples; chunks are large enough for these to matter little

    On NumPy, chunks run on all cores, each with a single-threaded BLAS. On a GPU they run one after the other, and there are
    several only if a single one would take more than a quarter of the free memory.
    """
    return work(slice(0, n))


@faster("sum_over_chunks", on="numpy")
def chunks_on_all_cores(work, n, bytes_each, bytes_shared=0):
    """Run several chunks at a time."""
    return side_by_side(work, cut(n, bytes_each, bytes_shared, CHUNK))


@faster("sum_over_chunks", on="strict")
def chunks_in_order(work, n, bytes_each, bytes_shared=0):
    """Run the same chunks one after the other."""
    return one_by_one(work, cut(n, bytes_each, bytes_shared, CHUNK))


def cut(n, bytes_each, bytes_shared, chunk):
    """Return the slices: of about `chunk` bytes each, and an even number of them, so that two threads finish together."""
    count = -(-n // max(max(chunk, bytes_shared) // max(bytes_each, 1), 1))
    if n * bytes_each > chunk:
        count += count % 2
    count = max(min(count, n), 1)
    edges = [-(-n * i // count) for i in range(count + 1)]
    return [slice(*pair) for pair in pairwise(edges)]


def one_by_one(work, chunks):
    """Call work(chunk) for each, and return the sum of the results (None if they return nothing)."""
    total = None
    for chunk in chunks:
        total = _added(total, work(chunk))
    return total


def side_by_side(work, chunks):
    """Do the same, several chunks at a time, with the settings of this thread, except that a chunk and its BLAS use one thread.

    Raises  what the first chunk to fail raised.
    """
    workers = min(threads(), len(chunks))
    run = one_by_one if workers < 2 else partial(_shared_out, workers)
    return PROCESS.with_one_blas_thread(partial(run, work, chunks))


def _shared_out(workers, work, chunks):
    queue, here = _Queue(work, chunks, workers), settings().on_one_thread
    try:
        PROCESS.start([carried(partial(queue.help, i), here) for i in range(workers - 1)])
        carried(queue.serve, here)()
        queue.close()
    except BaseException as error:  # Ctrl-C: no thread keeps running after the call
        queue.error = queue.error or error
        queue.close()
    queue.add()  # results that came while another thread was adding
    total, error = queue.total, queue.error
    queue.work = queue.total = None  # a job that has not started still holds the queue
    if error is not None:
        raise error
    return total


class _Queue:
    """Chunks that several threads take in order, and whose results are summed in order.

    No thread waits for a lock, because an interrupt could leave it held.
    """

    def __init__(self, work, chunks, workers):
        self.work, self.todo = work, deque([*enumerate(chunks), *[None] * workers])
        self.given, self.added, self.total, self.error = {}, 0, None, None
        self.adding = threading.Lock()
        # Per helper: True if it has started (False: it came too late), and a lock that is released when it has ended.
        self.begun, self.ended = {}, set()
        self.ends = [threading.Lock() for _ in range(workers - 1)]
        for end in self.ends:
            end.acquire()

    def help(self, i):
        """Run serve() as helper i, unless the queue is closed."""
        if self.begun.setdefault(i, True):
            self.serve()
            self.ended.add(i)
            self.ends[i].release()

    def close(self):
        """Let no further helper start, and wait for those that have."""
        for i, end in enumerate(self.ends):
            if self.begun.setdefault(i, False) and i not in self.ended:
                end.acquire()

    def serve(self):
        """Run chunks until none is left. An error is kept in `error`."""
        try:
            while (taken := self.todo.popleft()) is not None and self.error is None:
                self.given[taken[0]] = self.work(taken[1])
                self.add()
        except BaseException as error:
            self.error = self.error or error

    def add(self):
        """Add the chunks' results up to the first gap, unless another thread is doing so."""
        if self.adding.acquire(blocking=False):
            while self.added in self.given:
                self.total = _added(self.total, self.given.pop(self.added))
                self.added += 1
            self.adding.release()


def _added(total, given):
    """Return total + given, for arrays and tuples of arrays. The first array given is the one that is added to."""
    if isinstance(given, tuple):
        return tuple(_added(t, g) for t, g in zip(total or [None] * len(given), given))
    if total is None or given is None:
        return given
    total += given
    return total


@has_forms
def scratch(name, shape, dtype):
    """Return an uninitialised array, for values that are used only within a chunk."""
    return xp.empty(shape, dtype=dtype)


@faster("scratch", on="numpy")
def kept_scratch(name, shape, dtype):
    """Return memory of this thread, which is reused for the same name."""
    buffers = PROCESS.here.__dict__.setdefault("buffers", {})
    size = 1
    for length in shape:
        size *= length
    nbytes = size * dtype.itemsize
    if name not in buffers or buffers[name].nbytes < nbytes:
        buffers[name] = bytes_at_a_line(nbytes)
    return buffers[name][:nbytes].view(dtype).reshape(shape)


@faster("scratch", on="strict")
def marked_scratch(name, shape, dtype):
    """Return NaNs, or ones for ints: code that reads what it has not written becomes visible."""
    return xp.full(shape, float("nan") if is_float(numpy.dtype(dtype)) else 1, dtype=dtype)
