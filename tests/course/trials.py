"""Solutions under the claims of their exercise, in this process: what a learner's file with that function would get."""

import functools
import importlib
import inspect
import signal
import sys
import textwrap
import types
from contextlib import contextmanager
from pathlib import Path

from minires.course import diagnosis, manifest, runner, stubs

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "exercises"
EXERCISES = list(manifest.exercises().values())
# Of the first, each known mistake has a second spelling; the second holds what nobody expected.
BANKS = ("tests.course.solutions", "tests.course.strange")


class OutOfTime(BaseException):
    """A solution takes too long; no `except Exception` stops this."""


@contextmanager
def within(seconds):
    """Context manager: raise OutOfTime in the block after this many seconds of CPU time, if the system has such an alarm."""

    def ring(*_):
        raise OutOfTime

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def tried(exercise, function, *, first=False):
    """The runner's Result for a function in the learner's place. first  stop at the first claim that does not hold."""
    module = types.ModuleType(exercise.module)
    setattr(module, exercise.function, _theirs(exercise, function))
    before = sys.modules.get(exercise.module)
    try:
        return runner.judge(exercise, module, TESTS, first=first)
    finally:
        sys.modules.pop(exercise.module, None)
        if before is not None:
            sys.modules[exercise.module] = before


def _theirs(exercise, function):
    known = function.__module__.startswith("minires.course.answers")
    return diagnosis.as_written(exercise, function) if known else function


def solutions(exercise, kind):
    """The solutions of a kind that the two banks have for an exercise."""
    modules = [importlib.import_module(f"{bank}.{exercise.module}") for bank in BANKS]
    return [value for module in modules for value in vars(module).values() if getattr(value, "kind", None) == kind]  # fmt: skip


def parts(exercise):
    """The functions that the reference is made of: itself, and those of the library that do its work (MUTATED in its file)."""
    module = importlib.import_module(f"tests.course.solutions.{exercise.module}")
    return [exercise.reference(), *map(manifest.resolve, getattr(module, "MUTATED", ()))]


@functools.cache
def source(exercise):
    """The source of all of these, without decorators."""
    functions = [inspect.unwrap(function) for function in parts(exercise)]
    return "\n\n".join(stubs.plain(function) for function in functions)


def built(exercise, code):
    """The function that such source, or a tree of it, gives: a copy of the reference that is not the library's own."""
    space = {"__name__": exercise.module}
    for function in parts(exercise):
        space.update(
            vars(sys.modules[inspect.unwrap(function).__module__]), __name__=exercise.module
        )
    exec(compile(code, f"<{exercise.module}>", "exec"), space)
    return space[exercise.reference().__name__]


def stub(exercise):
    """Return the function as provided."""
    space = {"__name__": exercise.module}
    exec(compile(textwrap.dedent(stubs.cut(exercise)), f"<{exercise.file}>", "exec"), space)
    return space[exercise.function]
