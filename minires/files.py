"""Writing files and folders atomically, and where downloaded ones are kept."""

import errno
import os
import platform
import re
import shutil
import threading
from contextlib import contextmanager, suppress
from pathlib import Path


def cache():
    """Return the folder of downloaded data: MINIRES_CACHE, or minires in XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("MINIRES_CACHE")
    return (
        Path(chosen)
        if chosen
        else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "minires")
    )


def write(path, data):
    """Write bytes to a file atomically: to a temporary file next to it, which is synced and then renamed.

    If the process is killed, the path has the old file or the new one; the next write to it removes the temporary file.

    Raises  NotWritten, an OSError: it names the path and the size. The old file stays, and no partial file is left.
    """
    path = Path(path)
    unfinished = _unfinished(path)
    with explained(path, len(data)):
        remove_remnants(path.parent, of=path.name)
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
    """Write a folder of files (name -> bytes) atomically, and replace an existing one. Without `replace`, an existing folder must be empty.

    Raises  NotWritten, an OSError: it names the path and the size. No partial folder is left.
    """
    folder = Path(folder)
    unfinished = _unfinished(folder)
    with explained(folder, sum(map(len, contents.values()))):
        remove_remnants(folder.parent, of=folder.name)
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
    """Remove a folder if it exists. It is renamed first: if the process is killed, the folder is complete or gone."""
    remnant = _unfinished(folder, "-old")
    if folder.exists():
        folder.rename(remnant)
        shutil.rmtree(remnant)


# The name of a temporary file or folder: what it will become, and who writes it. The thread tells two writers in a process apart.
REMNANT = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)(-\d+(-old)?@(?P<host>.+))?\.part")


def _unfinished(path, kind=""):
    owner = f"{os.getpid()}-{threading.get_ident()}{kind}@{platform.node()}"
    return path.with_name(f".{path.name}.{owner}.part")


def remove_remnants(folder, of=None):
    """Remove the temporary files and folders that killed processes left in a folder.

    Those of running processes stay, and so do those of other machines, where the process may still run.

    of  the name of a file or folder: remove only its temporary ones. Without it, no other thread may write to the folder
    """
    for remnant in Path(folder).glob(".*.part"):
        found = REMNANT.fullmatch(remnant.name)
        if not found or of not in (None, found["name"]):
            continue
        process, host = int(found["process"]), found["host"] or platform.node()
        mine = process == os.getpid() and of is None
        if host != platform.node() or (_runs(process) and not mine):
            continue
        with suppress(OSError):  # another process was faster, or Windows still has it open
            shutil.rmtree(remnant) if remnant.is_dir() else remnant.unlink()


def _runs(process):
    """Return True if a process runs on this machine. On Windows there is no need to ask: an open file cannot be removed there."""
    if os.name != "posix":
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


class NotWritten(OSError):
    """The disk is full, or the path is not writable."""

    def __str__(self):
        return self.strerror


@contextmanager
def explained(path, size):
    """Context manager: turn an OSError into a NotWritten that names the path and the size."""
    try:
        yield
    except OSError as error:
        raise NotWritten(
            error.errno, f"cannot write {path} ({size:,} bytes): {error.strerror or error}"
        ) from error


def sync(file):
    """Wait until everything written to an open file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder):
    """Wait until the names in a folder are on the disk, if the system supports that."""
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
