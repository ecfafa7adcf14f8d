"""The border between the host and the device: to_device and to_host, and errors about arrays of a different library."""

from typing import Any, NoReturn

import numpy

from minires.backend.library import Array, BackendError, HostArray
from minires.backend.settings import name, settings


def is_array(value: Any) -> bool:
    """Return True if `value` is an array of the backend in use."""
    return isinstance(value, settings().library.ndarray)


def to_device(array: Any) -> Array:
    """Return an array of the backend in use, from a NumPy array, a number or a list. Its own arrays are returned unchanged.

    The dtype stays the same; on "numpy" nothing is copied.
    Raises  BackendError: an array of a different library.
    """
    if is_array(array):
        return array
    if isinstance(array, (numpy.ndarray, numpy.generic, list, tuple, int, float)):
        return settings().library.to_device(numpy.asarray(array))
    raise BackendError(f"to_device: expected a NumPy array, got {_described(array)}")


def to_host(array: Array) -> HostArray:
    """Return a NumPy array, from an array of the backend in use. NumPy's own arrays are returned unchanged.

    On "cupy" this waits for the GPU; on "numpy" nothing is copied.
    Raises  BackendError: an array of a different library.
    """
    if is_array(array):
        return settings().library.to_host(array)
    if isinstance(array, (numpy.ndarray, numpy.generic)):
        return numpy.asarray(array)
    raise BackendError(f"to_host: expected an array of {name()}, got {_described(array)}")


def refuse_foreign(value: Any, where: str) -> NoReturn:
    """Raise the error about a value that is not an array of the backend in use. It says what would fix it."""
    if not hasattr(value, "dtype"):
        raise TypeError(
            f"{where}: expected an array, a number or lists of numbers, got {_described(value)}"
        )
    cure = (
        "to_device(array) moves it"
        if isinstance(value, numpy.ndarray)
        else "create it after backend.use()"
    )
    raise BackendError(f"{where}: expected an array of {name()}, got {_described(value)}: {cure}")


def _described(array: Any) -> str:
    kind = type(array)
    return f"a {kind.__module__}.{kind.__qualname__}"
