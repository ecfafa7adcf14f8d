"""The source of an op, and the arrays that its backward saves, as text."""

import inspect
from typing import NamedTuple

from minires import graph
from minires.backend import settings
from minires.tensor import Tensor


def source(op):
    """Return the source of an op: its plain form, or the function that replaces it. A notebook shows it in colour."""
    stand_in = settings().stand_ins.get(op.forms.name) if hasattr(op, "forms") else None
    return Source(inspect.getsource(inspect.unwrap(stand_in or op)))


class Source(str):
    """Source text that a notebook shows in colour, and print() as it is."""

    def __repr__(self):
        return str(self)

    def _repr_markdown_(self):
        return f"```python\n{self}```"


class Saved(NamedTuple):
    """An array that a backward saves."""

    name: str
    shape: tuple
    dtype: str
    bytes: int


def saved(backward):
    """Return the arrays that an op's backward saves until it runs, as a list of Saved; for a Tensor, those of its op.

    Raises  ValueError: a tensor that no op made, or whose graph backward() has released.
    """
    if isinstance(backward, Tensor):
        if backward.node is None or backward.node.backward is None:
            raise ValueError(
                "nothing is saved for this tensor: no op made it, or backward() has released its graph"
            )
        backward = backward.node.backward
    # A wrapped backward saves the arrays of the one inside.
    arrays = graph.saved(inspect.unwrap(backward))
    return [
        Saved(name, array.shape, str(array.dtype), array.nbytes) for name, array in arrays.items()
    ]
