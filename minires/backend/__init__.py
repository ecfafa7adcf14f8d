"""Which array library does the arithmetic: the one package that names NumPy or CuPy for it.

    from minires.backend import xp       read as np; the library is looked up at each use
    backend.use("cupy")                  from here on, on the GPU
    with backend.using("strict"): ...    for a while

MINIRES_BACKEND sets the start; without it, NumPy.
"""

import os
from contextlib import contextmanager
from typing import Any, Callable, NamedTuple

import numpy

from minires import names

__all__ = ["BackendError", "in_parts", "is_array", "name", "to_device", "to_host", "use", "using", "xp"]

class BackendError(Exception):
    """The backend cannot do what was asked: it is unknown, does not work here, or the array is another's."""


class Library(NamedTuple):
    """What minires needs to know of an array library."""

    name: str
    module: Any  # what xp stands for
    ndarray: type
    to_device: Callable  # numpy.ndarray -> ndarray
    to_host: Callable  # ndarray -> numpy.ndarray
    part: int | None = 2 << 20  # bytes of a part's intermediate results, to stay in the cache; None: a batch is not cut


def _numpy():
    return Library("numpy", numpy, numpy.ndarray, lambda array: array, lambda array: array)


def _strict():
    from minires.backend import strict

    return Library("strict", strict, strict.Array, strict.to_device, strict.to_host)


def _cupy():
    from minires.backend import card

    try:
        cupy = card.load()
    except card.Unusable as why:
        raise BackendError(str(why)) from None
    return Library("cupy", cupy, cupy.ndarray, cupy.asarray, cupy.asnumpy, part=None)


def _auto():
    try:
        return _cupy()
    except BackendError:
        return _numpy()


LOADERS = {"numpy": _numpy, "strict": _strict, "cupy": _cupy, "auto": _auto}


def _load(name):
    return LOADERS[names.check("backend", name, LOADERS, BackendError)]()


class _Failed:
    """In the place of a library that MINIRES_BACKEND asked for in vain: the first use of it raises why."""

    def __init__(self, error):
        self._error = error

    def __getattr__(self, attribute):
        raise self._error


def _start(name):
    try:
        return _load(name)
    except BackendError as error:
        return _Failed(BackendError(f"MINIRES_BACKEND={name}: {error}"))


class _Namespace:
    """The current library's functions, looked up late, so that a switch reaches code imported before it."""

    def __getattr__(self, name):
        return getattr(_current.module, name)

    def __dir__(self):
        return dir(_current.module)

    def __repr__(self):
        return f"<the functions of {_current.name}>"


def use(name):
    """Switch to "numpy", "strict", "cupy" or "auto" (CuPy where it works, else NumPy).

    Arrays, tensors and modules made before stay with the library that made them.
    Raises  BackendError: an unknown name, or CuPy cannot work here (it says why, and what to type).
    """
    global _current
    _current = _load(name)


@contextmanager
def using(name):
    """Switch for the length of a `with` block, then back."""
    global _current
    before = _current
    use(name)
    try:
        yield
    finally:
        _current = before


def name():
    """The name of the backend in use: "numpy", "strict" or "cupy"."""
    return _current.name


def is_array(value):
    """Whether `value` is an array of the backend in use."""
    return isinstance(value, _current.ndarray)


def to_device(array):
    """An array of the backend in use, from a NumPy array, a number or a list. Its own arrays pass through.

    The type of the elements stays; on "numpy" nothing is copied.
    Raises  BackendError: an array of another library.
    """
    if is_array(array):
        return array
    if isinstance(array, (numpy.ndarray, numpy.generic, list, tuple, int, float)):
        return _current.to_device(numpy.asarray(array))
    raise BackendError(f"to_device takes a NumPy array, got {_described(array)}")


def to_host(array):
    """A NumPy array, from an array of the backend in use. NumPy's own pass through.

    On "cupy" this waits for the card; on "numpy" nothing is copied.
    Raises  BackendError: an array of another library.
    """
    if is_array(array):
        return _current.to_host(array)
    if isinstance(array, (numpy.ndarray, numpy.generic)):
        return numpy.asarray(array)
    raise BackendError(f"to_host takes an array of {_current.name}, got {_described(array)}")


def in_parts(n, size):
    """Slices that cut n examples into parts, one after the other.

    size  the bytes of intermediate results for one example: those of a part stay in the processor's cache. On a GPU
          there is one part. The cut depends on n and size alone, and so does every sum over parts.
    """
    length = n if _current.part is None else max(_current.part // max(size, 1), 1)
    return [slice(i, min(i + length, n)) for i in range(0, n, max(length, 1))]


def refuse_foreign(value, what):
    """Raise the error that names what came in place of an array of the backend in use, and what would mend it."""
    if not hasattr(value, "dtype"):
        raise TypeError(f"{what} is {_described(value)}, wanted an array, a number or lists of numbers")
    cure = "to_device(array) moves it" if isinstance(value, numpy.ndarray) else "make it after backend.use()"
    raise BackendError(f"{what} is {_described(value)}, the backend in use is {_current.name}: {cure}")


def _described(array):
    kind = type(array)
    return f"a {kind.__module__}.{kind.__qualname__}"


xp = _Namespace()
_current = _start(os.environ.get("MINIRES_BACKEND") or "numpy")
