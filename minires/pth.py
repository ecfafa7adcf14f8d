"""Reading PyTorch's files of weights (.pth, .pt, .th) without PyTorch, and without running what else they may hold.

Such a file is a pickle that says how tensors lie in storages, and the storages: in a zip archive since PyTorch 1.6, one after the
other before that. Of the pickle only what a tensor needs is admitted; a tensor has to lie within its storage; and storages within
the file. Nothing is unpacked.
Source  pytorch/pytorch, torch/serialization.py and torch/_utils.py.
"""

import io
import math
import zipfile

import numpy

from minires import unpickling
from minires.unpickling import PickleError

__all__ = ["TorchFileError", "is_one", "loads"]

MAGIC = 0x1950A86A20F9469CFC6C  # with which the older kind begins, as a pickled number
# Under which a training script may keep the weights.
WRAPPERS = ("state_dict", "model", "model_state_dict", "net")
TYPES = {"Double": "f8", "Float": "f4", "Half": "f2", "BFloat16": "bf16", "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1",
         "Byte": "u1", "Bool": "?"}  # fmt: skip


class TorchFileError(ValueError):
    """A file that is damaged, that asks for more than tensors, or that holds no weights."""


def is_one(data):
    """Whether bytes look like such a file: a zip archive, or a pickle of protocol 2 or later."""
    return data[:2] == b"PK" or (data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05")


def loads(data):
    """Name -> NumPy array of the weights in such a file (bytes); bfloat16 becomes float32. Of a checkpoint that holds more they are
    what lies under state_dict, model, model_state_dict or net.

    Raises  TorchFileError.
    """
    try:
        content, storages = (_zipped if data[:2] == b"PK" else _one_after_the_other)(data)
        return {name: tensor.array(storages) for name, tensor in _weights(content).items()}
    except TorchFileError:
        raise
    except PickleError as error:
        raise TorchFileError(str(error)) from None
    except Exception as error:  # a damaged archive fails in any way it likes
        raise TorchFileError(f"the archive is damaged or cut off ({error})") from None


def _weights(content):
    """The dict of tensors in what the pickle holds: itself, or one of its parts."""
    wrapped = [content.get(name) for name in WRAPPERS] if isinstance(content, dict) else []
    for tensors in map(_tensors, [*wrapped, content]):
        if tensors:
            return tensors
    parts = (
        {name: part for name, part in content.items() if _tensors(part)}
        if isinstance(content, dict)
        else {}
    )
    if len(parts) == 1:
        return _tensors(*parts.values())
    held = (
        f"{len(parts)} sets of weights, {', '.join(map(str, parts))}"
        if parts
        else "nothing with tensors by name"
    )
    raise TorchFileError(
        f"the file holds {held}: wanted what torch.save(model.state_dict(), path) writes"
    )


def _tensors(part):
    found = part.items() if isinstance(part, dict) else ()
    return {
        name: value for name, value in found if isinstance(name, str) and isinstance(value, _Tensor)
    }


class _Storage:
    """Where numbers lie: `key` names bytes of the file."""

    def __init__(self, pid):
        if (
            not isinstance(pid, tuple)
            or len(pid) not in (5, 6)
            or pid[0] != "storage"
            or (len(pid) == 6 and pid[5] is not None)
        ):
            raise PickleError(
                f"the pickle refers to something that is no storage: {str(pid)[:100]}"
            )
        _, self.type, self.key, _, self.length = pid[:5]
        if (
            self.type not in TYPES.values()
            or not isinstance(self.key, str)
            or not _whole([self.length])
        ):
            raise PickleError(f"the pickle refers to a storage that is none: {str(pid)[:100]}")

    @property
    def itemsize(self):
        """Bytes of a number."""
        return 2 if self.type == "bf16" else numpy.dtype(self.type).itemsize


class _Tensor:
    """What a pickle says of a tensor: torch._utils._rebuild_tensor_v2 without its powers."""

    storage = None  # until it is made as it should be

    def __init__(self, storage, offset, size, stride, *_):
        if not isinstance(storage, _Storage):
            raise PickleError("the pickle holds a tensor without a storage")
        size, stride = tuple(size), tuple(stride)
        if len(size) != len(stride) or len(size) > 8 or not _whole([offset, *size, *stride]):
            raise PickleError(
                f"the pickle holds a tensor of size {str(size)[:100]} and stride {str(stride)[:100]}: that is none"
            )
        last = offset + sum((length - 1) * step for length, step in zip(size, stride))
        if math.prod(size) and (last >= storage.length or math.prod(size) > storage.length):
            raise PickleError(f"the pickle holds a tensor of size {size} from place {offset} on, in a storage of {storage.length:,} numbers: "
                              "it would read beyond its end")  # fmt: skip
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def __setstate__(self, _):
        raise PickleError("the pickle changes a tensor after it was made")

    def array(self, storages):
        """The numbers as a NumPy array of its own. storages  gives the bytes of a _Storage, and their order"""
        if self.storage is None:
            raise PickleError("the pickle holds a tensor without a storage")
        kind = {"bf16": "u2", "?": "u1"}.get(self.storage.type, self.storage.type)
        data, order = storages(self.storage)
        bits = numpy.frombuffer(data, numpy.dtype(kind).newbyteorder(order))
        strides = [step * bits.itemsize for step in self.stride]
        lies = numpy.lib.stride_tricks.as_strided(
            bits[self.offset :], self.size, strides, writeable=False
        ).astype(kind, order="C")
        if self.storage.type == "bf16":  # the upper half of a float32
            return (lies.astype("u4") << 16).view("f4")
        return lies != 0 if self.storage.type == "?" else lies


class _Parameter(_Tensor):
    """The same of torch._utils._rebuild_parameter, which is given the tensor."""

    def __init__(self, tensor, *_):
        if not isinstance(tensor, _Tensor):
            raise PickleError("the pickle holds a parameter without a tensor")
        vars(self).update(vars(tensor))


class _Ordered(dict):
    """collections.OrderedDict, whose attributes (PyTorch notes versions in one) are left out."""

    def __setstate__(self, _):
        pass


class _Unpickler(unpickling.Unpickler):
    """Of what tensors are made of, and nothing more."""

    NEEDED = "no file of weights needs (a whole pickled model does: save its state_dict() instead)"
    ADMITTED = {
        ("collections", "OrderedDict"): _Ordered,
        ("torch._utils", "_rebuild_tensor"): _Tensor,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch._utils", "_rebuild_parameter"): _Parameter,
        **{("torch", f"{name}Storage"): code for name, code in TYPES.items()},
    }

    def persistent_load(self, pid):
        """What stands for a storage."""
        return _Storage(pid)


def _whole(numbers):
    """Whether all are whole numbers from 0 on, none of them absurd."""
    return all(
        isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 1 << 62
        for number in numbers
    )


def _zipped(data):
    """(what the pickle holds, a function from a _Storage to its bytes and their order) of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        pickles = [
            name for name in entries if name.split("/")[-1] == "data.pkl" and name.count("/") < 2
        ]
        if len(pickles) != 1:
            raise TorchFileError(
                f"the archive holds {len(pickles)} files data.pkl, wanted one, as torch.save writes it"
            )
        if len(entries) < len(archive.infolist()) or sum(
            entry.file_size for entry in entries.values()
        ) > len(data):
            raise TorchFileError(
                "the archive says that it holds more than there are bytes: do not trust it"
            )
        top = pickles[0].removesuffix("data.pkl")

        def read(name):
            if name not in entries:
                raise TorchFileError(f"the archive lacks {name}")
            if entries[name].compress_type != zipfile.ZIP_STORED:
                raise TorchFileError(
                    f"{name} is compressed in the archive, which torch.save never does"
                )
            return archive.read(name)  # which compares its checksum

        order = (
            read(top + "byteorder").decode(errors="replace")
            if top + "byteorder" in entries
            else "little"
        )
        if order not in ("little", "big"):
            raise TorchFileError(
                f"the archive has bytes in the order {order[:20]!r}, wanted little or big"
            )
        content = unpickling.load(_Unpickler, io.BytesIO(read(pickles[0])), encoding="utf-8")
        found = {
            name.removeprefix(f"{top}data/"): read(name)
            for name in entries
            if name.startswith(f"{top}data/")
        }
    return content, _storages(found, order)


def _one_after_the_other(data):
    """The same of the older kind: pickles of a magic number, a version, the machine, the content and the storages' names; then each
    storage, its length before it."""
    file, sizes, found = io.BytesIO(data), {}, {}

    class Noting(_Unpickler):
        def persistent_load(self, pid):
            """The same, noted."""
            storage = _Storage(pid)
            sizes[storage.key] = storage.itemsize
            return storage

    if unpickling.load(_Unpickler, file) != MAGIC:
        raise TorchFileError(
            "it begins with a pickle, and not with the number that torch.save writes there"
        )
    _, machine, content, keys = (unpickling.load(Noting, file, encoding="utf-8") for _ in range(4))
    order = (
        "big" if isinstance(machine, dict) and machine.get("little_endian") is False else "little"
    )
    for key in keys if isinstance(keys, list) else ():
        if not isinstance(key, str) or key not in sizes:
            raise TorchFileError(f"the file holds a storage that no tensor is in: {str(key)[:100]}")
        length = int.from_bytes(file.read(8), order) * sizes[key]
        found[key] = file.read(min(length, len(data)))
        if len(found[key]) < length:
            raise TorchFileError(
                f"the file holds {len(found[key]):,} bytes of a storage of {length:,}: it is damaged or cut off"
            )
    return content, _storages(found, order)


def _storages(found, order):
    """A function from a _Storage to its bytes and their order, for those that were found in the file."""

    def storages(storage):
        data, wanted = found.get(storage.key, b""), storage.length * storage.itemsize
        if len(data) != wanted:
            raise TorchFileError(
                f"the file holds {len(data):,} bytes of a storage of {wanted:,}: it is damaged or cut off"
            )
        return data, "<" if order == "little" else ">"

    return storages
