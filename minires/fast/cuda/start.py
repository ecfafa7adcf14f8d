"""How kernels are started: a thread for each number, or a grid of blocks."""

from functools import cache
from pathlib import Path

import numpy

from minires.fast.cuda.device import launch

BLOCK = 256  # threads
FLOATS = {"float32": "float", "float64": "double"}
# In common.h; they are read, written, and summed in float.
HALVES = {"float16": "Float16", "bfloat16": "Bfloat16"}
TYPES = {**FLOATS, "uint8": "unsigned char", "int32": "int", "int64": "long long"}


def c_type(array):
    """The C name of the type of numbers that are read: images, labels, places. None where there are no kernels for it."""
    return TYPES.get(array.dtype.name)


def c_float(*arrays, halves=False):
    """The C name of the type of all of these, of numbers that are computed with; None where it is not one, or has no kernels.

    halves  whether a half type has
    """
    names = {array.dtype.name for array in arrays}
    return (
        ({**FLOATS, **HALVES} if halves else FLOATS).get(names.pop()) if len(names) == 1 else None
    )


def c_bool(value):
    """As C writes it."""
    return "true" if value else "false"


def run_length(c, dtype):
    """How many neighbouring channels a thread takes: what 16 bytes hold, or less where that does not divide c."""
    length = max(16 // dtype.itemsize, 1)
    while c % length:
        length //= 2
    return length


def each(file, function, threads, *arguments, before=""):
    """A thread for each of so many; the function gets their number as its last argument."""
    if threads:
        grid(
            file,
            function,
            (-(-threads // BLOCK), 1),
            BLOCK,
            *arguments,
            numpy.int64(threads),
            before=before,
        )


def grid(file, function, blocks, block, *arguments, before=""):
    """function(*arguments) by blocks (x, y) of so many threads. Ints go as int, bools in the function's name.

    before  a text that the file's needs before it
    """
    arguments = [
        numpy.int32(argument) if type(argument) is int else argument for argument in arguments
    ]
    launch(source(file, before), function, blocks, block, arguments)


@cache
def source(file, before=""):
    """The text of a .cu file, with what all of them share before it."""
    common, text = (
        (Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("common.h", file)
    )
    return common + before + text
