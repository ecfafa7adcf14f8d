"""Tensors and storages, as PyTorch's pickles describe them, and the unpickler that makes them.

Source  pytorch/pytorch, torch/_utils.py and torch/_tensor.py.
"""

import math
import reprlib
from typing import NamedTuple

import numpy

from minires import unpickling
from minires.unpickling import PickleError, stand_in, stood_for

# A type of storage -> NumPy's type.
TYPES = {"Double": "f8", "Float": "f4", "Half": "f2", "BFloat16": "bf16", "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1",
         "Byte": "u1", "Bool": "?", "ComplexFloat": "c8", "ComplexDouble": "c16"}  # fmt: skip
# A type of tensor in an untyped storage -> NumPy's type.
NEWER = {"torch.uint16": "u2", "torch.uint32": "u4", "torch.uint64": "u8"}
# Bytes per number for types that are not read: the older kind of file gives lengths in numbers.
UNREAD = {"torch.QInt8Storage": 1, "torch.QUInt8Storage": 1, "torch.QInt32Storage": 4, "torch.QUInt4x2Storage": 1,
          "torch.QUInt2x4Storage": 1}  # fmt: skip
EXPANDED = (
    1 << 22
)  # numbers that a tensor may have if it repeats those of a smaller storage, as expand() makes it


class Storage(NamedTuple):
    """Numbers in the file: `key` names their bytes. `type` is NumPy's, or "" for a type that is not read."""

    type: str
    key: str
    length: int
    itemsize: int
    named: str


class Tensor:
    """A tensor as a pickle describes it: torch._utils._rebuild_tensor_v2 without its side effects."""

    def __new__(cls, storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
        """Return the tensor, or a stand-in if it is of a kind that is not read."""
        if stood_for(storage):
            return storage
        if not isinstance(storage, Storage):
            raise PickleError("the pickle contains a tensor without a storage")
        if not storage.type:
            return stand_in(storage.named)
        if metadata:
            return stand_in("a tensor with a pending conjugation or negation")
        size, stride = tuple(size), tuple(stride)
        if len(size) != len(stride) or len(size) > 8 or not _whole([offset, *size, *stride]):
            raise PickleError(
                f"the pickle contains a tensor of size {reprlib.repr(size)} and stride {reprlib.repr(stride)}, which is impossible"
            )
        last = offset + sum((length - 1) * step for length, step in zip(size, stride))
        most = max(storage.length, EXPANDED)
        if math.prod(size) and (last >= storage.length or math.prod(size) > most):
            raise PickleError(f"the pickle contains a tensor of size {size} at offset {offset} in a storage of {storage.length:,} numbers: "
                              "it would read past the end")  # fmt: skip
        self = object.__new__(cls)
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride
        return self

    def __setstate__(self, _):
        raise PickleError("the pickle changes a tensor after it was made")

    def array(self, storages):
        """Return the numbers as a NumPy array of its own. storages  a function from a Storage to its bytes and their order"""
        data, order = storages(self.storage)
        code = {"bf16": "u2", "?": "u1"}.get(self.storage.type, self.storage.type)
        bits = numpy.frombuffer(data, numpy.dtype(code).newbyteorder(order))
        strides = [step * bits.itemsize for step in self.stride]
        numbers = numpy.lib.stride_tricks.as_strided(
            bits[self.offset :], self.size, strides, writeable=False
        ).astype(code, order="C")
        if self.storage.type == "bf16":
            return from_bfloat16(numbers)
        return numbers != 0 if self.storage.type == "?" else numbers


class NewerTensor(Tensor):
    """The same for _rebuild_tensor_v3, which takes the type of the numbers: its storage has none."""

    def __new__(cls, storage, offset, size, stride, grad=False, hooks=None, dtype=None, metadata=None):  # fmt: skip
        """Return the tensor, or a stand-in if it is of a kind that is not read."""
        named = stood_for(dtype)
        if named in NEWER and isinstance(storage, Storage):
            itemsize = numpy.dtype(NEWER[named]).itemsize
            length = storage.length * storage.itemsize // itemsize
            storage = storage._replace(type=NEWER[named], length=length, itemsize=itemsize)
        else:
            storage = stand_in(named or "a tensor without a type")
        return Tensor(storage, offset, size, stride, grad, hooks, metadata)


class Wrapped:
    """A tensor inside a call that adds nothing needed here: _rebuild_parameter and others."""

    def __new__(cls, tensor=None, *_):
        """Return the tensor."""
        return tensor

    def __setstate__(self, _):
        raise PickleError("the pickle changes a tensor after it was made")


class Subclass:
    """A tensor of a subclass, or with attributes: torch._tensor._rebuild_from_type_v2."""

    def __new__(cls, build=None, kind=None, arguments=(), *_):
        """Return the tensor inside."""
        if build in (Tensor, NewerTensor, Wrapped):
            return build(*arguments)
        return stand_in(stood_for(build) or "a tensor of an unknown kind")

    def __setstate__(self, _):
        raise PickleError("the pickle changes a tensor after it was made")


class Ordered(dict):
    """collections.OrderedDict without attributes (PyTorch keeps versions there)."""

    def __setstate__(self, _):
        pass


class Unpickler(unpickling.TolerantUnpickler):
    """Make tensors from their parts, and stand-ins for everything else."""

    NEEDED = "no file of weights needs (it would run code)"
    ADMITTED = {
        ("collections", "OrderedDict"): Ordered,
        ("torch._utils", "_rebuild_tensor"): Tensor,
        ("torch._utils", "_rebuild_tensor_v2"): Tensor,
        ("torch._utils", "_rebuild_tensor_v3"): NewerTensor,
        ("torch._utils", "_rebuild_parameter"): Wrapped,
        ("torch._utils", "_rebuild_parameter_with_state"): Wrapped,
        ("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"): Wrapped,
        ("torch._tensor", "_rebuild_from_type_v2"): Subclass,
        ("torch.storage", "UntypedStorage"): "untyped",
        **{("torch", f"{name}Storage"): code for name, code in TYPES.items()},
    }

    def persistent_load(self, pid):
        """Return the storage that an identifier describes."""
        match pid:
            case ("storage", kind, str(key), _, length) | ("storage", kind, str(key), _, length, None) if _whole([length]):  # fmt: skip
                if kind == "untyped":
                    return Storage("", key, length, 1, "torch.storage.UntypedStorage")
                if kind in TYPES.values():
                    size = 2 if kind == "bf16" else numpy.dtype(kind).itemsize
                    return Storage(kind, key, length, size, kind)
                if named := stood_for(kind):
                    return Storage("", key, length, UNREAD.get(named, 0), named)
            case ("module", kind, *_) if stood_for(
                kind
            ):  # of a whole pickled model, before PyTorch 1.6
                return kind
        raise PickleError(
            f"the pickle refers to something other than a storage: {reprlib.repr(pid)}"
        )


def from_bfloat16(bits):
    """Return float32 from the bits of bfloat16, which are its upper half."""
    return (bits.astype("u4") << 16).view("f4")


def _whole(numbers):
    """Return True if all are whole numbers, from 0 to a plausible size."""
    return all(
        isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 1 << 62
        for number in numbers
    )
