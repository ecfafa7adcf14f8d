"""Poisoning: while a learner's function is checked, its counterpart in the library raises."""

import inspect
from contextlib import contextmanager

from minires import ops
from minires.course import manifest

__tracebackhide__ = True


class Cheating(AssertionError):
    """The learner's function called its counterpart in the library."""

    __module__ = "builtins"  # so that pytest calls it by its bare name


@contextmanager
def poisoned(exercise, yours):
    """Context manager: a call of the library's counterpart, by any name, raises Cheating. If the learner's function catches that,
    the end of the block raises it again.

    yours  the learner's function or class. If it is the library's own, or a subclass of it, Cheating is raised at once
    """
    sentence = f"this exercise asks you to write {exercise.function}: calling the library's is cheating, if charming"
    original = manifest.resolve(exercise.library) if exercise.library else None
    # From whichever module.
    imported = (getattr(yours, "__module__", None) or "").startswith("minires.")
    classes = inspect.isclass(original) and inspect.isclass(yours)
    if imported or (classes and issubclass(yours, original)):
        raise Cheating(sentence)
    calls = []

    def refused(*_, **__):
        calls.append(1)
        raise Cheating(sentence)

    try:
        with ops.standing_in(dict.fromkeys(exercise.forbidden(), refused)):
            yield
    finally:
        if calls:
            raise Cheating(sentence) from None
