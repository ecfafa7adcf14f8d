"""Reading pickled arrays without running anything else that a pickle may contain.

CIFAR's Python version is a pickle, made by Python 2. Here it may name only the three objects that a NumPy array is made of,
and what it says about an array is checked before the array is made.
"""

import io
from typing import Any

import numpy

from minires import unpickling
from minires.unpickling import PickleError

LARGEST = 1 << 30  # bytes of an array
PLAIN = (bytes, str, int, float, list, tuple, dict, type(None))


def load(data: bytes) -> Any:
    """Read a pickle (bytes): an array, or a dict of arrays, numbers, byte strings and lists. Byte strings stay bytes.

    Raises  PickleError: it contains anything else (before any of it is run), or it is damaged.
    """
    content = unpickling.load(_Unpickler, io.BytesIO(data), encoding="bytes")
    if isinstance(content, dict):
        return {key: _finished(value, *PLAIN) for key, value in content.items()}
    return _finished(content)


class _Array:
    """A stand-in for NumPy's _reconstruct and __setstate__, without their powers: it keeps what they are given."""

    value: Any = None

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, order, data = state
        sizes = all(isinstance(size, int) and size >= 0 for size in shape)
        if not isinstance(dtype, _Type) or not isinstance(data, bytes) or not sizes:
            raise PickleError("the pickle holds an array that does not contain numbers")
        size = dtype.value.itemsize
        for length in shape:
            size *= length
        if size != len(data) or size > LARGEST:
            raise PickleError(
                f"the pickle holds an array of shape {shape} and {len(data)} bytes: they do not fit"
            )
        self.value = numpy.frombuffer(data, dtype.value).reshape(shape, order="F" if order else "C")


class _Type:
    """A stand-in for numpy.dtype, without its powers: the type of an array's numbers."""

    def __init__(self, code: Any, *_: object) -> None:
        code = code.decode() if isinstance(code, bytes) else code
        if code not in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "b1"):
            raise PickleError(f"the pickle holds an array of {code!r}: only numbers are read")
        self.value = numpy.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        order = state[1].decode() if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "|", "="):
            raise PickleError(f"the pickle holds an array with bytes in the order {order!r}")
        self.value = self.value.newbyteorder(order)


class _Unpickler(unpickling.Unpickler):
    """Admits only what an array is made of."""

    NEEDED = "no array needs"
    ADMITTED = {
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): "the type that _reconstruct is given",
        ("numpy", "dtype"): _Type,
    }


def _finished(thing: Any, *others: type) -> Any:
    """Return the array that a stand-in describes, or a value of one of the `others` unchanged.

    It does not descend into lists: lists that contain a list twice, at each of many levels, would take forever.
    """
    if isinstance(thing, _Array):
        if thing.value is None:
            raise PickleError("the pickle holds an array without numbers")
        return thing.value
    if isinstance(thing, others):
        return thing
    raise PickleError(
        f"the pickle holds a {type(thing).__name__}: expected an array, or a dict of arrays and plain values"
    )
