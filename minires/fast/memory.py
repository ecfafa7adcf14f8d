"""Arrays that begin at a cache line, for the results of the faster forms.

NumPy's arrays begin anywhere, and then each 64 bytes that an AVX-512 processor writes at once span two cache lines. From the
cache, an elementwise op takes up to twice as long with such a result.
"""

import math

import numpy

from minires.backend import xp
from minires.ops.forms import faster, has_forms

LINE = 64  # bytes of a cache line
SMALL = 4096  # bytes; smaller arrays gain nothing


@has_forms
def empty(shape, dtype):
    """Return an uninitialised array."""
    return xp.empty(shape, dtype=dtype)


@faster(empty, on="numpy")
def empty_at_a_line(shape, dtype):
    """Return an array that begins at a cache line."""
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < SMALL:
        return numpy.empty(shape, dtype)
    return bytes_at_a_line(nbytes).view(dtype).reshape(shape)


def bytes_at_a_line(nbytes):
    """Return an uninitialised array of bytes that begins at a cache line."""
    memory = numpy.empty(nbytes + LINE, "uint8")
    start = -memory.__array_interface__["data"][0] % LINE
    return memory[start : start + nbytes]
