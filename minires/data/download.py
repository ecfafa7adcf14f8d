"""Downloading a published file into the cache: resumed where it was cut off, accepted only if its checksum is right."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from minires import files
from minires.data.notice import notice

CHUNK = 1 << 16  # bytes read at a time, at most
OTHERWISE = "or name its folder with --data-dir; --source URL adds an address"


def fetch(
    urls: Iterable[str],
    archives: dict[str, str],
    *,
    what: str = "images",
    otherwise: str = OTHERWISE,
    timeout: float = 30,
    pause: float = 1.0,
    tries: int = 4,
) -> Path:
    """Return the path in the cache of one of the `archives`, downloaded from the first of the `urls` that provides it.

    urls  tried in this order    archives  checksum -> file name; any of them is accepted
          A checksum is an MD5 of 32 hexadecimal digits, or the first digits of a SHA-256.
    what, otherwise  what the error calls the file, and what it says can be done
    timeout  seconds without a byte after which a connection counts as dead
    pause  seconds between `tries` attempts in a row that brought nothing; doubled each time

    A file that is in the cache already is checked and not downloaded again; the cache need not be writable then. If two
    processes call this, the second waits for the first.
    Raises  ConnectionError: no source provided the file; the message says why, what to download by other means, and where
    to put it. files.NotWritten: the disk is full or the cache cannot be written to; what has been downloaded so far stays.
    """
    folder = files.cache()
    if kept := _kept(folder, archives):
        return kept
    with files.explained(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / f".{min(archives.values())}.lock"):
        if kept := _kept(folder, archives):  # the process that this one waited for downloaded it
            return kept
        for path in (folder / name for name in archives.values()):
            if path.exists():
                notice(f"{path} is damaged: downloading it again")
                path.unlink()
        faults, parts = [], []
        for url in urls:
            part = folder / (PurePosixPath(urlsplit(url).path).name + ".part")
            parts.append(part)
            try:
                if not (part.exists() and _which(part, archives)):
                    notice(f"downloading {url}")
                    _download(url, part, timeout, pause, tries)
            except files.NotWritten:
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                faults.append(f"{url}: {_reason(error)}")
                continue
            known = _which(part, archives)
            if known:
                part.replace(folder / archives[known])
                files.sync_folder(folder)
                for other in parts:  # what a source gave before its connection was cut
                    other.unlink(missing_ok=True)
                return folder / archives[known]
            kinds = sorted({_kind(known) for known in archives})
            found = ", ".join(f"{NAMES[kind]} {checksum(part, kind)}" for kind in kinds)
            faults.append(f"{url}: it is a different file ({part.stat().st_size:,} bytes, {found})")
            part.unlink()
    expected = " or ".join(
        f"{name} ({NAMES[_kind(known)]} {known})" for known, name in archives.items()
    )
    raise ConnectionError(
        f"no source provided the {what}:\n  "
        + "\n  ".join(faults)
        + f"\nDownload {expected} by other means, from one of these "
        f"addresses, and put it into {folder}, {otherwise}"
    )


NAMES = {"md5": "MD5", "sha256": "SHA-256"}


def checksum(path: Path, kind: str = "md5") -> str:
    """Return the checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


def _kind(known: str) -> str:
    return "md5" if len(known) == 32 else "sha256"


def _which(path: Path, archives: dict[str, str]) -> str | None:
    """Return which of the archives' checksums a file has, or None."""
    return next(
        (known for known in archives if checksum(path, _kind(known)).startswith(known)), None
    )


def _kept(folder: Path, archives: dict[str, str]) -> Path | None:
    """Return the path of an archive that is there and complete, or None."""
    paths = [(folder / name, {known: name}) for known, name in archives.items()]
    return next((path for path, one in paths if path.is_file() and _which(path, one)), None)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Context manager: only one process at a time runs the block. The lock ends with its process, however that ends."""
    lock = FileLock(path)
    with files.explained(path, 0):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            notice("another process is downloading this file: waiting for it")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(url: str, part: Path, timeout: float, pause: float, tries: int) -> None:
    """Download `url` into the file `part`, continuing after what it contains.

    A host that cannot be reached is not tried again, unless it was reached before.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("expected an address that begins with http:// or https://")
    failures, reached = 0, False
    while True:
        before = _size(part)
        try:
            _go_on(url, part, timeout)
            return
        except files.NotWritten:
            raise
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # the part is longer than the file
                part.unlink()
            elif error.code < 500:
                raise
            problem: Exception = error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.URLError) and not reached:
                raise
            problem = error
        reached = True
        failures = 1 if _size(part) > before else failures + 1
        if failures == tries:
            raise problem
        time.sleep(pause * 2 ** (failures - 1))


def _go_on(url: str, part: Path, timeout: float) -> None:
    """Download over one connection, from where `part` ends to the end of the file or until the connection is cut."""
    from tqdm import tqdm

    have = _size(part)
    headers = {"User-Agent": "minires", **({"Range": f"bytes={have}-"} if have else {})}
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=timeout
    ) as answer:
        if answer.status != 206 or not answer.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        ):
            have = 0  # the server sends the whole file
        # Before it replaces what has been downloaded so far.
        if answer.headers.get_content_type() == "text/html":
            raise ValueError("it sent a web page instead of the file")
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        bar = tqdm(
            total=total,
            initial=have,
            unit="B",
            unit_scale=True,
            desc=part.stem,
            disable=None,
            leave=False,
        )
        with bar, _opened(part, "ab" if have else "wb", total or 0) as file:
            # Written as soon as it arrives, so that a cut or a stall loses nothing.
            while chunk := answer.read1(CHUNK):
                with files.explained(part, total or 0):
                    file.write(chunk)
                bar.update(len(chunk))
            with files.explained(part, total or 0):
                files.sync(file)
    if total is not None and _size(part) < total:
        raise ConnectionError(f"cut off after {_size(part):,} of {total:,} bytes")


def _opened(path: Path, mode: str, size: int) -> Any:
    with files.explained(path, size):
        return open(path, mode, buffering=0)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return "no answer in time"
    return str(getattr(error, "reason", "") or error) or type(error).__name__
