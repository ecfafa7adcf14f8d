"""The rest of a cell's output, folded under a prediction, in a notebook."""

import sys

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

from minires.course.predictions import page


class Fold:
    """From now to the end of the cell, what is printed and shown is collected; it then appears as one page under the question."""

    def __init__(self, prediction, shell):
        self._prediction, self._shell, self._parts = prediction, shell, []
        self._stdout, self._publisher = sys.stdout, shell.display_pub
        sys.stdout = _Printed(self._parts, sys.stdout)
        shell.display_pub = _Publisher(self._parts)
        # The shell sets its own hook before a cell and takes it away after.
        sys.displayhook = _Hook(self._parts, shell)
        shell.events.register("post_run_cell", self._end)

    def _end(self, result):
        """Show the page; if the cell failed, what it printed so far, as it would have appeared."""
        self._shell.events.unregister("post_run_cell", self._end)
        sys.stdout, self._shell.display_pub = self._stdout, self._publisher
        if result is not None and not result.success:
            for data, metadata in self._parts:
                if data.keys() == {"text/plain"}:
                    print(data["text/plain"], end="")
                else:
                    self._publisher.publish(data, metadata)
            return
        self._publisher.publish(page.bundle(self._prediction, self._parts))


class _Printed:
    """A stdout that appends what is printed to the parts."""

    def __init__(self, parts, stdout):
        self._parts, self._stdout = parts, stdout

    def write(self, text):
        """Append a text to what was printed before it."""
        last = self._parts[-1] if self._parts else None
        if last and last[1].get("printed"):
            last[0]["text/plain"] += text
        else:
            self._parts.append(({"text/plain": text}, {"printed": True}))
        return len(text)

    def flush(self):
        """Do nothing: nothing is held back."""

    def __getattr__(self, name):
        return getattr(self._stdout, name)


class _Publisher(DisplayPublisher):
    """A publisher that appends what is displayed to the parts."""

    def __init__(self, parts):
        super().__init__()
        self._to = parts

    def publish(self, data, metadata=None, **options):
        """Append what is displayed."""
        self._to.append((data, metadata or {}))


class _Hook(DisplayHook):
    """A display hook that appends the cell's last value to the parts."""

    def __init__(self, parts, shell):
        super().__init__(shell=shell, cache_size=0)
        self._to = parts

    def __call__(self, result=None):
        if result is not None and not self.quiet():
            self._to.append(self.compute_format_data(result))
