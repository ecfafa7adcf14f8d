"""How exact arithmetic is, by two switches: products in TF32, and mixed precision with a half type."""

import os
from contextlib import contextmanager
from functools import cache, wraps

import numpy

from minires import names

HALVES = ("bfloat16", "float16")
_tf32 = os.environ.get("MINIRES_TF32", "0") not in ("", "0")
_half = None  # the dtype of using_mixed


@contextmanager
def using_tf32(wanted=True):
    """For a while cuBLAS may round float32 factors to TF32 (11 bits of mantissa, sums in float32): several times as fast on
    cards of compute capability 8.0 or higher. Elsewhere nothing changes. MINIRES_TF32=1 sets the start.
    """
    global _tf32
    before, _tf32 = _tf32, bool(wanted)
    try:
        yield
    finally:
        _tf32 = before


def tf32():
    """Whether products may be rounded so."""
    return _tf32


@contextmanager
def using_mixed(half="bfloat16"):
    """For a while convolutions and linear layers round float32 images and weights to a half type: what lies between layers takes
    half the memory, and a card has units for such products. Weights, gradients of weights, sums, statistics and the loss
    stay float32.

    half  "bfloat16", with 8 bits of mantissa and the range of float32: it needs the package ml_dtypes, and on a GPU CuPy 14;
        "float16", with 11 bits, up to 65,504 and down to 6e-8: its gradients need optim.GradScaler; or None for neither

    Raises  ValueError: another type. BackendError: it cannot be had here.
    """
    global _half
    before, _half = _half, None if half is None else _type(names.check("half type", half, HALVES))
    try:
        yield
    finally:
        _half = before


def to_half(array):
    """A float32 array in the type of using_mixed; as it is where that is off, and so is all else."""
    return array.astype(_half) if _half is not None and getattr(array, "dtype", None) == numpy.float32 else array


def mixed(op):
    """Say of an op that its float32 operands are rounded to the type of using_mixed."""

    @wraps(op)
    def rounding(*operands, **options):
        return op(*map(to_half, operands), **{name: to_half(value) for name, value in options.items()})

    return rounding


def is_float(dtype):
    """Whether it is a type of floating-point numbers; NumPy does not count bfloat16 among them."""
    return dtype.kind == "f" or dtype.name == "bfloat16"


def is_half(dtype):
    """Whether it is one of the half types."""
    return dtype.name in HALVES


def sum_type(dtype):
    """The type in which numbers of a type are added up: float32 for half types, otherwise the same."""
    return numpy.dtype(numpy.float32) if is_half(dtype) else dtype


def widened(x):
    """x in the type of its sums."""
    return x.astype(numpy.float32) if is_half(x.dtype) else x


def _type(half):
    from minires import backend

    if half == "bfloat16":
        try:
            import ml_dtypes
        except ImportError:
            cure = 'pip install ml_dtypes; or "float16", which needs no package but optim.GradScaler'
            raise backend.BackendError(f"bfloat16 is a type of the package ml_dtypes, which is not installed: {cure}") from None
        half = ml_dtypes.bfloat16
    return _tried(numpy.dtype(half), backend.name())


@cache
def _tried(dtype, name):
    """The type, if the backend of this name, which is in use, can round to it."""
    from minires import backend

    try:
        backend.xp.ones(1, dtype=numpy.float32).astype(dtype)
    except Exception as error:  # noqa: BLE001  of a type, or of a compiler
        told = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise backend.BackendError(f"{name} cannot round to {dtype.name} here ({told}): CuPy has bfloat16 from 14 on") from None
    return dtype
