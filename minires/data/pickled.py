"""Reading pickled arrays without running what else a pickle may hold.

A pickle is a program: it names functions and calls them. CIFAR's Python version is one, made by Python 2. Here it may name
the three things that a NumPy array is made of, and nothing more; and what it says about an array is checked before an
array is made of it. A pickle that is made to take long can still do so.
"""

import io
import pickle
import pickletools

import numpy

LARGEST = 1 << 30  # bytes of an array
PLAIN = (bytes, str, int, float, list, tuple, dict, type(None))


class PickleError(ValueError):
    """A pickle that is damaged, or asks for more than arrays."""


def load(data):
    """What is in a pickle (bytes): an array, or a dict of arrays, numbers, byte strings and lists. Byte strings stay bytes.

    Raises  PickleError: anything else in it, before any of it is run; or it is damaged.
    """
    try:
        _check_places(data)
        content = _Unpickler(io.BytesIO(data), encoding="bytes").load()
        if isinstance(content, dict):
            return {key: _finished(value, *PLAIN) for key, value in content.items()}
        return _finished(content)
    except PickleError:
        raise
    except Exception as error:  # a damaged pickle fails in any way it likes
        raise PickleError(f"the pickle is damaged or cut off ({type(error).__name__}: {error})") from None


def _check_places(data):
    """Refuse a number of a place for things to come back to that is higher than there are things: memory is taken up to it."""
    for i, (code, argument, _) in enumerate(pickletools.genops(data)):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > i:
            raise PickleError(f"the pickle asks for {argument:,} places, and holds {i:,} things: do not trust this file")


class _Array:
    """What a pickle says of an array: NumPy's own _reconstruct, and then __setstate__, without their powers."""

    value = None

    def __init__(self, *_):
        pass

    def __setstate__(self, state):
        _, shape, dtype, order, data = state
        sizes = all(isinstance(size, int) and size >= 0 for size in shape)
        if not isinstance(dtype, _Type) or not isinstance(data, bytes) or not sizes:
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


class _Unpickler(pickle.Unpickler):
    """Names in the pickle are looked up here, and nowhere else."""

    ADMITTED = {
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): "the type that _reconstruct is told",
        ("numpy", "dtype"): _Type,
    }

    def find_class(self, module, name):
        """What stands for a name."""
        if (module, name) not in self.ADMITTED:
            raise PickleError(f"the pickle asks for {module}.{name}, which no array needs: it was not run. Do not trust it")
        return self.ADMITTED[module, name]

    def persistent_load(self, _):
        """What stands for an object that the pickle does not hold itself."""
        raise PickleError("the pickle refers to something outside it")


def _finished(thing, *others):
    """An array in place of what stood for it; things of other types as they are. Lists are not gone through: one that holds
    another twice, and that another twice, would take for ever."""
    if isinstance(thing, _Array):
        if thing.value is None:
            raise PickleError("the pickle holds an array without numbers")
        return thing.value
    if isinstance(thing, others):
        return thing
    raise PickleError(f"the pickle holds a {type(thing).__name__}, wanted an array, or a dict of arrays and plain things")
