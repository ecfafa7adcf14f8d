"""Launching of kernels: one thread per element, or a grid of blocks."""

from functools import cache
from pathlib import Path

import numpy

from minires.backend import xp
from minires.fast.cuda.device import address, launch

BLOCK = 256  # threads
FLOATS = {"float32": "float", "float64": "double"}
# Defined in common.h; kernels read and write them, and compute in float.
HALVES = {"float16": "Float16", "bfloat16": "Bfloat16"}
TYPES = {**FLOATS, "uint8": "unsigned char", "int32": "int", "int64": "long long"}
WIDE = 16  # bytes that a thread reads at once, from an address that is a multiple of them


def c_type(array):
    """Return the C name of a type that is only read (images, labels, positions), or None if there are no kernels for it."""
    return _named(array.dtype, False)


def c_float(first, *others, halves=False):
    """Return the C name of the float type of all these arrays, or None if they differ or there are no kernels for it.

    halves  True if there are kernels for half types
    """
    for other in others:
        if other.dtype != first.dtype:
            return None
    name = _named(first.dtype, True)
    return name if halves or name in FLOATS.values() else None


@cache
def _named(dtype, floats):
    return ({**FLOATS, **HALVES} if floats else TYPES).get(dtype.name)


def c_bool(value):
    """Return a bool in C."""
    return "true" if value else "false"


@cache
def run_length(c, dtype):
    """Return the number of neighbouring channels per thread: as many as fit in 16 bytes, or fewer if that does not divide c."""
    length = max(WIDE // dtype.itemsize, 1)
    while c % length:
        length //= 2
    return length


def dense(*arrays):
    """Return the arrays, each itself or a copy, so that they are contiguous and start at a multiple of 16 bytes. CuPy's own memory
    always does; a view, or the memory of other libraries, need not.
    """
    at = address.here()
    return [array if array.flags.c_contiguous and at(array) % WIDE == 0 else xp.array(array, order="C")
            for array in arrays]  # fmt: skip


def each(file, function, threads, *arguments, before=""):
    """Run the function in `threads` threads; it gets their number as its last argument."""
    if threads:
        blocks, arguments = (-(-threads // BLOCK), 1), (*arguments, numpy.int64(threads))
        launch(source(file, before), function, blocks, BLOCK, arguments)


def grid(file, function, blocks, block, *arguments):
    """Run the function in `blocks` (x, y) of `block` threads."""
    launch(source(file), function, blocks, block, arguments)


@cache
def source(file, before=""):
    """Return the text of a .cu file, after the text that all of them share and what the file needs `before` its own."""
    common, text = (
        (Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("common.h", file)
    )
    return common + before + text
