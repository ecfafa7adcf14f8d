"""The memory that an op saves for its backward pass."""

import tracemalloc

from minires.backend import xp


def saved_bytes(op, *arrays, **options):
    """Return the bytes that backward keeps once the caller has released the op's inputs and result: the cost of a graph.

    arrays  NumPy arrays; the op gets copies that no other code holds
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
