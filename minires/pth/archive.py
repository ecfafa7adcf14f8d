"""The two kinds of PyTorch's files: a zip archive or, before PyTorch 1.6, pickles followed by the storages.

Source  pytorch/pytorch, torch/serialization.py.
"""

import io
import reprlib
import zipfile

from minires import unpickling
from minires.pth.tensors import Unpickler

MAGIC = 0x1950A86A20F9469CFC6C  # the older kind begins with this number, pickled
# Python 2's byte strings that are not text, such as those of NumPy numbers, keep their bytes.
TEXT = {"encoding": "utf-8", "errors": "surrogateescape"}


class TorchFileError(ValueError):
    """A file is damaged, asks for code to be run, or contains no weights."""


def zipped(data):
    """Return the content of a zip archive's pickle, and a function from a Storage to its bytes and their order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        pickles = [
            name for name in entries if name.split("/")[-1] == "data.pkl" and name.count("/") < 2
        ]
        tops = {name.partition("/")[0] for name in entries}
        if any({f"{top}/constants.pkl", f"{top}/model.json"} & {*entries} for top in tops):
            raise TorchFileError(
                "it is a TorchScript archive, a program with its weights: load it with torch.jit.load and save its state_dict()"
            )
        if len(pickles) != 1:
            raise TorchFileError(
                f"the archive contains {len(pickles)} files data.pkl, expected one, as torch.save writes it"
            )
        if len(entries) < len(archive.infolist()) or sum(
            entry.file_size for entry in entries.values()
        ) > len(data):
            raise TorchFileError(
                "the archive claims to contain more bytes than it has: do not trust it"
            )
        top = pickles[0].removesuffix("data.pkl")

        def read(name):
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
                f"the archive has bytes in the order {order[:20]!r}, expected little or big"
            )
        content = unpickling.load(Unpickler, io.BytesIO(read(pickles[0])), **TEXT)
        found = {
            name.removeprefix(f"{top}data/"): read(name)
            for name in entries
            if name.startswith(f"{top}data/")
        }
    return content, _storages(found, order)


def one_after_the_other(data):
    """Return the same for the older kind: pickles of a magic number, a version, the machine, the content and the storages' names; then
    each storage, with its length before it."""
    file, sizes, found = io.BytesIO(data), {}, {}

    class Noting(Unpickler):
        def persistent_load(self, pid):
            """Return the same, and record its size."""
            storage = super().persistent_load(pid)
            if hasattr(storage, "itemsize"):
                sizes[storage.key] = storage.itemsize
            return storage

    if unpickling.load(Unpickler, file) != MAGIC:
        raise TorchFileError(
            "it begins with a pickle, but not with the number that torch.save writes there"
        )
    _, machine, content, keys = (unpickling.load(Noting, file, **TEXT) for _ in range(4))
    order = (
        "big" if isinstance(machine, dict) and machine.get("little_endian") is False else "little"
    )
    for key in keys if isinstance(keys, list) else ():
        if not isinstance(key, str) or not sizes.get(key):
            raise TorchFileError(
                f"the file contains a storage that no tensor uses, or one of an unknown type: {reprlib.repr(key)}"
            )
        length = int.from_bytes(file.read(8), order) * sizes[key]
        found[key] = file.read(min(length, len(data)))
        if len(found[key]) < length:
            raise _too_short(found[key], length)
    return content, _storages(found, order)


def _storages(found, order):
    """A function from a Storage to its bytes and their order, for the storages that the file contains."""

    def storages(storage):
        data, expected = found.get(storage.key, b""), storage.length * storage.itemsize
        if len(data) != expected:
            raise _too_short(data, expected)
        return data, "<" if order == "little" else ">"

    return storages


def _too_short(data, expected):
    return TorchFileError(
        f"the file contains {len(data):,} bytes of a storage of {expected:,}: it is damaged or cut off"
    )
