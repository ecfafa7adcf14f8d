"""Progress while a run trains: a bar in a terminal, elsewhere a line every 30 seconds."""

import sys
import time
from contextlib import contextmanager

from tqdm import tqdm

from minires.cli.terminal import columns, is_terminal, wrapped

EVERY = 30  # seconds between lines
# Options of tqdm for terminals of 80 columns or more, for narrower ones, and for both.
WIDE = {
    "unit": " images",
    "bar_format": "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}, {rate_noinv_fmt}, "
    "{remaining} left",
}
NARROW = {
    "unit": "",
    "bar_format": "{desc}|{bar}| {n_fmt}/{total_fmt}{postfix}, {rate_noinv_fmt}, {remaining}",
}
ALWAYS = {"unit_scale": True, "smoothing": 0.05, "leave": False, "dynamic_ncols": True}


class Progress:
    """Progress of a run, shown in the way that suits the output."""

    def __init__(self):
        self.terminal = is_terminal(sys.stdout, sys.stderr)
        self._bar, self._last = None, time.monotonic()

    @contextmanager
    def shown(self, *, epochs, images, done):
        """Context manager: show how many images are done, out of those of all epochs.

        images  per epoch    done  by earlier processes
        """
        self.epochs, self.images, self.done, self._before = epochs, images, done, done
        self._begun = time.monotonic()
        options = {**ALWAYS, **(WIDE if columns() >= 80 else NARROW), "desc": self._epoch(done + 1)}
        options.update(total=epochs * images, initial=done, disable=not self.terminal)
        try:
            with tqdm(**options) as self._bar:
                yield
        finally:
            self._bar = None

    def _epoch(self, number):
        """Return the epoch of an image, from the image's number, which starts at 1."""
        return f"epoch {min((number - 1) // self.images + 1, self.epochs)}/{self.epochs}"

    def count(self, images):
        """Add the images of a step."""
        if self._bar is not None:
            self.done += images
            self._bar.set_description_str(self._epoch(self.done), refresh=False)
            self._bar.update(images)

    def due(self):
        """Return True if it is time to print a line."""
        return not self.terminal and time.monotonic() - self._last >= EVERY

    def show(self, loss):
        """Show the mean loss of the epoch so far, on the bar or, if a line is due, on a line."""
        if self._bar is None:
            return
        self._bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
        if self.due():
            seconds = time.monotonic() - self._begun
            rate = max(self.done - self._before, 1) / seconds
            left = tqdm.format_interval((self.epochs * self.images - self.done) / rate)
            self.print(
                f"{self._epoch(self.done)}: {(self.done - 1) % self.images + 1:,} of {self.images:,} images, "
                f"{rate:,.0f} images/s, loss {loss:.3f}, {left} left"
            )

    def follow(self, what, images, batches):
        """Yield the batches of an evaluation, and print how many images are done whenever a line is due."""
        done = 0
        for x, labels in batches:
            yield x, labels
            done += len(labels)
            if self.due():
                self.print(f"{what}: {done:,} of {images:,} images")

    def print(self, line):
        """Print a line, above the bar."""
        self._last = time.monotonic()
        tqdm.write(wrapped(line), file=sys.stdout)
