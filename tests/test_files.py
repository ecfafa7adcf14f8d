"""Files are there whole or not at all: after errors, on full disks, and after SIGKILL at any moment."""

import errno
import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

import numpy
import pytest

from minires import files, show
from minires.checkpoint import save_weights

ROOT = Path(__file__).parents[1]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_written_over(tmp_path):
    for data in (b"one", b"two, longer", b""):
        files.write(tmp_path / "a.txt", data)
        assert (tmp_path / "a.txt").read_bytes() == data and names(tmp_path) == ["a.txt"]


def test_a_folder_is_written_and_replaced_whole(tmp_path):
    files.write_folder(tmp_path / "x" / "f", {"a": b"1", "b": b"2"})
    files.write_folder(tmp_path / "x" / "f", {"a": b"3"})
    assert names(tmp_path / "x") == ["f"] and names(tmp_path / "x" / "f") == ["a"]
    assert (tmp_path / "x" / "f" / "a").read_bytes() == b"3"
    files.remove_folder(tmp_path / "x" / "f")
    files.remove_folder(tmp_path / "x" / "f")
    assert names(tmp_path / "x") == []


class Full:
    """os.fsync on a disk that is full."""

    def __init__(self, monkeypatch):
        self.calls = 0
        monkeypatch.setattr(os, "fsync", self)

    def __call__(self, _):
        self.calls += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_an_error_that_names_path_and_size_and_leaves_the_old_file(
    tmp_path, monkeypatch
):
    files.write(tmp_path / "a", b"old")
    files.write_folder(tmp_path / "f", {"a": b"old"})
    full = Full(monkeypatch)
    with pytest.raises(
        OSError, match=r"cannot write .*a \(1,234 bytes\): No space left on device"
    ) as caught:
        files.write(tmp_path / "a", bytes(1234))
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match=r"cannot write .*f \(3,000 bytes\): No space left on device"):
        files.write_folder(tmp_path / "f", {"a": bytes(1000), "b": bytes(2000)})
    assert full.calls == 2 and names(tmp_path) == ["a", "f"]
    assert (tmp_path / "a").read_bytes() == b"old" == (tmp_path / "f" / "a").read_bytes()


def test_a_file_larger_than_allowed_leaves_nothing(tmp_path):
    """A real refusal by the system: at most 1,000 bytes a file."""
    code = f"""
import resource, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from minires import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for write in (lambda: files.write("a", bytes(5000)), lambda: files.write_folder("f", {{"a": bytes(10), "b": bytes(4990)}})):
    try:
        write()
    except OSError as error:
        print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert told.count("(5,000 bytes): File too large") == 2 and names(tmp_path) == []


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for write in (
        lambda: files.write(tmp_path / "file" / "a", b"1"),
        lambda: files.write_folder(tmp_path / "file" / "f", {"a": b""}),
    ):
        with pytest.raises(OSError, match="cannot write .*file.*bytes"):
            write()
    assert names(tmp_path) == ["file"]


def test_remnants_of_a_killed_process_are_removed_and_nothing_else(tmp_path):
    files.write(tmp_path / "a", b"1")
    (tmp_path / ".a.123.part").write_bytes(b"half")
    (tmp_path / ".step-1.123.part").mkdir()
    (tmp_path / ".step-1.123.part" / "a").write_bytes(b"half")
    (tmp_path / ".lock").write_bytes(b"")
    files.remove_remnants(tmp_path)
    assert names(tmp_path) == [".lock", "a"]
    files.remove_remnants(tmp_path / "not there")


WRITERS = {
    "file": lambda path: files.write(path, b"new"),
    "folder": lambda path: files.write_folder(path, {"a": b"new"}),
    "weights": lambda path: save_weights(path, {"w": numpy.ones(2)}),
    "picture": lambda path: show.curves({"train loss": [1.0]}).save(path),
}


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_the_next_writer_removes_what_a_killed_one_left(write, tmp_path, dead):
    path, host = tmp_path / "w.png", platform.node()
    left = [f".w.png.{dead}.part", f".w.png.{dead}-140@{host}.part", f".w.png.{dead}-1-old@{host}.part"]  # fmt: skip
    (tmp_path / left[0]).write_bytes(b"half")
    for name in left[1:]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_bytes(b"half")
    write(path)
    assert names(tmp_path) == ["w.png"]


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_writer_leaves_what_others_may_still_write(write, tmp_path, dead):
    """Of a process that lives, of this one, of another machine; and what belongs to other names, or to nobody."""
    host, parent, own = platform.node(), os.getppid(), os.getpid()
    kept = [f".w.png.{parent}.part", f".w.png.{parent}-1@{host}.part", f".w.png.{own}-1@{host}.part", f".w.png.{dead}-1@not.{host}.part",
            f".w.{dead}-1@{host}.part", f".w.png.old.{dead}.part", f".v.png.{dead}.part", ".w.png.part", ".w.png.x.part", "w.png.1.part"]  # fmt: skip
    for name in kept:
        (tmp_path / name).write_bytes(b"half")
    write(tmp_path / "w.png")
    assert names(tmp_path) == sorted([*kept, "w.png"])


def test_in_a_folder_of_its_own_a_process_removes_its_own_remnants_too(tmp_path, dead):
    host, own = platform.node(), os.getpid()
    for name in (f".w.{own}-1@{host}.part", f".w.{dead}-1@{host}.part", f".w.{os.getppid()}-1@{host}.part"):  # fmt: skip
        (tmp_path / name).write_bytes(b"half")
    files.remove_remnants(tmp_path)
    assert names(tmp_path) == [f".w.{os.getppid()}-1@{host}.part"]


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_after_a_kill_the_old_is_there_and_the_next_write_leaves_nothing_else(kind, tmp_path):
    """A real process, killed while it waits for the disk."""
    path = tmp_path / "w"
    WRITERS[kind](path)
    call = {"file": "files.write('w', b'x' * 1000)", "folder": "files.write_folder('w', {'a': b'x' * 1000})"}  # fmt: skip
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from minires import files
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
{call[kind]}
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == -9
    assert len(names(tmp_path)) == 2
    assert (path if kind == "file" else path / "a").read_bytes() == b"new"
    WRITERS[kind](path)
    assert names(tmp_path) == ["w"]


def test_threads_that_write_the_same_file_leave_one_whole(tmp_path):
    wholes = [bytes([i]) * 100_000 for i in range(8)]
    threads = [threading.Thread(target=files.write, args=(tmp_path / "w", data)) for data in wholes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "w").read_bytes() in wholes and names(tmp_path) == ["w"]


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MINIRES_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert files.cache() == tmp_path / ".cache" / "minires"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert files.cache() == tmp_path / "x" / "minires"
    monkeypatch.setenv("MINIRES_CACHE", str(tmp_path / "m"))
    assert files.cache() == tmp_path / "m"
