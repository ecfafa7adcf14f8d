"""State that all code in a process shares, NumPy's error settings and the global random generators: a learner's function leaves it alone."""

import random
from contextlib import contextmanager

import numpy

from minires.course.trial import Wrong

__tracebackhide__ = True


@contextmanager
def unchanged():
    """Context manager: raise Wrong if the block changes what all code shares; restore it in any case."""
    settings, drawn, state = numpy.geterr(), numpy.random.get_state(), random.getstate()
    try:
        yield
        changed = [
            words
            for words, same in {
                "NumPy's error settings (numpy.seterr); with numpy.errstate(...) restores them": numpy.geterr() == settings,
                "NumPy's global generator (numpy.random.seed, numpy.random.randn, ...): draw from a generator of its own": _same(numpy.random.get_state(), drawn),
                "Python's global generator (random.seed, random.random, ...): draw from a generator of its own": random.getstate() == state,
            }.items()
            if not same
        ]  # fmt: skip
        if changed:
            raise Wrong(f"yours changes what other code shares, {' and '.join(changed)}")
    finally:
        numpy.seterr(**settings)
        numpy.random.set_state(drawn)
        random.setstate(state)


def _same(one, other):
    return one[0] == other[0] and one[2:] == other[2:] and numpy.array_equal(one[1], other[1])
