"""While a learner's function is checked, the library's counterpart does not answer."""

import sys
from contextlib import contextmanager

from minires.course import manifest
from minires.course.standin import standing_in

__tracebackhide__ = True


class Cheating(AssertionError):
    """The library's function was called by what is to stand in for it."""

    __module__ = "builtins"  # so that pytest calls it by its bare name


def _smile(function):
    return f"this exercise asks you to write {function}: calling the library's is cheating, if charming"


@contextmanager
def poisoned(exercise, yours):
    """For a while a call of the library's counterpart, through whichever module, raises Cheating; and so does the end of this
    block where the learner's function caught it.

    yours  the learner's function: the names in its module are poisoned too
    """
    calls = []
    dotted = [name for name in (exercise.library, *exercise.poisoned) if name]
    if (getattr(yours, "__module__", None) or "").startswith("minires."):  # imported, from wherever it is kept
        raise Cheating(_smile(exercise.function))
    for original in map(manifest.resolve, dotted):
        if isinstance(original, type) and isinstance(yours, type) and issubclass(yours, original):
            raise Cheating(_smile(exercise.function))
    if exercise.holes and exercise.library:  # of a class the methods that are to be written
        dotted = [f"{exercise.library}.{hole}" for hole in exercise.holes] + list(exercise.poisoned)

    def deadly(original):
        def refused(*_, **__):
            calls.append(original)
            raise Cheating(_smile(exercise.function))

        return refused

    module = sys.modules.get(getattr(yours, "__module__", None))
    spaces = [getattr(yours, "__globals__", None) or vars(module)] if module or hasattr(yours, "__globals__") else []
    try:
        with standing_in({name: deadly(manifest.resolve(name)) for name in dotted}, spaces):
            yield
    finally:
        if calls:
            raise Cheating(_smile(exercise.function)) from None
