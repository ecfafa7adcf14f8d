"""A batch in chunks of a size that a test chooses, on any backend, and a record of the cuts."""

from contextlib import contextmanager

from minires import ops
from minires.backend import name
from minires.fast import parts


@contextmanager
def in_chunks_of(size):
    """In this block work on a batch is cut into chunks of about `size` bytes. Gives a list of the chunks' lengths in each cut."""
    run, cuts = parts.side_by_side if name() == "numpy" else parts.one_by_one, []

    def sum_over_chunks(work, n, bytes_each, bytes_shared=0):
        chunks = parts.cut(n, bytes_each, bytes_shared, size)
        cuts.append([chunk.stop - chunk.start for chunk in chunks])
        return run(work, chunks)

    with ops.standing_in(sum_over_chunks=sum_over_chunks):
        yield cuts
