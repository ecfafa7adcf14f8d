"""An array of channels-last values as long rows: what is done for each channel runs over memory without short inner loops."""

from minires.backend import scratch, xp

RUN = 512  # numbers: a pixel of few channels is taken together with its neighbours, so that a row is about so long


class Rows:
    """An array (N, ..., C) as rows of whole pixels: as many a row as make it long, and fit."""

    def __init__(self, x):
        self.c = x.shape[-1]
        self.n, self.values, self.dtype = len(x), x.size // max(len(x), 1), x.dtype
        pixels = self.values // self.c
        self.pixels = next(k for k in range(max(-(-RUN // self.c), 1), 0, -1) if pixels % k == 0)

    def of(self, array, part):
        """A part of the batch: a view."""
        return array[part].reshape(-1, self.pixels * self.c)

    def wide(self, vector):
        """One number a channel, for each pixel of a row."""
        return xp.tile(vector, self.pixels)

    def scratch(self, name, part):
        """Memory for a part's rows."""
        return scratch(
            name, ((part.stop - part.start) * self.values // (self.pixels * self.c), self.pixels * self.c), self.dtype
        )

    def sum(self, rows, factors=None):
        """The sum of each channel (C,); of the products with other rows, where there are some."""
        down = xp.ones(len(rows), dtype=rows.dtype) @ rows if factors is None else xp.einsum("ij,ij->j", rows, factors)
        return down.reshape(-1, self.c).sum(axis=0)

    def size(self, arrays):
        """The bytes of an example in so many arrays."""
        return arrays * self.values * self.dtype.itemsize
