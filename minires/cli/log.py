"""The log of a run in training: a row for each epoch, and the training time."""

import time


class Log:
    """The rows of log.csv, and the seconds of training in all processes."""

    def __init__(self):
        self.rows, self.seconds, self._counted_at = [], 0.0, time.monotonic()

    def count_seconds(self):
        """Add the seconds since the last call. A checkpoint does this, and contains the sum."""
        now = time.monotonic()
        self.seconds, self._counted_at = self.seconds + now - self._counted_at, now

    def seconds_since_save(self):
        """Return the seconds that have not been added yet."""
        return time.monotonic() - self._counted_at

    def state_dict(self):
        """Return all rows, and the seconds added so far."""
        return {"rows": self.rows, "seconds": self.seconds}

    def load_state_dict(self, state):
        """Continue from where state_dict() was called."""
        self.rows = state["rows"]
        self.seconds = state["seconds"]
        self._counted_at = time.monotonic()
