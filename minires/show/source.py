"""The source of an op, and what its backward keeps: text, no pictures."""

import inspect
from typing import NamedTuple

from minires import tensor as engine
from minires.tensor import Tensor


def source(op):
    """The source of an op, as it is now. In a notebook it is coloured."""
    return Source(inspect.getsource(inspect.unwrap(op)))


class Source(str):
    """Source text that a notebook shows in colour, and print() as it is."""

    def __repr__(self):
        return str(self)

    def _repr_markdown_(self):
        return f"```python\n{self}```"


class Kept(NamedTuple):
    """One array that a backward keeps."""

    name: str
    shape: tuple
    dtype: str
    bytes: int


def kept(backward):
    """What an op's backward keeps until it runs: a list of Kept. For a Tensor, what the last op that made it keeps.

    Raises  ValueError: a tensor that no op made, or whose graph has been used.
    """
    if isinstance(backward, Tensor):
        if backward.node is None or backward.node.backward is None:
            raise ValueError("nothing is kept for this tensor: no op made it, or backward() has been through")
        backward = backward.node.backward
    arrays = engine.kept(inspect.unwrap(backward))  # one that watch put around it keeps no more than it does
    return [Kept(name, array.shape, str(array.dtype), array.nbytes) for name, array in arrays.items()]
