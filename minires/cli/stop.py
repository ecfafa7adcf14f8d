"""Ctrl-C, SIGTERM and a closed terminal, taken as requests to stop after the current step."""

import os
import signal
import threading
from contextlib import suppress

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


class Stop:
    """Context manager: Ctrl-C, SIGTERM or SIGHUP requests a stop, and a second signal ends the process.

    Outside the main thread it does nothing, because only the main thread can handle signals. Under nohup, SIGHUP stays ignored.

    asked  the signal's number, or 0
    """

    def __init__(self):
        self.asked, self._before = 0, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if not _of_nohup(number):
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
            os.write(2, b"\nstopping after this step; press Ctrl-C again to quit immediately\n")

    def until(self, items):
        """Yield the items, up to the one that is in use when the stop is requested."""
        for item in items:
            yield item
            if self.asked:
                return


def _of_nohup(number):
    """Return True if this is SIGHUP, and it was ignored when the process started."""
    return signal.Signals(number).name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN
