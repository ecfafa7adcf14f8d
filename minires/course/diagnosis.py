"""Diagnosis: a known mistake is named if it alone fares under every claim as the learner's function does."""

import inspect
import sys
import types
from functools import cache

from minires.course import surroundings
from minires.course.difference import same
from minires.course.trial import Wrong
from minires.course.trouble import message

__tracebackhide__ = True


def of(exercise, outcomes, claims, stamp):
    """Return the key of the known mistake that fares under each claim as the learner's function did; None if none does, or several.

    It passes the claims that hold, and in the others its first difference is the same value, in the same item of the same call.

    outcomes  an error per claim, in order: None if it holds, ... if it did not run to its end
    claims  returns [(name, claim)] for the function that is now in sys.modules    stamp  tells files of claims apart
    """
    found = [error if error is ... else _outcome(error) for error in outcomes]
    fitting = {}
    for key, mistake in exercise.all_mistakes().items():
        its = _known(exercise, key, stamp)
        # From the first claim on, as the claims of a file may draw their inputs from one generator.
        if not its:
            its.append(_run(exercise, mistake, claims))
        if all(mine is ... or _alike(mine, _nth(its, i)) for i, mine in enumerate(found)):
            fitting[key] = clause(mistake)
    return next(iter(fitting)) if len(set(fitting.values())) == 1 else None


@cache
def _known(exercise, key, stamp):
    """Return [the iterator over the outcomes of a known mistake, and those that have been looked at], filled by the caller."""
    return []


def _nth(its, i):
    while len(its) < i + 2:
        its.append(next(its[0]))
    return its[i + 1]


def _run(exercise, mistake, claims):
    """Yield the outcome of each claim for a known mistake."""
    module = types.ModuleType(exercise.module)
    setattr(module, exercise.function, as_written(exercise, mistake))
    before, sys.modules[exercise.module] = sys.modules.get(exercise.module), module
    try:
        found = claims()
    finally:
        sys.modules.pop(exercise.module)
        if before is not None:
            sys.modules[exercise.module] = before
    for _, claim in found:
        try:
            with surroundings.unchanged():
                claim()
        except Exception as error:
            yield _outcome(error)
        else:
            yield None


def as_written(exercise, function):
    """Return a known mistake as if it were written in the learner's file, where functions of minires count as copied."""
    if isinstance(function, type):
        return type(function.__name__, (function,), {"__module__": exercise.module})
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__module__, copy.__doc__ = exercise.module, function.__doc__
    return copy


def sentence(mistake):
    """Return a sentence that tells the learner about a known mistake."""
    return f"This is what comes out when {clause(mistake)}."


def clause(mistake):
    """Return what is wrong with a known mistake: its docstring."""
    return " ".join(inspect.getdoc(mistake).split()).rstrip(".")


def _outcome(error):
    """Return what counts of an error: where the first difference is, its value and a tolerance; or the class and the message."""
    if error is None:
        return None
    if isinstance(error, Wrong) and error.found:
        return error.found
    return type(error), "" if isinstance(error, RecursionError) else message(error)


def _alike(mine, its):
    if mine is None or its is None or len(mine) != len(its) or len(mine) == 2:
        return mine == its
    (*where, value, tolerance), (*there, other, _) = mine, its
    return where == there and same(value, other, tolerance) and same(other, value, tolerance)
