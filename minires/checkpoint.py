"""Weights and other arrays as safetensors files that prove themselves: whole, unchanged, and of this model.

A file of weights is in PyTorch's layout under torchvision's names: convolutions (F, C, KH, KW), linear (O, I). So it loads
into torchvision's ResNets, and theirs load here. (A Linear after a Flatten of an image sees its features in another
order than in PyTorch; ResNets end in the mean over the image and have none.) In its metadata stand the facts that are
needed to use it (model and options, classes, input size, mean and std) and a checksum over facts and arrays.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from minires import files, pth
from minires.backend import HostArray

__all__ = [
    "CheckpointError",
    "first_not_finite",
    "load",
    "load_weights",
    "packed",
    "packed_weights",
    "save_weights",
]

VERSION = 1  # of what we write; a file of a newer one is refused
MARK = "minires_sha256"


class CheckpointError(ValueError):
    """A file that is damaged, of a newer version, or not what was asked for."""


def save_weights(path: str | Path, state: Mapping[str, HostArray], **facts: Any) -> None:
    """Write a Module.state_dict() and facts about it (JSON: model, options, classes, size, mean, std) as safetensors.

    Raises  OSError: it names path and size; nothing half-written stays.
    """
    files.write(path, packed_weights(state, **facts))


def load_weights(path: str | Path) -> tuple[dict[str, HostArray], dict[str, Any]]:
    """(state, facts) of a safetensors file, or of one of PyTorch's (see pth); facts is empty if another library wrote it.

    In others' files `linear` is read as `fc`, a leading `module.` is dropped, and `num_batches_tracked` left out.
    Raises  FileNotFoundError. CheckpointError: damaged, of a newer version, or no such file.
    """
    with open(path, "rb") as file:
        data = file.read()
    if pth.is_one(data):
        try:
            arrays, facts = pth.loads(data), dict[str, Any]()
        except pth.TorchFileError as error:
            raise CheckpointError(f"{path}: {error}") from None
    else:
        arrays, facts = _loads(data, path)
    names = {name.removeprefix("module.") for name in arrays}
    if {"linear.weight", "fc.weight"} <= names:
        raise CheckpointError(
            f"{path} holds both linear.weight and fc.weight: which is the last layer?"
        )
    state = {
        _our_name(name): _turned(array)
        for name, array in arrays.items()
        if not name.endswith("num_batches_tracked")
    }
    return state, facts


def first_not_finite(state: Mapping[str, HostArray]) -> str | None:
    """The name of the first array that holds NaN or infinity, or None."""
    return next((name for name, array in state.items() if not numpy.isfinite(array).all()), None)


def packed_weights(state: Mapping[str, HostArray], **facts: Any) -> bytes:
    """The bytes of a file of weights."""
    return packed({name: _turned(array, outward=True) for name, array in state.items()}, facts)


def packed(arrays: Mapping[str, HostArray], facts: dict[str, Any]) -> bytes:
    """The bytes of a safetensors file with NumPy arrays as they are, facts (JSON) and a checksum over both."""
    arrays = {
        name: numpy.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()
    }
    text = json.dumps({"version": VERSION, **facts}, sort_keys=True)
    # Under one key: safetensors writes keys in any order.
    ours = {"facts": text, MARK: _checksum(arrays, text)}
    return safetensors.save(arrays, {"minires": json.dumps(ours)})


def load(path: str | Path) -> tuple[dict[str, HostArray], dict[str, Any]]:
    """(arrays, facts) of a safetensors file.

    Raises  FileNotFoundError. CheckpointError: damaged, of a newer version, or no safetensors file.
    """
    with open(path, "rb") as file:
        return _loads(file.read(), path)


def _loads(data: bytes, path: str | Path) -> tuple[dict[str, HostArray], dict[str, Any]]:
    try:
        arrays = safetensors.load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    except KeyError as error:
        raise CheckpointError(
            f"{path} holds numbers of type {error}, which NumPy does not have: save it as float32"
        ) from None
    except (SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is damaged, cut off, or no safetensors file ({error}): {len(data):,} bytes. Take another copy of it"
        ) from error
    if "minires" not in metadata and not any(MARK in value for value in metadata.values()):
        return arrays, {}
    try:
        ours = json.loads(metadata["minires"])
        text = ours["facts"]
        whole = _checksum(arrays, text) == ours[MARK]
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise CheckpointError(
            f"{path} is damaged: its checksum does not fit its data. Take another copy of it"
        )
    facts = json.loads(text)
    if facts.pop("version") > VERSION:
        raise CheckpointError(
            f"{path} was written by a newer minires: update this one (pip install --upgrade minires)"
        )
    return arrays, facts


def _checksum(arrays: Mapping[str, HostArray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _turned(array: HostArray, *, outward: bool = False) -> HostArray:
    """From PyTorch's layout to ours, or outward: (F, C, KH, KW) and (KH, KW, C, F), (O, I) and (I, O)."""
    if array.ndim == 4:
        return array.transpose(3, 2, 0, 1) if outward else array.transpose(2, 3, 1, 0)
    return array.T if array.ndim == 2 else array


def _our_name(name: str) -> str:
    name = name.removeprefix("module.")
    return "fc." + name.removeprefix("linear.") if name.startswith("linear.") else name
