"""Ctrl-C, SIGTERM and a closed terminal, taken as requests to stop after the current step."""

import os
import signal
import threading
from contextlib import suppress

from minires.parallel import Alone

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


class Stop:
    """Context manager: Ctrl-C, SIGTERM or SIGHUP requests a stop, and a second signal ends the process.

    Outside the main thread it does nothing, because only the main thread can handle signals. Under nohup, SIGHUP stays ignored.

    Of several processes, each tells the others in the sums of a step what it has received, and all stop after that step.

    received  the signal's number, or 0    asked  the same, as soon as every process knows it
    """

    def __init__(self, group=None):
        self.group = group or Alone()
        self.received, self.asked, self._before = 0, 0, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if not _of_nohup(number):
                    self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def requests(self):
        """For each of SIGNALS, 1 if this process has received it, otherwise 0: for agree(), after a sum over all processes."""
        return [float(self.received == number) for number in SIGNALS]

    def agree(self, sums):
        """Stop if any process has received a signal. sums  of the requests of all processes"""
        for number, processes in zip(SIGNALS, sums):
            if processes > 0:
                self.asked = int(number)

    def _ask(self, number, _):
        self.received = number
        if self.group.size == 1:
            self.asked = number
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        if self.group.rank:
            return
        with suppress(OSError):  # the terminal may be gone
            # not print(): the signal may come in the middle of another one
            os.write(2, b"\nstopping after this step; press Ctrl-C again to quit immediately\n")

    def until(self, items):
        """Return an iterator of the items, up to the one that is in use when the stop is requested."""
        return until(lambda: self.asked, items)


def _of_nohup(number):
    """Return True if this is SIGHUP, and it was ignored when the process started."""
    return signal.Signals(number).name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN


def until(due, items):
    """Yield the items, up to the one that is in use when due() is true."""
    for item in items:
        yield item
        if due():
            return
