"""The settings: one frozen record, changed for the process by use() and for a block by using().

    use("cupy")                          from here on, in the whole process
    with using("strict", threads=1): ... in this block, in this thread

A block's settings live in a context variable: another thread does not see them, unless it runs work that carried() wrapped.
"""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ContextDecorator
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Self

from minires import names
from minires.backend import machine
from minires.backend.library import Library, load, load_lazily


@dataclass(frozen=True)
class Settings:
    """The settings at this moment, in this context. Its fields are the keywords of use() and using()."""

    library: Library
    threads: int | None = None  # None: MINIRES_THREADS, or the cores that this process may use
    plain: bool = False  # run the plain forms alone
    without: frozenset = frozenset()  # faster forms, or files of them, to do without
    # Name of an op -> the function that runs in its place.
    stand_ins: MappingProxyType = field(default_factory=lambda: MappingProxyType({}))
    tf32: bool = False  # may float32 factors be rounded to TF32?
    half: Any = None  # the dtype to which autocast() rounds, or None
    grad: bool = True  # do ops on tensors record the graph?
    # Which forms run, see ops/forms.py.
    chosen: dict = field(default_factory=dict, init=False, compare=False, repr=False)


_lock = threading.Lock()  # held while _default is replaced
_default = Settings(
    library=load_lazily(os.environ.get("MINIRES_BACKEND") or "numpy"),
    plain=os.environ.get("MINIRES_PLAIN", "0") not in ("", "0"),
    tf32=os.environ.get("MINIRES_TF32", "0") not in ("", "0"),
)
# Holds what differs here from the default: the _Override of the using() blocks around this point, or the Settings of carried().
_override: ContextVar["_Override | Settings | None"] = ContextVar("minires", default=None)


class _Override:
    """The changes of the open blocks, outermost first, and what they make of the default; or of `fixed` Settings in its place."""

    __slots__ = ("base", "blocks", "fixed", "result")
    base: Settings | None
    result: Any  # Settings, once there is a base

    def __init__(self, blocks: tuple, fixed: Settings | None = None) -> None:
        self.blocks, self.fixed, self.base, self.result = blocks, fixed, None, None

    def over(self, base: Settings) -> Settings:
        """The Settings that the changes make of `base`."""
        base = self.fixed or base
        if self.base is not base:
            result = base
            for _, changes in self.blocks:
                result = replace(result, **changes)
            self.result, self.base = result, base  # in this order: another thread may read them
        return self.result


def settings() -> Settings:
    """The Settings that hold here."""
    here = _override.get()
    return here.over(_default) if isinstance(here, _Override) else here or _default


def use(library: str | Library | None = None, **changes: Any) -> None:
    """Change the settings of the process, wherever no using() says otherwise.

    library  "numpy", "strict", "cupy" or "auto" (CuPy where it works, NumPy elsewhere)

    Arrays, tensors and modules made before stay with the library that made them.
    Raises  BackendError: an unknown library, or CuPy cannot work here (it says why, and what to type).
    TypeError, ValueError: an unknown setting, or a value out of range.
    """
    global _default
    changes = _checked(library, changes)
    with _lock:
        _default = replace(_default, **changes)


class using(ContextDecorator):
    """Change settings for the length of a `with` block or of a function, as use() does for the process.

    Blocks may overlap, in one thread and in many: each takes back its own change alone, however it ends.
    """

    def __init__(self, library: str | Library | None = None, **changes: Any) -> None:
        self.changes = _checked(library, changes)

    def __enter__(self) -> Self:
        here = _override.get()
        before = here if isinstance(here, _Override) else _Override((), fixed=here)
        try:
            _override.set(_Override((*before.blocks, (self, self.changes)), before.fixed))
        except BaseException:  # an interrupt right after it was set
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        override = _override.get()
        if not isinstance(override, _Override):
            return
        blocks = list(override.blocks)
        for i in reversed(range(len(blocks))):
            if blocks[i][0] is self:
                del blocks[i]
                fixed = override.fixed
                _override.set(_Override(tuple(blocks), fixed) if blocks else fixed)
                return


def carried(function: Callable) -> Callable:
    """`function` for another thread: it runs under the settings that hold here and now. One thread at a time may run it."""
    context = copy_context()
    context.run(_override.set, settings())
    return partial(context.run, function)


def _checked(library: str | Library | None, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes as fields of Settings, their values converted."""
    known = [field.name for field in fields(Settings) if field.init]
    for name in changes:
        names.check("setting", name, known, TypeError)
    changes = dict(changes)
    if library is not None:
        changes["library"] = library
    if isinstance(changes.get("library"), str):
        changes["library"] = load(changes["library"])
    elif not isinstance(changes.get("library", _default.library), Library):
        raise TypeError(f"library is {changes['library']!r}, expected a name, such as 'numpy'")
    if changes.get("threads") is not None:
        changes["threads"] = thread_count("threads", changes["threads"])
    for name in ("plain", "tf32", "grad"):
        if not isinstance(changes.get(name, False), bool):
            raise TypeError(f"{name} is {changes[name]!r}, expected True or False")
    half = changes.get("half")
    if half is not None and getattr(half, "itemsize", 0) != 2:
        raise TypeError(
            f"half is {half!r}, expected a dtype of 2 bytes or None: backend.autocast() takes a name"
        )
    if "without" in changes:
        if isinstance(changes["without"], str):
            raise TypeError(f"without is {changes['without']!r}, expected a set of names")
        changes["without"] = frozenset(changes["without"])
    if "stand_ins" in changes:
        if not isinstance(changes["stand_ins"], Mapping):
            raise TypeError(f"stand_ins is {changes['stand_ins']!r}, expected a dict of functions")
        for name, function in changes["stand_ins"].items():
            if not callable(function):
                raise TypeError(f"the stand-in for {name} is {function!r}, expected a function")
        changes["stand_ins"] = MappingProxyType(dict(changes["stand_ins"]))
    return changes


def thread_count(name: str, number: Any) -> int:
    """A number of threads, as an int.

    Raises  ValueError: it is not a whole number of 1 or more.
    """
    try:
        if int(number) >= 1 and float(number) == int(number):
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{name} is {number!r}, expected a number of threads, 1 or more")


def threads() -> int:
    """The number of threads that share an op's work: the setting, or MINIRES_THREADS, or the cores this process may use."""
    number = settings().threads
    return number or thread_count(
        "MINIRES_THREADS", os.environ.get("MINIRES_THREADS") or machine.cores()
    )


def on_a_gpu() -> bool:
    """Return True if the library in use runs CUDA kernels."""
    library = settings().library
    return "cupy" in (library.name, library.family)


def using_threads(number: int | None) -> using:
    """using(threads=number)."""
    return using(threads=number)


def name() -> str:
    """The name of the backend in use: "numpy", "strict" or "cupy"."""
    return settings().library.name


class _Namespace:
    """The current library's functions, looked up late, so that a switch reaches code imported before it."""

    @property
    def ndarray(self) -> type:
        """The type of its arrays; found faster than by name, as each op asks for it."""
        return settings().library.ndarray

    def __getattr__(self, name: str) -> Any:
        return getattr(settings().library.module, name)

    def __dir__(self) -> list[str]:
        return dir(settings().library.module)

    def __repr__(self) -> str:
        return f"<the functions of {name()}>"


xp = _Namespace()
