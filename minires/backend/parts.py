"""A batch in parts that stay in the processor's cache, side by side on all cores.

The cut and the order of sums are fixed by the problem, so the result has the same bits on any number of threads.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from minires.backend import blas, machine

_settings = {"threads": None, "pool": None}
_here = threading.local()  # .busy: this thread runs a part
_running, _count = 0, threading.Lock()  # how many calls of side_by_side are under way


def threads():
    """How many parts run side by side: MINIRES_THREADS, or the cores that this process may use."""
    if _settings["threads"] is None:
        _settings["threads"] = _checked("MINIRES_THREADS", os.environ.get("MINIRES_THREADS") or machine.cores())
    return _settings["threads"]


def _checked(name, number):
    try:
        if int(number) >= 1:
            return int(number)
    except ValueError:
        pass
    raise ValueError(f"{name} is {number!r}, wanted a number of threads, 1 or more")


@contextmanager
def using_threads(number):
    """For a while, another number of threads() than the cores of this process.

    Raises  ValueError: fewer than 1.
    """
    before = threads()
    _settings["threads"] = _checked("threads", number)
    try:
        yield
    finally:
        _settings["threads"] = before


def running():
    """Whether parts are being worked on."""
    return _running > 0


def one_by_one(work, parts):
    """work(part) for each, and the sum of what they give (None where they give nothing)."""
    total = None
    for part in parts:
        total = _added(total, work(part))
    return total


def side_by_side(work, parts):
    """The same, several at a time. No part waits for another.

    Meanwhile the BLAS uses one thread for each. Raises  what the first part to fail raised.
    """
    global _running
    if getattr(_here, "busy", False):  # a part within a part
        return one_by_one(work, parts)
    workers = min(threads(), len(parts))
    with _count:
        _running += 1
    try:
        with blas.one_thread():
            return one_by_one(work, parts) if workers < 2 else _shared_out(work, parts, workers)
    finally:
        with _count:
            _running -= 1


def _shared_out(work, parts, workers):
    queue, others = _Queue(work, parts), []
    try:
        others += [_pool().submit(queue.serve) for _ in range(workers - 1)]
        queue.serve()
        _wait(others)
    except BaseException as error:  # Ctrl-C between the parts: no thread goes on behind the caller's back
        queue.error = queue.error or error
        _wait(others)
    total, queue.work, queue.total = queue.total, None, None  # a thread may still hold the queue for a moment
    if queue.error is not None:
        raise queue.error
    return total


def _wait(others):
    for other in others:
        if not other.cancel():  # one that has not begun yet has nothing left to do
            other.result()


class _Queue:
    """Parts that are taken by several threads in their order, and sums that are added up in it."""

    def __init__(self, work, parts):
        self.work, self.parts, self.taken = work, parts, 0
        self.given, self.added, self.adding, self.total, self.error = {}, 0, False, None, None
        self.lock = threading.Lock()

    def serve(self):
        """Take parts until none is left."""
        _here.busy = True
        try:
            while True:
                with self.lock:
                    i = self.taken
                    if i == len(self.parts) or self.error is not None:
                        return
                    self.taken += 1
                given = self.work(self.parts[i])
                with self.lock:
                    self.given[i] = given
                del given
                self.add()
        except BaseException as error:
            with self.lock:
                self.error = self.error or error
        finally:
            _here.busy = False

    def add(self):
        """Add what parts have given, as far as there is no gap; unless another thread is at it, which sees this one's too."""
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


def _pool():
    """One pool for the process; a child after a fork makes its own."""
    if _settings["pool"] is None or _settings["pool"][0] != (os.getpid(), threads()):
        _settings["pool"] = (os.getpid(), threads()), ThreadPoolExecutor(max(threads() - 1, 1), "minires")
    return _settings["pool"][1]


_buffers = threading.local()


def scratch(name, shape, dtype, make):
    """An array with anything in it, for a part's intermediate results: this thread's own, used again under the same name."""
    kept = _buffers.__dict__.setdefault("by_name", {})
    size = 1
    for length in shape:
        size *= length
    nbytes = size * dtype.itemsize
    if name not in kept or kept[name].nbytes < nbytes:
        kept[name] = make(nbytes, dtype="uint8")
    return kept[name][:nbytes].view(dtype).reshape(shape)
