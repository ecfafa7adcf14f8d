"""How much memory an op holds on to until its backward has run."""

import tracemalloc

from minires.backend import xp


def kept(op, *arrays, **options):
    """The bytes that backward keeps, once the caller has let go of the op's inputs and of its result: what a graph costs.

    arrays  of NumPy; the op gets copies that nobody else holds
    """
    started = not tracemalloc.is_tracing()
    if started:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        backward = op(*[xp.array(array) for array in arrays], **options)[1]
        after, _ = tracemalloc.get_traced_memory()
        del backward
        return after - before
    finally:
        if started:
            tracemalloc.stop()
