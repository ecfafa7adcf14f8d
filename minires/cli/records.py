"""Logs of a run for other programs: JSON lines and TensorBoard's event files, chosen by `--log`.

A record is a dict: step, lr and loss of every 20th step, or a row of log.csv for each epoch.
"""

import json
import math

from minires import files

FORMATS = ("jsonl", "tensorboard")


class JsonLines:
    """The file log.jsonl, with a JSON object on each line; a loss that is not finite is null.

    step, epoch  where the run resumes; later records are removed, because the run writes them again
    """

    def __init__(self, folder, step, epoch):
        self.path = folder / "log.jsonl"
        kept = [line for line in self._lines() if _is_done(line, step, epoch)]
        files.write(self.path, "".join(f"{line}\n" for line in kept).encode())

    def _lines(self):
        if not self.path.exists():
            return []
        # A damaged line is no JSON, and is dropped.
        return self.path.read_text(encoding="utf-8", errors="replace").splitlines()

    def write(self, record):
        """Append a record."""
        known = {name: _finite(value) for name, value in record.items()}
        line = json.dumps(known, allow_nan=False).encode() + b"\n"
        with files.explained(self.path, len(line)), open(self.path, "ab") as file:
            file.write(line)

    def close(self):
        """Do nothing: each record is already written."""


def _finite(value):
    """Return a number, or None in place of infinity and NaN, which JSON lacks."""
    return value if value is None or math.isfinite(value) else None


def _is_done(line, step, epoch):
    """Return True if a line is a record up to this step and epoch. A kill may have cut off the last line."""
    try:
        record = json.loads(line)
        return record["step"] <= step and record.get("epoch", 0) <= epoch
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


class TensorBoard:
    """Event files in tensorboard/, with a scalar for each number. `tensorboard --logdir runs` shows them.

    step, epoch  as in JsonLines; TensorBoard hides later records

    Raises  ValueError: the package tensorboardX is not installed.
    """

    def __init__(self, folder, step, epoch):
        self._writer = _tensorboard().SummaryWriter(
            str(folder / "tensorboard"), purge_step=step + 1, flush_secs=10
        )

    def write(self, record):
        """Add the record's numbers."""
        for name, value in record.items():
            if name not in ("step", "epoch") and value is not None:
                self._writer.add_scalar(name.replace("_", "/", 1), value, record["step"])

    def close(self):
        """Write the records that are still in memory."""
        self._writer.close()


def _tensorboard():
    try:
        import tensorboardX
    except ImportError:
        raise ValueError(
            "--log tensorboard needs the package tensorboardX: pip install tensorboardX"
        ) from None
    return tensorboardX


def check(formats):
    """Refuse a format whose package is not installed.

    Raises  ValueError.
    """
    if "tensorboard" in formats:
        _tensorboard()


class Records:
    """Context manager: the logs of a run in some formats, continued from where it resumes."""

    def __init__(self, formats, folder, step, epoch):
        classes = {"jsonl": JsonLines, "tensorboard": TensorBoard}
        self._writers = [classes[name](folder, step, epoch) for name in dict.fromkeys(formats)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for writer in self._writers:
            writer.close()

    def write(self, record):
        """Write a record to each log."""
        for writer in self._writers:
            writer.write(record)
