"""Launching of kernels: one thread per element, or a grid of blocks."""

from functools import cache
from pathlib import Path

import numpy

from minires.fast.cuda.device import launch

BLOCK = 256  # threads
FLOATS = {"float32": "float", "float64": "double"}
# Defined in common.h; kernels read and write them, and compute in float.
HALVES = {"float16": "Float16", "bfloat16": "Bfloat16"}
TYPES = {**FLOATS, "uint8": "unsigned char", "int32": "int", "int64": "long long"}


def c_type(array):
    """Return the C name of a type that is only read (images, labels, positions), or None if there are no kernels for it."""
    return TYPES.get(array.dtype.name)


def c_float(*arrays, halves=False):
    """Return the C name of the float type of all these arrays, or None if they differ or there are no kernels for it.

    halves  True if there are kernels for half types
    """
    names = {array.dtype.name for array in arrays}
    return (
        ({**FLOATS, **HALVES} if halves else FLOATS).get(names.pop()) if len(names) == 1 else None
    )


def c_bool(value):
    """Return a bool in C."""
    return "true" if value else "false"


def run_length(c, dtype):
    """Return the number of neighbouring channels per thread: as many as fit in 16 bytes, or fewer if that does not divide c."""
    length = max(16 // dtype.itemsize, 1)
    while c % length:
        length //= 2
    return length


def each(file, function, threads, *arguments, before=""):
    """Run the function in `threads` threads; it gets their number as its last argument."""
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
    """Run function(*arguments) in `blocks` (x, y) of `block` threads. Ints are passed as int, bools in the function's name.

    before  C code that the file needs before its own
    """
    arguments = [
        numpy.int32(argument) if type(argument) is int else argument for argument in arguments
    ]
    launch(source(file, before), function, blocks, block, arguments)


@cache
def source(file, before=""):
    """Return the text of a .cu file, after the text that all of them share."""
    common, text = (
        (Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("common.h", file)
    )
    return common + before + text
