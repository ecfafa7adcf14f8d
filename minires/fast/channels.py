"""The channels of a batch: their sums and statistics, a chunk of the batch at a time.

Replaces ops.channel_stats. Batch norm in one pass over memory (minires.fast.onepass) is made of these parts.
"""

import numpy

from minires.backend import upcast, xp
from minires.fast.parts import scratch, sum_over_chunks
from minires.ops.forms import faster
from minires.ops.norm import check_values
from minires.ops.reduce import total


def are_centred(mean, var):
    """Return True if x * slope - mean * slope may replace (x - mean) * slope, which takes one more pass over memory.

    Each mean must be within four standard deviations of 0, which costs two bits; further away, digits are lost. Arrays other than
    NumPy's are not looked at: on a GPU, the program would have to wait for their numbers.
    """
    return type(mean) is numpy.ndarray and bool((mean * mean <= 16 * var).all())


@faster("channel_stats")
def stats_in_chunks(x):
    """channel_stats, chunk by chunk: the variance is the sum of the variances within the chunks and between their means.

    Within a chunk, the variance is E[x^2] - E[x]^2 if the mean is small. Otherwise a second pass sums x minus its mean, and corrects
    the first, because the mean has been rounded. So even a mean of 1000 standard deviations costs no accuracy.
    Source  Chan, Golub and LeVeque 1983, eq. 1.7.
    """
    x = upcast(x)
    check_values("channel_stats", x, at_least=1)
    rows, found = ChannelRows(x), {}

    def chunk_stats(chunk):
        values = rows.of(x, chunk)
        m = values.size // rows.c
        rounded = rows.sum(values) / m
        squares = rows.sum(values, values) - m * rounded * rounded
        if are_centred(rounded, squares / m):
            found[chunk.start] = m, rounded, xp.zeros_like(rounded), squares
            return
        deviation = xp.subtract(values, rows.wide(rounded), out=rows.scratch("deviation", chunk))
        rest = rows.sum(deviation) / m
        squares = rows.sum(deviation, deviation) - m * rest * rest
        found[chunk.start] = m, rounded, rest, xp.maximum(squares, 0)

    sum_over_chunks(chunk_stats, len(x), rows.size(2))
    if len(found) == 1:
        ((m, rounded, rest, squares),) = found.values()
        return rounded + rest, squares / m
    counts, rounded, rests, squares = zip(*(found[start] for start in sorted(found)))
    shares, base = [m / sum(counts) for m in counts], rounded[0]
    # The chunks' means relative to the first; small, so exact.
    offsets = [(r - base) + rest for r, rest in zip(rounded, rests)]
    offset = sum(share * o for share, o in zip(shares, offsets))
    between = sum(share * (o - offset) ** 2 for share, o in zip(shares, offsets))
    return base + offset, sum(squares) / sum(counts) + between


ROWS = 512  # rows that are summed in float32
RUN = 512  # elements per row, roughly: pixels of few channels are joined with their neighbours


class ChannelRows:
    """An array (N, ..., C) as rows of whole pixels: as many per row as make it about RUN long and divide the image."""

    def __init__(self, x):
        self.c = x.shape[-1]
        self.n, self.values, self.dtype = len(x), x.size // max(len(x), 1), x.dtype
        pixels = self.values // self.c
        self.pixels = next(k for k in range(max(-(-RUN // self.c), 1), 0, -1) if pixels % k == 0)

    def of(self, array, part):
        """Return a part of the batch as rows: a view."""
        return array[part].reshape(-1, self.pixels * self.c)

    def wide(self, vector):
        """Repeat one number per channel for each pixel of a row."""
        pixels = xp.empty((self.pixels, self.c), dtype=vector.dtype)
        pixels[...] = vector
        return pixels.reshape(-1)

    def scratch(self, name, part):
        """Return scratch memory for a part's rows."""
        rows = (part.stop - part.start) * self.values // (self.pixels * self.c)
        return scratch(name, (rows, self.pixels * self.c), self.dtype)

    def sum(self, rows, factors=None):
        """Return the sum of each channel (C,), or of its products with `factors` if given; ROWS at a time, as a longer sum
        in float32 would lose digits.
        """
        sums = []
        for i in range(0, max(len(rows), 1), ROWS):
            part = rows[i : i + ROWS]
            if factors is None:
                sums.append(xp.ones(len(part), dtype=part.dtype) @ part)
            else:
                # In C order, whatever the order in memory: einsum rounds differently in others.
                pair = map(xp.ascontiguousarray, (part, factors[i : i + ROWS]))
                sums.append(xp.einsum("ij,ij->j", *pair))
        few = sums[0] if len(sums) == 1 else xp.concatenate(sums)
        return total(few.reshape(-1, self.c), axis=0)

    def size(self, arrays):
        """Return the bytes of an example in this number of arrays."""
        return arrays * self.values * self.dtype.itemsize
