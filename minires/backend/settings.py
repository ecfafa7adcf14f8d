"""The settings: one frozen record, changed for the process by use() and for a block by using().

    use("cupy")                          from now on, in the whole process
    with using("strict", threads=1): ... in this block, in this thread

A block's settings are in a context variable: other threads do not see them, except in functions that carried() wrapped.
"""

import inspect
import os
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, fields, replace
from functools import partial, wraps
from types import MappingProxyType
from typing import Any, Self

from minires import names
from minires.backend import machine
from minires.backend.library import Library, load, load_lazily


@dataclass(frozen=True)
class Settings:
    """The settings in effect here and now. The fields are the keywords of use() and using()."""

    library: Library
    threads: int | None = None  # None: MINIRES_THREADS, or the cores that this process may use
    plain: bool = False  # run plain forms only
    without: frozenset = frozenset()  # faster forms, or files of them, that are switched off
    # Name of an op -> the function that runs instead of it.
    stand_ins: MappingProxyType = field(default_factory=lambda: MappingProxyType({}))
    tf32: bool = False  # float32 factors may be rounded to TF32
    cuda_graph: bool = False  # train_epoch on a GPU launches each step as one
    half: Any = None  # the dtype to which autocast() rounds, or None
    grad: bool = True  # ops on tensors record the graph
    # The forms that run, see ops/forms.py.
    chosen: dict = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def on_one_thread(self) -> "Settings":
        """The same settings with threads=1, for the threads that share an op's work. Made once, as forms are chosen once each."""
        if "_on_one_thread" not in vars(self):
            vars(self)["_on_one_thread"] = replace(self, threads=1)
        return vars(self)["_on_one_thread"]


_lock = threading.Lock()  # held while _default is replaced
_default = Settings(
    library=load_lazily(os.environ.get("MINIRES_BACKEND") or "numpy"),
    plain=os.environ.get("MINIRES_PLAIN", "0") not in ("", "0"),
    tf32=os.environ.get("MINIRES_TF32", "0") not in ("", "0"),
    cuda_graph=os.environ.get("MINIRES_CUDA_GRAPH", "0") not in ("", "0"),
)
# What differs here from the default: the _Override of the using() blocks around this point, or the Settings of carried().
_override: ContextVar["_Override | Settings | None"] = ContextVar("minires", default=None)


class _Override:
    """The blocks around this point, outermost first, and the Settings they make of the default, or of `fixed` Settings instead.

    blocks  (lock, changes) of each: a block is open while its lock is held
    """

    __slots__ = ("blocks", "fixed", "made")
    made: tuple  # (base, blocks, the Settings made of them): one tuple, as threads may share it

    def __init__(self, blocks: tuple, fixed: Settings | None) -> None:
        self.blocks, self.fixed, self.made = blocks, fixed, (None, None, None)

    def open_blocks(self) -> tuple:
        """Return the blocks that have not ended."""
        return tuple(block for block in self.blocks if block[0].locked())


def settings() -> Settings:
    """Return the Settings in effect here: the default, with the changes of the open blocks."""
    if not isinstance(here := _override.get(), _Override):
        return here or _default
    base = here.fixed or _default
    for lock, _ in here.blocks:
        if not lock.locked():
            here.blocks = here.open_blocks()
            _override.set(here if here.blocks else here.fixed)
    if here.made[0] is not base or here.made[1] is not here.blocks:
        blocks, made = here.blocks, base
        for _, changes in blocks:
            made = replace(made, **changes)
        here.made = base, blocks, made
    return here.made[2]


def use(library: str | Library | None = None, **changes: Any) -> None:
    """Change the settings of the process, wherever no using() block overrides them.

    library  "numpy", "strict", "cupy" or "auto" (CuPy if it works, NumPy otherwise)

    Existing arrays, tensors and modules stay with the library that made them.
    Raises  BackendError: an unknown library, or CuPy does not work here (the message says why, and what to type).
    TypeError, ValueError: an unknown setting, or a value out of range.
    """
    global _default
    changes = _checked(library, changes)
    with _lock: _default = replace(_default, **changes)  # noqa: E701  # fmt: skip  # one line: nothing can leave the lock held


class _Exit:
    """using.__exit__: the release of the block's lock. An interrupt can end a Python function before its first line, which
    would leave the change in effect. It cannot do so here, because the release is written in C.
    """

    def __get__(self, block: "using | None", owner: type) -> Callable[..., None]:
        return block.release() if block else lambda block, *error: block.release()(*error)


class using:
    """Context manager and decorator: change settings for a block or a function, as use() does for the process.

    Blocks may overlap, in one thread or in many: each undoes only its own change, however it ends.
    Raises  RuntimeError: the block of this same object is already open.
    """

    __exit__ = _Exit()

    def __init__(self, library: str | Library | None = None, **changes: Any) -> None:
        self.changes, self.lock = _checked(library, changes), threading.Lock()

    def __enter__(self) -> Self:
        if self.lock.locked():
            raise RuntimeError(
                "using: expected a block that is not open yet: a block inside it needs its own using()"
            )
        here = _override.get()
        around = here if isinstance(here, _Override) else _Override((), fixed=here)
        try:
            self.lock.acquire()
            block = self.lock, self.changes
            _override.set(_Override((*around.open_blocks(), block), around.fixed))
            return self
        except BaseException:  # an interrupt
            if self.lock.locked():
                self.lock.release()
            raise

    def release(self) -> Callable[..., None]:
        """Return the function that ends the open block; if none is open, that of the next one, which gets a new lock."""
        if not self.lock.locked():
            self.lock = threading.Lock()
        return self.lock.__exit__

    def __call__(self, function: Callable) -> Callable:
        """Decorator: each call of the function is a block.

        Raises  TypeError: a generator function or a coroutine, whose body runs after the call.
        """
        later = inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction
        if any(runs_later(function) for runs_later in later):
            raise TypeError(
                "using: expected a function, got a generator or coroutine function: write the block inside it"
            )

        @wraps(function)
        def within(*inputs: Any, **options: Any) -> Any:
            with using(**self.changes):
                return function(*inputs, **options)

        return within


def carried(function: Callable, now: Settings | None = None) -> Callable:
    """Return `function` for use in a different thread: it runs under the settings `now`, or those in effect here. One thread at a
    time may run it.
    """
    context = copy_context()
    context.run(_override.set, now or settings())
    return partial(context.run, function)


def _checked(library: str | Library | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes as fields of Settings, with their values converted."""
    known = [field.name for field in fields(Settings) if field.init]
    for name in changes:
        names.check("setting", name, known, TypeError)
    changes = dict(changes)
    if library is not None:
        changes["library"] = library
    if isinstance(changes.get("library"), str):
        changes["library"] = load(changes["library"])
    elif not isinstance(changes.get("library", _default.library), Library):
        raise TypeError(f"library: expected a name, such as 'numpy', got {changes['library']!r}")
    if changes.get("threads") is not None:
        changes["threads"] = thread_count("threads", changes["threads"])
    for name in ("plain", "tf32", "cuda_graph", "grad"):
        if not isinstance(changes.get(name, False), bool):
            raise TypeError(f"{name}: expected True or False, got {changes[name]!r}")
    half = changes.get("half")
    if half is not None and getattr(half, "itemsize", 0) != 2:
        raise TypeError(
            f"half: expected a dtype of 2 bytes or None, got {half!r}: backend.autocast() takes a name"
        )
    if "without" in changes:
        if isinstance(changes["without"], str):
            raise TypeError(f"without: expected a set of names, got {changes['without']!r}")
        changes["without"] = frozenset(changes["without"])
    if "stand_ins" in changes:
        if not isinstance(changes["stand_ins"], Mapping):
            raise TypeError(
                f"stand_ins: expected a dict of functions, got {changes['stand_ins']!r}"
            )
        for name, function in changes["stand_ins"].items():
            if not callable(function):
                raise TypeError(f"stand_ins: expected a function for {name}, got {function!r}")
        changes["stand_ins"] = MappingProxyType(dict(changes["stand_ins"]))
    return changes


def thread_count(name: str, number: Any) -> int:
    """Return a number of threads as an int.

    Raises  ValueError: it is not a whole number of 1 or more.
    """
    try:
        if int(number) >= 1 and float(number) == int(number):
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{name}: expected a number of threads, 1 or more, got {number!r}")


def threads() -> int:
    """Return the number of threads that share an op's work: the setting, MINIRES_THREADS, or the cores this process may use."""
    number = settings().threads
    return number or thread_count(
        "MINIRES_THREADS", os.environ.get("MINIRES_THREADS") or machine.cores()
    )


def on_a_gpu() -> bool:
    """Return True if the library in use runs CUDA kernels."""
    library = settings().library
    return "cupy" in (library.name, library.family)


def no_grad() -> using:
    """Context manager and decorator: no graph is recorded, so results require no gradient. For evaluation."""
    return using(grad=False)


def grad_enabled() -> bool:
    """Return True if ops on tensors record the graph here."""
    return settings().grad


def using_threads(number: int | None) -> using:
    """Context manager: share an op's work among this number of threads."""
    return using(threads=number)


def name() -> str:
    """Return the name of the backend in use: "numpy", "strict" or "cupy"."""
    return settings().library.name


class _Namespace:
    """The current library's functions, looked up at each use, so that a change of library reaches code imported before it."""

    @property
    def ndarray(self) -> type:
        """The type of the library's arrays. A property, which is faster than __getattr__: each op asks for it."""
        return settings().library.ndarray

    def __getattr__(self, name: str) -> Any:
        return getattr(settings().library.module, name)

    def __dir__(self) -> list[str]:
        return dir(settings().library.module)

    def __repr__(self) -> str:
        return f"<the functions of {name()}>"


xp = _Namespace()
