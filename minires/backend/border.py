"""The border between the host and the device: to_device and to_host, and errors that name an array of another library."""

from typing import Any, NoReturn

import numpy

from minires.backend.library import Array, BackendError, HostArray
from minires.backend.settings import name, settings


def is_array(value: Any) -> bool:
    """Whether `value` is an array of the backend in use."""
    return isinstance(value, settings().library.ndarray)


def to_device(array: Any) -> Array:
    """An array of the backend in use, from a NumPy array, a number or a list. Its own arrays pass through.

    The dtype stays; on "numpy" nothing is copied.
    Raises  BackendError: an array of another library.
    """
    if is_array(array):
        return array
    if isinstance(array, (numpy.ndarray, numpy.generic, list, tuple, int, float)):
        return settings().library.to_device(numpy.asarray(array))
    raise BackendError(f"to_device takes a NumPy array, got {_described(array)}")


def to_host(array: Array) -> HostArray:
    """A NumPy array, from an array of the backend in use. NumPy's own pass through.

    On "cupy" this waits for the card; on "numpy" nothing is copied.
    Raises  BackendError: an array of another library.
    """
    if is_array(array):
        return settings().library.to_host(array)
    if isinstance(array, (numpy.ndarray, numpy.generic)):
        return numpy.asarray(array)
    raise BackendError(f"to_host takes an array of {name()}, got {_described(array)}")


def refuse_foreign(value: Any, what: str) -> NoReturn:
    """Raise the error that says what came in place of an array of the backend in use, and what would fix it."""
    if not hasattr(value, "dtype"):
        raise TypeError(
            f"{what} is {_described(value)}, expected an array, a number or lists of numbers"
        )
    cure = (
        "to_device(array) moves it"
        if isinstance(value, numpy.ndarray)
        else "make it after backend.use()"
    )
    raise BackendError(f"{what} is {_described(value)}, the backend in use is {name()}: {cure}")


def _described(array: Any) -> str:
    kind = type(array)
    return f"a {kind.__module__}.{kind.__qualname__}"
