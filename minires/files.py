"""Files that are there whole or not at all, and where fetched ones are kept."""

import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path


def cache():
    """The folder of fetched data: MINIRES_CACHE, or minires in XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("MINIRES_CACHE")
    return (
        Path(chosen)
        if chosen
        else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "minires")
    )


def write(path, data):
    """Write bytes to a file: a temporary one beside it, synced, then renamed over it. A kill at any moment leaves the
    old file or the new one.

    Raises  NotWritten, an OSError: it names the path and the size; the old file stays, nothing half-written does.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    with explained(path, len(data)):
        try:
            with open(unfinished, "wb") as file:
                file.write(data)
                sync(file)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_folder(folder, contents, *, replace=True):
    """Make a folder of files (name -> bytes), whole or not at all, in the place of one that may be there. Without `replace`
    that one must be empty.

    Raises  NotWritten, an OSError: it names the path and the size; nothing half-written stays.
    """
    folder = Path(folder)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    with explained(folder, sum(map(len, contents.values()))):
        try:
            unfinished.mkdir(parents=True)
            for name, data in contents.items():
                with open(unfinished / name, "wb") as file:
                    file.write(data)
                    sync(file)
            sync_folder(unfinished)
            if replace:
                remove_folder(folder)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        sync_folder(folder.parent)


def remove_folder(folder):
    """Remove a folder, if it is there. It loses its name first: a kill leaves all of it or a remnant."""
    remnant = folder.with_name(f".{folder.name}.old.{os.getpid()}.part")
    if folder.exists():
        folder.rename(remnant)
        shutil.rmtree(remnant)


def remove_remnants(folder):
    """Remove what a killed process left unfinished in a folder that no other process writes to now."""
    for remnant in Path(folder).glob(".*.part"):
        shutil.rmtree(remnant) if remnant.is_dir() else remnant.unlink()


class NotWritten(OSError):
    """The disk is full, or the place cannot be written to."""

    def __str__(self):
        return self.strerror


@contextmanager
def explained(path, size):
    """A context whose OSErrors become a NotWritten that says what was to be written where."""
    try:
        yield
    except OSError as error:
        raise NotWritten(
            error.errno, f"cannot write {path} ({size:,} bytes): {error.strerror or error}"
        ) from error


def sync(file):
    """Wait until what was written to an open file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder):
    """Wait until the names in a folder are on the disk, where the system can do that."""
    if os.name != "posix":  # Windows opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks cannot
            raise
    finally:
        os.close(descriptor)
