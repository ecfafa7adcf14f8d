"""Ctrl-C, SIGTERM and the end of a terminal, as a request to stop after the current step."""

import os
import signal
import threading
from contextlib import suppress

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


class Stop:
    """A context in which Ctrl-C, SIGTERM or SIGHUP asks for a stop.

    It asks once: a second signal ends the process immediately. Outside the main thread nothing does,
    as only that thread may handle signals.

    asked  the signal's number, or 0
    """

    def __init__(self):
        self.asked, self._before = 0, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number, _):
        self.asked = number
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        with suppress(OSError):  # the terminal may be gone
            # not print(): the signal may come in the middle of another one
            os.write(2, b"\nstopping after this step; once more ends at once\n")

    def until(self, items):
        """The items, up to the one in whose use the stop was asked for."""
        for item in items:
            yield item
            if self.asked:
                return
