"""How exact arithmetic is: products in TF32, mixed precision with a half type, and which types are floats."""

from functools import cache

import numpy

from minires import names
from minires.backend.library import Array, BackendError
from minires.backend.settings import name, using, xp

HALVES = ("bfloat16", "float16")


def using_tf32(allowed: bool = True) -> using:
    """using(tf32=...): cuBLAS may round float32 factors to TF32 (11 bits of mantissa, sums in float32).

    That is several times as fast on cards of compute capability 8.0 or later, and changes nothing elsewhere.
    MINIRES_TF32=1 sets the start.
    """
    return using(tf32=bool(allowed))


def autocast(half: str | None = "bfloat16") -> using:
    """using(half=...): convolutions and linear layers round float32 images and weights to a half type.

    What lies between layers then takes half the memory, and a GPU has units for such products. Weights, their gradients,
    sums, statistics and the loss stay float32.

    half  "bfloat16", with 8 bits of mantissa and the range of float32: needs the package ml_dtypes, and on a GPU CuPy 14;
        "float16", with 11 bits, up to 65,504 and down to 6e-8: its gradients need optim.GradScaler; or None for neither

    Raises  ValueError: another type. BackendError: the type is not available here.
    """
    return using(half=None if half is None else _half_type(names.check("half type", half, HALVES)))


def is_float(dtype: numpy.dtype) -> bool:
    """Whether it is a floating-point type; NumPy does not count bfloat16 among them."""
    return dtype.kind == "f" or dtype.name == "bfloat16"


def is_half(dtype: numpy.dtype) -> bool:
    """Whether it is one of the half types."""
    return dtype.itemsize == 2 and dtype.name in HALVES  # the name takes NumPy a microsecond


def accumulation_dtype(dtype: numpy.dtype) -> numpy.dtype:
    """The dtype in which numbers of a dtype are added up: float32 for half types, otherwise the same."""
    return numpy.dtype(numpy.float32) if is_half(dtype) else dtype


def upcast(x: Array) -> Array:
    """x in the dtype of its sums."""
    return x.astype(numpy.float32) if is_half(x.dtype) else x


def as_float(x: Array) -> Array:
    """x, or where it is of a half type zeros of its shape in float32: for checks that know no half types. Nothing is copied."""
    return xp.broadcast_to(xp.zeros((), dtype=numpy.float32), x.shape) if is_half(x.dtype) else x


def result_dtype(*arrays: Array | None) -> numpy.dtype:
    """The dtype of a result of all these arrays; None among them does not count."""
    return xp.result_type(*(array.dtype for array in arrays if array is not None))


def _half_type(half: str) -> numpy.dtype:
    if half == "bfloat16":
        try:
            import ml_dtypes
        except ImportError:
            cure = 'pip install ml_dtypes; or use "float16", which needs no package, with optim.GradScaler'
            raise BackendError(
                f"bfloat16 is a type of the package ml_dtypes, which is not installed: {cure}"
            ) from None
        half = ml_dtypes.bfloat16
    return _tried(numpy.dtype(half), name())


@cache
def _tried(dtype: numpy.dtype, library: str) -> numpy.dtype:
    """The type, if the library in use, which has this name, can round to it."""
    try:
        xp.ones(1, dtype=numpy.float32).astype(dtype)
    except Exception as error:
        message = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise BackendError(
            f"{library} cannot round to {dtype.name} here ({message}): CuPy has bfloat16 from version 14 on"
        ) from None
    return dtype
