"""The settings: one frozen record, changed for the process by use() and for a block by using().

    use("cupy")                          from here on, in the whole process
    with using("strict", threads=1): ... in this block, in this thread

A block's settings live in a context variable: another thread does not see them, unless it runs work that carried() wrapped.
"""

import os
import threading
from contextlib import ContextDecorator
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from minires import names
from minires.backend import machine
from minires.backend.library import Library, load, load_lazily


@dataclass(frozen=True)
class Settings:
    """What holds at this moment, in this context. Its fields are the keywords of use() and using()."""

    library: Library
    threads: int | None = None  # None: MINIRES_THREADS, or the cores that this process may use
    plain: bool = False  # run the plain forms alone
    without: frozenset = frozenset()  # faster forms, or files of them, to do without
    stand_ins: MappingProxyType = field(default_factory=lambda: MappingProxyType({}))  # name of an op -> the function that runs in its place
    tf32: bool = False  # may float32 factors be rounded to TF32?
    half: Any = None  # the dtype to which autocast() rounds, or None
    grad: bool = True  # do ops on tensors record the graph?
    chosen: dict = field(default_factory=dict, init=False, compare=False, repr=False)  # which forms run, see ops/forms.py


_lock = threading.Lock()  # held while _default is replaced
_default = Settings(
    library=load_lazily(os.environ.get("MINIRES_BACKEND") or "numpy"),
    plain=os.environ.get("MINIRES_PLAIN", "0") not in ("", "0"),
    tf32=os.environ.get("MINIRES_TF32", "0") not in ("", "0"),
)
_override = ContextVar("minires", default=None)  # the _Override of the blocks of using() around this point


class _Override:
    """The changes of the open blocks, outermost first, and what they make of the default; or of `fixed` Settings in its place."""

    __slots__ = ("base", "blocks", "fixed", "result")

    def __init__(self, blocks, fixed=None):
        self.blocks, self.fixed, self.base, self.result = blocks, fixed, None, None

    def over(self, base):
        """The Settings that the changes make of `base`."""
        base = self.fixed or base
        if self.base is not base:
            result = base
            for _, changes in self.blocks:
                result = replace(result, **changes)
            self.result, self.base = result, base  # in this order: another thread may read them
        return self.result


def settings():
    """The Settings that hold here."""
    override = _override.get()
    return _default if override is None else override.over(_default)


def use(library=None, **changes):
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

    def __init__(self, library=None, **changes):
        self.changes = _checked(library, changes)

    def _recreate_cm(self):
        return using(**self.changes)

    def __enter__(self):
        before = _override.get()
        blocks = () if before is None else before.blocks
        try:
            _override.set(_Override((*blocks, (self, self.changes)), before and before.fixed))
        except BaseException:  # an interrupt right after it was set
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        override = _override.get()
        blocks = [] if override is None else list(override.blocks)
        for i in reversed(range(len(blocks))):
            if blocks[i][0] is self:
                del blocks[i]
                _override.set(_Override(tuple(blocks), override.fixed) if blocks or override.fixed else None)
                return


def carried(function):
    """`function` for another thread: it runs under the settings that hold here and now. One thread at a time may run it."""
    context = copy_context()
    context.run(_override.set, _Override((), fixed=settings()))
    return partial(context.run, function)


def _checked(library, changes):
    """The changes as fields of Settings, their values converted."""
    known = [field.name for field in fields(Settings) if field.init]
    for name in changes:
        names.check("setting", name, known, TypeError)
    changes = dict(changes)
    if library is not None:
        changes["library"] = library
    if isinstance(changes.get("library"), str):
        changes["library"] = load(changes["library"])
    if changes.get("threads") is not None:
        changes["threads"] = thread_count("threads", changes["threads"])
    if "stand_ins" in changes:
        changes["stand_ins"] = MappingProxyType(dict(changes["stand_ins"]))
    if "without" in changes:
        changes["without"] = frozenset(changes["without"])
    return changes


def thread_count(name, number):
    """A number of threads, as an int.

    Raises  ValueError: it is no whole number of 1 or more.
    """
    try:
        if int(number) >= 1:
            return int(number)
    except ValueError:
        pass
    raise ValueError(f"{name} is {number!r}, expected a number of threads, 1 or more")


def threads():
    """How many threads share an op's work: the setting, else MINIRES_THREADS, else the cores that this process may use."""
    number = settings().threads
    return number or thread_count("MINIRES_THREADS", os.environ.get("MINIRES_THREADS") or machine.cores())


def on_a_gpu():
    """Whether the library in use runs CUDA kernels."""
    library = settings().library
    return "cupy" in (library.name, library.family)


def using_threads(number):
    """using(threads=number)."""
    return using(threads=number)


def name():
    """The name of the backend in use: "numpy", "strict" or "cupy"."""
    return settings().library.name


class _Namespace:
    """The current library's functions, looked up late, so that a switch reaches code imported before it."""

    def __getattr__(self, name):
        return getattr(settings().library.module, name)

    def __dir__(self):
        return dir(settings().library.module)

    def __repr__(self):
        return f"<the functions of {name()}>"


xp = _Namespace()
