"""The learner's ops on chunks of the batch, several at a time.

Where an op treats each example by itself, it gives the same on a part of the batch. The parts stay in the processor's cache,
and all cores work on them: this is what minires.fast.parts does for the library's own ops. The function that runs is the
learner's, called once per chunk. Chunks depend only on the problem, and sums over them have a fixed order, so the result has
the same bits on any number of threads.

Cut are the ops in CUT. The first operand has a row per example, as the result does. The others are the same for all: each
chunk has its part of their gradients, and the parts are added up. What is not cut, and why:

    batch_norm, channel_stats   their statistics couple all examples of the batch. Channels are independent, but interleaved in
                                memory: on half of the channels each, two calls take 1.3 to 2 times as long as one call on all
    cross_entropy               so does its mean
    add, pad_shortcut, linear   they take too little of a step to gain from it
"""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from math import prod

from minires.backend import name as backend_name
from minires.backend import on_a_gpu, xp
from minires.fast import parts

# Op -> how many bytes it works on for each byte of x; for a convolution that is its columns.
CUT = {
    "conv2d": lambda x, weight=None, *_: prod(getattr(weight, "shape", (3, 3))[:2]),
    "projection": lambda *_: 2,
    "relu": lambda *_: 3,
    "max_pool2d": lambda *_: 3,
    "avg_pool2d": lambda *_: 3,
    "global_avg_pool": lambda *_: 2,
    "batch_norm_frozen": lambda *_: 4,
}
_here = ContextVar("chunk", default=None)  # the chunk that is being worked on, or None


def is_counted():
    """Return whether a call is one for the report: outside of chunks, and in the first chunk of a call."""
    chunk = _here.get()
    return chunk is None or chunk.start == 0


def cut(name, function):
    """Return the op, which runs on chunks of the batch if it is in CUT; otherwise the function itself.

    It must be safe to run in several threads at once, and between a call and its backward it may be called again: a function
    that keeps its intermediate results in a global variable, and not in its backward, is neither.
    """
    if name not in CUT:
        return function

    @wraps(function)
    def in_chunks(*inputs, **options):
        chunks = _chunks(name, inputs)
        if len(chunks) < 2:
            return function(*inputs, **options)
        x, *shared = inputs
        results, backwards = Rows(len(x)), {}

        def forward(chunk):
            made = function(x[chunk], *shared, **options)
            if made is not NotImplemented:
                y, backwards[chunk.start] = made
                results.put("y", chunk, y)

        _run(forward, chunks)
        if len(backwards) < len(chunks):
            return NotImplemented

        def backward(g):
            gradients = Rows(len(x))

            def part(chunk):
                g_x, *others = backwards[chunk.start](g[chunk])
                gradients.put("x", chunk, g_x)
                return tuple(_own(other, chunk) for other in others)

            others = _run(part, chunks)
            return gradients.arrays["x"], *others

        return results.arrays["y"], backward

    return in_chunks


class Rows:
    """Arrays with a row per example, which chunks fill. Each is made when the first chunk is ready."""

    def __init__(self, n):
        self.n, self.arrays = n, {}

    def put(self, name, chunk, rows):
        """Write a chunk's rows."""
        if (
            name not in self.arrays
        ):  # of two threads that get here at once, the first one's array stays
            self.arrays.setdefault(name, xp.empty((self.n, *rows.shape[1:]), dtype=rows.dtype))
        self.arrays[name][chunk] = rows


def _own(gradient, chunk):
    """Return a gradient that may be added to: the sum begins with the first chunk's, which may be the learner's memory."""
    return gradient.copy() if chunk.start == 0 and gradient is not None else gradient


def _chunks(name, inputs):
    """Return the slices; a single one for what isn't cut: within a chunk, on a GPU, and where there is no batch."""
    x = inputs[0] if inputs else None
    if _here.get() is not None or on_a_gpu() or getattr(x, "ndim", 0) < 2 or not x.size:
        return [slice(None)]
    bytes_each = x.nbytes // len(x) * CUT[name](*inputs)
    return parts.cut(len(x), bytes_each, sum(map(_nbytes, inputs[1:])), parts.CHUNK)


def _nbytes(operand):
    return getattr(operand, "nbytes", 0)


def _run(work, chunks):
    """Call work(chunk) for each, and return the sum of the results."""

    def within(chunk):
        with _working_on(chunk):
            return work(chunk)

    run = parts.side_by_side if backend_name() == "numpy" else parts.one_by_one
    return run(within, chunks)


@contextmanager
def _working_on(chunk):
    token = _here.set(chunk)
    try:
        yield
    finally:
        _here.reset(token)
