"""Array libraries: the facts about each that minires needs, and the functions that load them."""

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import numpy

from minires import names

Array = Any  # an array of the backend in use, whose library is known only at run time
HostArray = numpy.ndarray  # an array on the host, as to_host returns it
HostScalar = (
    numpy.generic
)  # what NumPy's reductions return, of any kind: numpy.float32(1), numpy.bool_(True)


class BackendError(Exception):
    """A backend that is unknown or does not work here, or an array that belongs to a different library."""


class Library(NamedTuple):
    """An array library. `family`, if not empty, is the library whose faster forms it runs as well."""

    name: str
    module: Any  # what xp stands for
    ndarray: type
    to_device: Callable  # numpy.ndarray -> ndarray
    to_host: Callable  # ndarray -> numpy.ndarray
    family: str = ""


def _numpy() -> Library:
    return Library("numpy", numpy, numpy.ndarray, _same, _same)


def _same(array: numpy.ndarray) -> numpy.ndarray:
    return array


def _strict() -> Library:
    from minires.backend import strict

    return Library("strict", strict, strict.Array, strict.to_device, strict.to_host)


def _cupy() -> Library:
    from minires.backend import card

    try:
        cupy = card.load()
    except card.Unusable as why:
        raise BackendError(str(why)) from None
    return Library("cupy", cupy, cupy.ndarray, cupy.asarray, cupy.asnumpy)


def _auto() -> Library:
    try:
        return _cupy()
    except BackendError:
        return _numpy()


LOADERS = {"numpy": _numpy, "strict": _strict, "cupy": _cupy, "auto": _auto}


def load(name: str) -> Library:
    """Return the library with this name: "numpy", "strict", "cupy", or "auto" for CuPy if it works, and NumPy otherwise.

    Raises  BackendError: an unknown name, or a library that does not work here (the message says why).
    """
    return LOADERS[names.check("backend", name, LOADERS, BackendError)]()


class _Failed:
    """A placeholder for a library that MINIRES_BACKEND names and that cannot be loaded: its first use raises the reason."""

    def __init__(self, error: BackendError) -> None:
        self._error = error

    def __getattr__(self, attribute: str) -> NoReturn:
        raise self._error


def load_lazily(name: str) -> Any:
    """Load a library; an error is raised only when the library is used, so that `import minires` never fails."""
    try:
        return load(name)
    except BackendError as error:
        return _Failed(BackendError(f"MINIRES_BACKEND={name}: {error}"))
