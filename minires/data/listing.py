"""The image files in a folder, by class, and a count of the files that are passed over."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from minires.data.dataset import DataError
from minires.data.image import suffixes

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
# Files that systems put into folders unasked, besides hidden ones.
UNMEANT = ("desktop.ini", "thumbs.db", "ehthumbs.db", "__macosx")
KINDS = 8  # of files that a message counts one by one
NAMES = 5  # of classes without images that a message lists


class Listing:
    """The folders of a dataset.

    path  contains folders of parts (train/, test/, ...), each with a folder of images per class; or the class folders
    parts  train, validation, test -> its folder, for those that exist; {} where `path` contains the class folders
    passed_over  kind of file -> how many of them are neither read nor hidden, so far

    Raises  DataError: path is not a folder that can be read, or a part has two folders.
    """

    def __init__(self, path: Path) -> None:
        if path.is_file() and path.suffix.lower() in ARCHIVES:
            raise DataError(f"{path} is an archive: unpack it, and give the folder that comes out")
        if not path.is_dir():
            fault = "is not a folder" if path.exists() else "is not there"
            raise DataError(f"{path} {fault}: expected a folder with a folder of images per class")
        self.path, self.readable, self.passed_over = path, suffixes(), Counter[str]()
        self.parts = self._parts()
        if self.parts:
            self._count_loose(path)
            for entry in set(_folders(path)) - set(self.parts.values()):
                self.passed_over[f"in {entry.name}/"] += sum(map(self._is_image, _walk(entry)))

    def _parts(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        folders = _folders(self.path)
        for entry in folders:
            for part, names in PARTS.items():
                if entry.name.lower() in names:
                    if part in found:
                        raise DataError(
                            f"{self.path}: expected one folder for {part}, got {found[part].name}/ and {entry.name}/"
                        )
                    found[part] = entry
        # Among trucks and buses, train/ is a class.
        if len(found) == 1 < len(folders) and not any(map(_folders, found.values())):
            return {}
        return found

    def classes(self, path: Path) -> list[str]:
        """Return the names of the class folders in `path`, sorted.

        Raises  DataError: there is none, or a name is not valid UTF-8.
        """
        names = [entry.name for entry in _folders(path)]
        if not names:
            images = sum(map(self._is_image, _entries(path)))
            raise DataError(
                f"{path} contains no folders: expected one per class, with its images"
                + (f", got {images:,} images without one" if images else "")
            )
        for name in names:
            try:
                name.encode()
            except UnicodeEncodeError:
                raise DataError(
                    f"{path}: the folder {name!r} is not named in valid UTF-8: rename it"
                ) from None
        return names

    def images(
        self, path: Path, classes: list[str], *, all_classes: bool = False
    ) -> list[tuple[Path, int]]:
        """Return (file, label) of the images in the class folders in `path`, class by class, sorted by name.

        Raises  DataError: there are none; with `all_classes`, a class has none; or there is a folder of an unknown class.
        """
        unknown = sorted(set(self.classes(path)) - set(classes))
        if unknown:
            raise DataError(
                f"{path} has images of {', '.join(unknown)}, the training set has {', '.join(classes)}"
            )
        self._count_loose(path)
        files, empty, instead = [], [], Counter[str]()
        for k, name in enumerate(classes):
            folder = path / name
            images, others = self._sorted_out(folder) if folder.is_dir() else ([], Counter[str]())
            files += [(image, k) for image in images]
            self.passed_over += others
            if not images:
                empty.append(name)
                instead += others
        if not files or (all_classes and empty):
            more = f" and {len(empty) - NAMES} more" if len(empty) > NAMES else ""
            raise DataError(
                f"{path} has no images of {', '.join(empty[:NAMES])}{more}: "
                f"expected files such as {empty[0]}/1.png, got {described(instead) or 'none'}"
            )
        return files

    def _count_loose(self, path: Path) -> None:
        images = [entry for entry in _entries(path) if entry.is_file() and self._is_image(entry)]
        self.passed_over["outside the class folders"] += len(images)

    def _is_image(self, path: Path) -> bool:
        return path.suffix.lower() in self.readable

    def _sorted_out(self, folder: Path) -> tuple[list[Path], Counter[str]]:
        """Return (images, kind -> number of other files) of a class folder."""
        images, others = [], Counter[str]()
        for entry in _entries(folder):
            if self._is_image(entry) and entry.is_file():
                images.append(entry)
            elif entry.is_dir():
                others["in sub-folders"] += sum(1 for _ in _walk(entry))
            elif not entry.exists():
                others["behind broken links"] += 1
            elif not entry.is_file():  # opening a pipe would wait forever
                others["that are pipes or devices"] += 1
            else:
                others[entry.suffix.lower() or "without a suffix"] += 1
        return images, others


def described(passed_over: Counter[str]) -> str:
    """Describe kinds of files, the most frequent first: "10 .heic, 2 in sub-folders"; "" if there are none."""
    kinds = sorted((+passed_over).items(), key=lambda kind: (-kind[1], kind[0]))
    words = [f"{number:,} {kind}" for kind, number in kinds[:KINDS]]
    rest = sum(number for _, number in kinds[KINDS:])
    return ", ".join([*words, f"{rest:,} of other kinds"] if rest else words)


def _entries(path: Path) -> list[Path]:
    """Return the contents of a folder, sorted by name, without hidden files and those that systems put there."""
    try:
        entries = sorted(path.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    return [entry for entry in entries if _meant(entry.name)]


def _folders(path: Path) -> list[Path]:
    return [entry for entry in _entries(path) if entry.is_dir()]


def _meant(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in UNMEANT


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and its sub-folders. A link to a folder around it contains nothing new."""
    if folder.parent.resolve().is_relative_to(folder.resolve()):
        return
    for path, folders, files in os.walk(folder):
        folders[:] = filter(_meant, folders)
        yield from (Path(path, name) for name in files if _meant(name))
