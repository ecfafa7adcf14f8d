"""Precision: products in TF32, mixed precision with a half type, and the types that are floats."""

from functools import cache
from typing import NamedTuple

import numpy

from minires import names
from minires.backend.library import Array, BackendError
from minires.backend.settings import name, using, xp

HALVES = ("bfloat16", "float16")


def using_tf32(allowed: bool = True) -> using:
    """Context manager: let cuBLAS round float32 factors to TF32 (11 bits of mantissa, sums in float32).

    This is several times faster on GPUs of compute capability 8.0 or later, and changes nothing elsewhere.
    MINIRES_TF32=1 switches it on from the start.
    """
    return using(tf32=bool(allowed))


def autocast(half: str | None = "bfloat16") -> using:
    """Context manager: convolutions and linear layers round float32 images and weights to a half type.

    Activations then take half the memory, and a GPU has special units for such products. Weights, their gradients,
    sums, statistics and the loss stay float32.

    half  "bfloat16", with 8 bits of mantissa and the range of float32: needs the package ml_dtypes, and on a GPU CuPy 14;
        "float16", with 11 bits, up to 65,504 and down to 6e-8: its gradients need optim.GradScaler; or None to switch it off

    Raises  ValueError: an unknown type. BackendError: the type is not available here.
    """
    return using(half=None if half is None else _half_type(names.check("half type", half, HALVES)))


def is_float(dtype: numpy.dtype) -> bool:
    """Return True if this is a floating-point type; NumPy does not count bfloat16 as one."""
    return dtype.kind == "f" or dtype.name == "bfloat16"


@cache  # as looking up the name takes NumPy a microsecond
def is_half(dtype: numpy.dtype) -> bool:
    """Return True if this is one of the half types."""
    return dtype.itemsize == 2 and dtype.name in HALVES


@cache
def accumulation_dtype(dtype: numpy.dtype) -> numpy.dtype:
    """Return the dtype in which numbers of this dtype are summed: float32 for half types, otherwise the same."""
    return numpy.dtype(numpy.float32) if is_half(dtype) else dtype


def upcast(x: Array) -> Array:
    """Convert x to the dtype of its sums."""
    return x.astype(numpy.float32) if is_half(x.dtype) else x


class Outline(NamedTuple):
    """The properties of an array that checks look at."""

    shape: tuple[int, ...]
    ndim: int
    size: int
    dtype: numpy.dtype


def as_float(x: Array) -> Array | Outline:
    """Return x, or for a half type its outline as float32, for checks that do not know half types."""
    dtype = numpy.dtype(numpy.float32)
    return Outline(x.shape, x.ndim, x.size, dtype) if is_half(x.dtype) else x


def result_dtype(*arrays: Array | None) -> numpy.dtype:
    """Return the dtype of a result of all these arrays, some of which may be None."""
    return numpy.result_type(*[array.dtype for array in arrays if array is not None])


def _half_type(half: str) -> numpy.dtype:
    if half == "bfloat16":
        try:
            import ml_dtypes
        except ImportError:
            cure = 'pip install ml_dtypes; or use "float16", which needs no package, with optim.GradScaler'
            raise BackendError(
                f"bfloat16 needs the package ml_dtypes, which is not installed: {cure}"
            ) from None
        half = ml_dtypes.bfloat16
    return _tried(numpy.dtype(half), name())


@cache
def _tried(dtype: numpy.dtype, library: str) -> numpy.dtype:
    """Return the type, if the library in use, which has this name, can round to it."""
    try:
        xp.ones(1, dtype=numpy.float32).astype(dtype)
    except Exception as error:
        message = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise BackendError(
            f"{library} cannot round to {dtype.name} here ({message}): CuPy has bfloat16 in version 14 or later"
        ) from None
    return dtype
