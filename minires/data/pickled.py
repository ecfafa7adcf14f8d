"""Reading pickled arrays without running what else a pickle may hold.

A pickle is a program: it names functions and calls them. CIFAR's Python version is one, made by Python 2. Here it may name
the three things that a NumPy array is made of, and nothing more; and what it says about an array is checked before an
array is made of it.
"""

import io
import pickle

import numpy

LARGEST = 1 << 30  # bytes of an array


class PickleError(ValueError):
    """A pickle that is damaged, or asks for more than arrays."""


def load(data):
    """The object in a pickle (bytes) of arrays, numbers, byte strings, lists and dicts. Byte strings stay bytes.

    Raises  PickleError: anything else in it, before any of it is run; or it is damaged.
    """
    try:
        return _finished(_Unpickler(io.BytesIO(data), encoding="bytes").load())
    except PickleError:
        raise
    except Exception as error:  # a damaged pickle fails in any way it likes
        raise PickleError(f"the pickle is damaged or cut off ({type(error).__name__}: {error})") from None


class _Array:
    """What a pickle says of an array: NumPy's own _reconstruct, and then __setstate__, without their powers."""

    value = None

    def __setstate__(self, state):
        _, shape, dtype, order, data = state
        if not isinstance(dtype, _Type) or not isinstance(data, bytes) or not all(isinstance(size, int) and size >= 0 for size in shape):
            raise PickleError("the pickle holds an array that is no array of numbers")
        size = dtype.value.itemsize
        for length in shape:
            size *= length
        if size != len(data) or size > LARGEST:
            raise PickleError(f"the pickle holds an array of shape {shape} and {len(data)} bytes: they do not fit")
        self.value = numpy.frombuffer(data, dtype.value).reshape(shape, order="F" if order else "C")


class _Type:
    """What a pickle says of the type of an array's numbers: numpy.dtype without its powers."""

    def __init__(self, code, *_):
        code = code.decode() if isinstance(code, bytes) else code
        if code not in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "b1"):
            raise PickleError(f"the pickle holds an array of {code!r}: only numbers are read")
        self.value = numpy.dtype(code)

    def __setstate__(self, state):
        order = state[1].decode() if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "|", "="):
            raise PickleError(f"the pickle holds an array with bytes in the order {order!r}")
        self.value = self.value.newbyteorder(order)


def _reconstruct(*_):
    return _Array()


class _Unpickler(pickle.Unpickler):
    """Names in the pickle are looked up here, and nowhere else."""

    ADMITTED = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): "the type that _reconstruct is told",
        ("numpy", "dtype"): _Type,
    }

    def find_class(self, module, name):
        """What stands for a name."""
        if (module, name) not in self.ADMITTED:
            raise PickleError(f"the pickle asks for {module}.{name}, which no array needs: it was not run. Do not trust this file")
        return self.ADMITTED[module, name]

    def persistent_load(self, _):
        """What stands for an object that the pickle does not hold itself."""
        raise PickleError("the pickle refers to something outside it")


def _finished(thing):
    """The arrays in place of what stood for them."""
    if isinstance(thing, _Array):
        if thing.value is None:
            raise PickleError("the pickle holds an array without numbers")
        return thing.value
    if isinstance(thing, dict):
        return {_finished(key): _finished(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return type(thing)(_finished(item) for item in thing)
    if isinstance(thing, (bytes, str, int, float, bool)) or thing is None:
        return thing
    raise PickleError(f"the pickle holds a {type(thing).__name__}, wanted arrays, numbers, strings, lists and dicts")
