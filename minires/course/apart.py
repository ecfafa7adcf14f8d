"""Exercises in a separate process: whatever it does, each exercise has a result, and no process is left running."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from minires.course import runner

DEVNULL = subprocess.DEVNULL
MOST = 1 << 20  # bytes of the learner's output that are shown, if it comes through a pipe


def run_apart(exercise, yours, tests, **options):
    """Return the runner.Result of a separate process, whatever it does. options  as for run_together"""
    return run_together([exercise], yours, tests, **options)[exercise.id]


def run_together(exercises, yours, tests, *, limit, memory=0, **options):
    """Return id -> runner.Result, from one process for all exercises, whatever it does.

    limit  seconds    memory  MiB; 0 for no limit except that on time    options  as for subprocess.Popen
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        out, token = Path(folder, secrets.token_hex(8)), secrets.token_hex(16)
        command = [sys.executable, "-P", "-m", "minires.course.runner", *(exercise.id for exercise in exercises),
                   "--yours", str(yours), "--tests", str(tests), "--out", str(out),
                   *(["--memory", str(memory), "--seconds", str(limit)] if memory else [])]  # fmt: skip
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   start_new_session=os.name == "posix", **_with_environment(options))  # fmt: skip
        printed = _Printed(process.stdout)
        try:
            with suppress(OSError):  # it ended before it read anything
                process.stdin.write(f"{token}\n".encode())
                process.stdin.close()
            process.wait(limit)
            late = False
        except subprocess.TimeoutExpired:
            late = True
        finally:
            end(process)
        printed.show()
        reason = f"it ran for more than {limit:g} s" if late else _ended(process.returncode)
        otherwise = runner.Result(runner.WRONG, message=reason)
        written = _results(out, token)
        return {exercise.id: written.get(exercise.id, otherwise) for exercise in exercises}


def _with_environment(options):
    """Return the options for Popen, with an environment in which the process finds this minires."""
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, **options.get("env", {})}
    if options.get("stdout") == subprocess.PIPE:
        environment["PYTHONIOENCODING"] = "utf-8"  # as _Printed reads it
    return {**options, "env": environment}


class _Printed:
    """The output of a process, read from a pipe by a thread; the first MOST bytes are kept."""

    def __init__(self, pipe):
        self._pipe, self._kept, self._more = pipe, bytearray(), 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        if pipe is not None:
            self._thread.start()

    def _read(self):
        while chunk := self._pipe.read1(1 << 16):
            room = MOST - len(self._kept)
            self._kept += chunk[:room]
            self._more += len(chunk[room:])

    def show(self):
        """Print it. Call this when the process has ended; a process that it left behind may keep the pipe open."""
        if self._pipe is None:
            return
        self._thread.join(timeout=1)
        print(self._kept.decode(errors="replace"), end="")
        if self._more:
            print(f"\n... ({self._more:,} more bytes)")


def end(process):
    """Kill the process and its process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def _ended(code):
    how = f"exit status {code}"
    if code < 0:
        with suppress(ValueError):  # a signal without a name
            how = signal.Signals(-code).name
    return f"its process ended before the claims did ({how})"


def _results(out, token):
    """Return id -> runner.Result, for those that the process wrote."""
    found = {}
    if not out.is_file():
        return found
    try:
        for text in out.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if line.pop("token") == token:
                id, claims = line.pop("id"), [runner.Claim(*claim) for claim in line.pop("claims")]
                found[id] = runner.Result(**line, claims=claims)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # what was written before counts
    return found
