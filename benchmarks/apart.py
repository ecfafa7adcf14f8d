"""A command in a process of its own, with a time limit: how it ended, in one line. Whatever happens to it, the caller continues."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PYTHON = (sys.executable, "-X", "faulthandler")  # which says on stderr where a signal struck
FRAME = re.compile(r'^  File "(.+)", line (\d+)(?: in (\S+))?')
LIBRARY = sysconfig.get_path("stdlib")
LAST = 5.0  # seconds to say where it hangs, before it is killed
ENDING = signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has no SIGHUP


class Ended(NamedTuple):
    """How a command ended."""

    code: int  # its exit status; negative: the signal that ended it
    seconds: float
    late: bool  # True if it was stopped because its time was over
    errors: str  # what it wrote to stderr

    @property
    def why(self):
        """Why it failed, in one line; None if it did not."""
        if self.late:
            return f"not finished after {self.seconds:.0f} s{self._place()}"
        if self.code < 0:
            return f"ended by {_signal(-self.code)}{self._place()}"
        if self.code:
            lines = [line for line in self.errors.splitlines() if line.strip()]
            return lines[-1].strip()[:200] if lines else f"exit status {self.code}"
        return None

    def _place(self):
        """Return the innermost place that faulthandler names, outside of other packages if there is one."""
        text = self.errors.rpartition("Current thread")[2]  # those of other threads come before it
        found = [match.groups() for line in text.splitlines() if (match := FRAME.match(line))]
        own = [
            place
            for place in found
            if "site-packages" not in place[0] and not place[0].startswith(LIBRARY)
        ]
        for path, line, function in (own or found)[:1]:
            return f", in {function or 'a function'} ({Path(path).name}, line {line})"
        return ""


def leave_no_core_file():
    """Let a crash of this process leave no file."""
    with suppress(ImportError):  # Windows leaves none
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(words, seconds, *, variables=None, stdout=None):
    """Run a command in the project's folder, and return how it Ended.

    seconds  after which it and its children are killed
    variables  of the environment, besides those of this process; None as a value removes one
    stdout  of the command (default: that of this process)
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(variables or {})}
    environment = {name: value for name, value in environment.items() if value is not None}
    begun, ended = time.perf_counter(), None
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=stdout,
                                   stderr=errors, start_new_session=True)  # fmt: skip
        try:
            with _ended_by_signals():
                process.wait(seconds)
        except subprocess.TimeoutExpired:
            ended = time.perf_counter()
            process.send_signal(signal.SIGABRT)  # faulthandler then says where it is
            try:
                process.wait(LAST)
            except subprocess.TimeoutExpired:
                pass
        except (
            BaseException
        ):  # this process is interrupted: the command ends its own commands first
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(LAST)
            raise
        finally:
            _kill(process)
        errors.seek(0)
        text = errors.read().decode("utf-8", errors="replace")
    return Ended(
        process.returncode, (ended or time.perf_counter()) - begun, ended is not None, text
    )


@contextmanager
def _ended_by_signals():
    """Context manager: a signal that would end this process raises SystemExit instead, so that no command outlives it."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in ENDING}

    def end(number, _):
        sys.exit(128 + number)

    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is signal.SIG_DFL:
                signal.signal(number, handler)


def _kill(process):
    """End a process and its children, if any are left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _signal(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
