"""Ctrl-C, SIGTERM and the end of a terminal as a wish that the loop sees at its next step."""

import os
import signal
from contextlib import suppress

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stop:
    """A context in which Ctrl-C, SIGTERM or SIGHUP asks for a stop, once: the second one ends the process at once.

    asked  the signal's number, or 0
    """

    def __init__(self):
        self.asked, self._before = 0, {}

    def __enter__(self):
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
            os.write(2, b"\nstopping after this step; once more ends at once\n")  # print() must not be called within a print()

    def until(self, items):
        """The items, up to and with the one in whose use the stop was asked for."""
        for item in items:
            yield item
            if self.asked:
                return
