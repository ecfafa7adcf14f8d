"""While a learner's function is checked, the library's counterpart does not answer."""

import inspect
from contextlib import contextmanager

from minires import ops
from minires.course import manifest

__tracebackhide__ = True


class Cheating(AssertionError):
    """The library's function was called by what is to stand in for it."""

    __module__ = "builtins"  # so that pytest calls it by its bare name


@contextmanager
def poisoned(exercise, yours):
    """A context in which a call of the library's counterpart, by whichever name, raises Cheating; and so does the end of the block
    where the learner's function caught it.

    yours  the learner's function or class. One that is the library's own, or an heir of it, raises at once
    """
    sentence = f"this exercise asks you to write {exercise.function}: calling the library's is cheating, if charming"
    original = manifest.resolve(exercise.library) if exercise.library else None
    # From wherever it is kept.
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
