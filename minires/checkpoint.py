"""Weights and other arrays as safetensors files, which are checked when they are read: complete, unchanged, of a known version.

A file of weights is in PyTorch's layout under torchvision's names: convolutions (F, C, KH, KW), linear (O, I). So it loads
into torchvision's ResNets, and theirs load here. (A Linear after a Flatten of an image sees its features in a different
order than in PyTorch; ResNets end in the mean over the image and have none.) Its metadata contains the facts that are
needed to use it (model and options, classes, input size, mean and std) and a checksum over facts and arrays.
"""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy
from safetensors import SafetensorError, deserialize
from safetensors import numpy as safetensors

from minires import files, pth
from minires.backend import HostArray
from minires.pth import net_within

__all__ = [
    "CheckpointError",
    "digest",
    "first_not_finite",
    "load",
    "load_weights",
    "net_within",
    "packed",
    "packed_predictions",
    "packed_weights",
    "save_weights",
]

VERSION = 1  # of the files that we write; newer ones are rejected
MARK = "minires_sha256"
# A type of safetensors -> NumPy's.
TYPES = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1", "U64": "u8", "U32": "u4",
         "U16": "u2", "U8": "u1", "BOOL": "b1", "C64": "c8"}  # fmt: skip
TORCH_SUFFIXES = (".pth", ".pt", ".th", ".ckpt", ".bin", ".tar")
# How other kinds of files begin.
OTHERS = {
    b"version https://git-lfs": "a Git LFS pointer, not the file itself (`git lfs pull` downloads it)",
    b"<": "a web page or other markup",
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"\x93NUMPY": "a NumPy array",
}


class CheckpointError(ValueError):
    """A file is damaged, was written by a newer version, or contains no weights."""


def save_weights(path: str | Path, state: Mapping[str, HostArray], **facts: Any) -> None:
    """Write a Module.state_dict() and facts about it (JSON: model, options, classes, size, mean, std) as safetensors.

    Raises  OSError: the message names path and size; no partial file is left. ValueError: an array that the format cannot store.
    """
    files.write(path, packed_weights(state, **facts))


def load_weights(
    path: str | Path, *, key: str | None = None, tell: Callable[[str], object] | None = None
) -> tuple[dict[str, HostArray], dict[str, Any]]:
    """Return (state, facts) of a safetensors file, or of one of PyTorch's (see pth); facts is empty if another library wrote it.

    key  the weights to read if a file contains several sets: a key of its dict, such as "state_dict_ema", or a prefix of their names
    tell  is called with a sentence if there was a choice

    In files from other libraries, the prefixes of PyTorch's wrappers (`module.`, `_orig_mod.`) are removed, and counts of batches are
    left out. In a ResNet, `linear` is read as `fc`, and `shortcut` as `downsample`.
    Raises  FileNotFoundError. CheckpointError: a damaged file, one of a newer version, or one without weights.
    """
    with open(path, "rb") as file:
        data = file.read()
    if pth.is_one(data):
        facts = None
        try:
            arrays, prefix = _from_torch(data, key, tell and (lambda told: tell(f"{path} {told}")))
        except pth.TorchFileError as error:
            raise CheckpointError(f"{path}: {error}") from None
    else:
        (arrays, facts), prefix = _loads(data, path), key
    if facts is None:
        try:
            arrays = pth.renamed(arrays)
        except ValueError as error:
            raise CheckpointError(f"{path}: {error}") from None
    if prefix is not None:
        arrays = pth.behind(f"{prefix}.", arrays)
        if not arrays:
            raise CheckpointError(f"{path} has no weights under {prefix!r}")
    return {name: _turned(array) for name, array in arrays.items()}, facts or {}


def first_not_finite(state: Mapping[str, HostArray]) -> str | None:
    """Return the name of the first array that contains NaN or infinity, or None."""
    return next((name for name, array in state.items() if not numpy.isfinite(array).all()), None)


def packed_predictions(logits: list[HostArray], labels: HostArray) -> bytes:
    """Return the bytes of an .npz with `logits`, float16 (N, K), and `labels`, uint8 or uint16 (N,).

    logits  an array per batch    labels  ints from 0 to K - 1
    """
    whole = numpy.concatenate(logits).astype(numpy.float16)
    small = labels.astype(numpy.uint8 if whole.shape[1] <= 256 else numpy.uint16)
    packed = io.BytesIO()
    numpy.savez_compressed(packed, logits=whole, labels=small)
    return packed.getvalue()


def packed_weights(state: Mapping[str, HostArray], **facts: Any) -> bytes:
    """Return the bytes of a file of weights."""
    arrays = {name: _plain(name, array) for name, array in state.items()}
    return packed({name: _turned(array, outward=True) for name, array in arrays.items()}, facts)


def packed(arrays: Mapping[str, HostArray], facts: dict[str, Any]) -> bytes:
    """Return the bytes of a safetensors file with NumPy arrays, facts (JSON) and a checksum over both. bfloat16 becomes float32.

    Raises  ValueError: an array that the format cannot store.
    """
    arrays = {name: _plain(name, array) for name, array in arrays.items()}
    text = json.dumps({"version": VERSION, **facts}, sort_keys=True)
    # Under one key: safetensors writes keys in any order.
    ours = {"facts": text, MARK: _checksum(arrays, text)}
    return safetensors.save(arrays, {"minires": json.dumps(ours)})


def _plain(name: str, array: HostArray) -> HostArray:
    """An array in this machine's byte order and in C's order, of a type that safetensors has."""
    if not isinstance(name, str) or name == "__metadata__":
        raise ValueError(f"expected the name of an array, got {name!r}")
    if not isinstance(array, (numpy.ndarray, numpy.generic)):
        raise ValueError(f"{name}: expected a NumPy array, got a {type(array).__name__}")
    if array.dtype.name == "bfloat16":
        array = array.astype(numpy.float32)
    if array.dtype.str[1:] not in TYPES.values():
        raise ValueError(f"{name}: expected ints or floats of at most 64 bits, got {array.dtype}")
    native = array.dtype.newbyteorder("=")
    return numpy.ascontiguousarray(array, native).reshape(array.shape)


def load(path: str | Path) -> tuple[dict[str, HostArray], dict[str, Any]]:
    """Return (arrays, facts) of a safetensors file.

    Raises  FileNotFoundError. CheckpointError: a damaged file, one of a newer version, or no safetensors file.
    """
    with open(path, "rb") as file:
        arrays, facts = _loads(file.read(), path)
    return arrays, facts or {}


def _loads(data: bytes, path: str | Path) -> tuple[dict[str, HostArray], dict[str, Any] | None]:
    """The arrays of a safetensors file, and its facts; None if another library wrote it."""
    try:
        tensors = dict(deserialize(data))
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    except (SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} {_seen(data, path, error)}") from error
    arrays = {name: _array(name, tensor, path) for name, tensor in tensors.items()}
    if "minires" not in metadata and not any(MARK in value for value in metadata.values()):
        return arrays, None
    try:
        ours = json.loads(metadata["minires"])
        text = ours["facts"]
        whole = _checksum(arrays, text) == ours[MARK]
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise CheckpointError(
            f"{path} is damaged: its checksum does not match its data. Use another copy"
        )
    facts = json.loads(text)
    if facts.pop("version") > VERSION:
        raise CheckpointError(f"{path} was written by a newer minires: update this one (git pull)")
    return arrays, facts


def _seen(data: bytes, path: str | Path, error: Exception) -> str:
    """Describe a file that is not a safetensors file."""
    if data[257:262] == b"ustar":
        return "is a tar archive, as PyTorch wrote them before 0.2: load it with PyTorch and save it again"
    for begin, kind in OTHERS.items():
        if data[:100].lstrip().startswith(begin):
            return f"is {kind}: expected a safetensors file, or one of PyTorch's"
    kind = "file of PyTorch's" if Path(path).suffix in TORCH_SUFFIXES else "safetensors file"
    return f"is damaged, cut off, or no {kind} ({error}): {len(data):,} bytes. Use another copy"


def _array(name: str, tensor: Mapping[str, Any], path: str | Path) -> HostArray:
    """The numbers of a tensor in a safetensors file; bfloat16 becomes float32."""
    kind, bits = tensor["dtype"], tensor["data"]
    if kind != "BF16" and kind not in TYPES:
        raise CheckpointError(
            f"{path}: {name} has the type {kind}, which NumPy does not have: save it as float32"
        )
    array = numpy.frombuffer(bits, numpy.dtype(TYPES.get(kind, "u2")).newbyteorder("<"))
    array = pth.from_bfloat16(array) if kind == "BF16" else array.astype(TYPES[kind], copy=False)
    return array.reshape(tensor["shape"])


def digest(state: Mapping[str, HostArray]) -> str:
    """Return a checksum of names, types, shapes and bits of arrays: 16 hexadecimal digits."""
    return _checksum(state, "")[:16]


def _checksum(arrays: Mapping[str, HostArray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _turned(array: HostArray, *, outward: bool = False) -> HostArray:
    """Convert from PyTorch's layout to ours, or outward: (F, C, KH, KW) and (KH, KW, C, F), (O, I) and (I, O)."""
    if array.ndim == 4:
        return array.transpose(3, 2, 0, 1) if outward else array.transpose(2, 3, 1, 0)
    return array.T if array.ndim == 2 else array


def _from_torch(
    data: bytes, key: str | None, tell: Callable[[str], object] | None
) -> tuple[dict[str, HostArray], str | None]:
    """The arrays of one of PyTorch's files, and the key if it is a prefix of their names."""
    try:
        return pth.loads(data, key, tell), None
    except pth.NoSuchSet:
        arrays = pth.loads(data)
        if not any(f".{key}." in f".{name}" for name in arrays):
            raise
        return arrays, key
