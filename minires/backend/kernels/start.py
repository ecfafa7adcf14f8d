"""How kernels are started: a thread for each number, or a grid of blocks."""

from functools import cache
from pathlib import Path

import numpy

from minires import backend

BLOCK = 256  # threads
FLOATS = {"float32": "float", "float64": "double"}
TYPES = {**FLOATS, "uint8": "unsigned char", "int32": "int", "int64": "long long"}


def c_type(array):
    """The C name of the type of numbers that are read: images, labels, places. None where there are no kernels for it."""
    return TYPES.get(array.dtype.name)


def c_float(*arrays):
    """The C name of the type of all of these, of numbers that are computed with; None where it is not one, or has no kernels."""
    names = {array.dtype.name for array in arrays}
    return FLOATS.get(names.pop()) if len(names) == 1 else None


def c_bool(value):
    """As C writes it."""
    return "true" if value else "false"


def run_length(c, dtype):
    """How many neighbouring channels a thread takes: what 16 bytes hold, or less where that does not divide c."""
    length = max(16 // dtype.itemsize, 1)
    while c % length:
        length //= 2
    return length


def each(file, function, threads, *arguments):
    """A thread for each of so many; the function gets their number as its last argument."""
    if threads:
        grid(file, function, (-(-threads // BLOCK), 1), BLOCK, *arguments, numpy.int64(threads))


def grid(file, function, blocks, block, *arguments):
    """function(*arguments) by blocks (x, y) of so many threads. Ints go as int, bools in the function's name."""
    arguments = [numpy.int32(argument) if type(argument) is int else argument for argument in arguments]
    backend.launch(source(file), function, blocks, block, arguments)


@cache
def source(file):
    """The text of a .cu file, with what all of them share before it."""
    return "".join((Path(__file__).parent / name).read_text() for name in ("common.h", file))
