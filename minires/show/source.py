"""The source of an op, and what its backward saves: text, no pictures."""

import inspect
from typing import NamedTuple

from minires import graph
from minires.backend import settings
from minires.tensor import Tensor


def source(op):
    """The source of an op: its plain form, or a function that stands in for it. In a notebook it is coloured."""
    stand_in = settings().stand_ins.get(op.forms.name) if hasattr(op, "forms") else None
    return Source(inspect.getsource(inspect.unwrap(stand_in or op)))


class Source(str):
    """Source text that a notebook shows in colour, and print() as it is."""

    def __repr__(self):
        return str(self)

    def _repr_markdown_(self):
        return f"```python\n{self}```"


class Saved(NamedTuple):
    """One array that a backward saves."""

    name: str
    shape: tuple
    dtype: str
    bytes: int


def saved(backward):
    """What an op's backward saves until it runs: a list of Saved. For a Tensor, what the last op that made it saves.

    Raises  ValueError: a tensor that no op made, or whose graph has been used.
    """
    if isinstance(backward, Tensor):
        if backward.node is None or backward.node.backward is None:
            raise ValueError(
                "nothing is saved for this tensor: no op made it, or backward() has been through"
            )
        backward = backward.node.backward
    # One that was wrapped saves no more than the one within.
    arrays = graph.saved(inspect.unwrap(backward))
    return [
        Saved(name, array.shape, str(array.dtype), array.nbytes) for name, array in arrays.items()
    ]
