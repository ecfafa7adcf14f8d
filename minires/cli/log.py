"""The log of a run in training: a row for each epoch, and the seconds that went by."""

import time


class Log:
    """The rows of log.csv, and how many seconds training took, in all processes."""

    def __init__(self):
        self.rows, self.seconds, self._counted_at = [], 0.0, time.monotonic()

    def count_seconds(self):
        """Count the seconds since the last time: at a checkpoint, which holds the sum."""
        now = time.monotonic()
        self.seconds, self._counted_at = self.seconds + now - self._counted_at, now

    def seconds_since_save(self):
        """The seconds that are not counted yet."""
        return time.monotonic() - self._counted_at

    def state_dict(self):
        """All rows, and the seconds that are counted."""
        return {"rows": self.rows, "seconds": self.seconds}

    def load_state_dict(self, state):
        """Go on from where state_dict() was called."""
        self.rows = state["rows"]
        self.seconds = state["seconds"]
        self._counted_at = time.monotonic()
