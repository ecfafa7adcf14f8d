"""A run's folder: its configuration, log, checkpoints, curves and card; made once, locked while in use, resumed.

runs/NAME/
    config.json     all settings; they do not change
    log.csv         a row an epoch
    checkpoints/    step-00000390/weights.safetensors (to be used anywhere) and loop.safetensors (the rest of the
                    loop's state), of the last two checkpoints
    weights.safetensors, result.json, curves.png, card.md     at the end
"""

import csv
import errno
import io
import json
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from minires import checkpoint, files, show

__all__ = ["Run", "RunError", "find", "newest"]

KEPT = 2  # checkpoints


class RunError(ValueError):
    """A run's folder that is in use, taken, or holds no run."""


class Run:
    """A run's folder. Run.new makes one, Run(folder) opens one."""

    def __init__(self, folder):
        self.folder = Path(folder)
        if not (self.folder / "config.json").is_file():
            raise RunError(
                f"{self.folder} holds no run: there is no config.json in it{_others(self.folder)}"
            )
        self.config = _facts(
            self.folder / "config.json", ("data", "model", "epochs", "seed"), "start a new run"
        )

    @classmethod
    def new(cls, folder, config):
        """A new run in a folder that is not there yet.

        Raises  RunError: the folder is there. OSError: it cannot be made.
        """
        try:
            files.write_folder(
                folder,
                {"config.json": json.dumps(config, indent=2).encode() + b"\n"},
                replace=False,
            )
        except files.NotWritten as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            taken = f"{folder} is there already: --resume {folder} goes on with it, another --name starts anew"
            raise RunError(taken) from None
        return cls(folder)

    @contextmanager
    def locked(self):
        """A context in which no other process may use this folder. Remnants of a killed one are removed.

        Raises  RunError: another process uses it.
        """
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise RunError(
                f"{self.folder} is in use by another process: wait for it, or choose another --name"
            ) from None
        try:
            for folder in (self.folder, self.checkpoints):
                files.remove_remnants(folder)
            yield
        finally:
            lock.release()

    # Checkpoints.

    @property
    def checkpoints(self):
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    def save(self, step, weights, loop):
        """Keep a checkpoint: `weights` (state, facts), `loop` (arrays, facts). Older ones than the one before it go."""
        (state, facts), (arrays, numbers) = weights, loop
        contents = {
            "weights.safetensors": checkpoint.packed_weights(state, **facts),
            "loop.safetensors": checkpoint.packed(arrays, numbers),
        }
        files.write_folder(self.checkpoints / _name(step), contents)
        for old in self.saved()[KEPT:]:
            with suppress(OSError):  # another process may hold it open: it goes at the next time
                files.remove_folder(old)

    def saved(self):
        """The folders of the checkpoints, the newest first."""
        return sorted(self.checkpoints.glob("step-*"), reverse=True)

    def forget_after(self, step):
        """Remove checkpoints of later steps: damaged ones, in whose place whole ones are to come."""
        for folder in self.saved():
            if folder.name > _name(step):
                files.remove_folder(folder)

    def newest(self, complain=print):
        """(state, facts, arrays, numbers) of the newest checkpoint that is whole; `complain` is told of others.

        Raises  RunError: there is none.
        """
        for folder in self.saved():
            try:
                loop = checkpoint.load(folder / "loop.safetensors")
                return *checkpoint.load_weights(folder / "weights.safetensors"), *loop
            except (OSError, checkpoint.CheckpointError) as error:
                complain(f"{error}. Going back to the checkpoint before it")
        raise RunError(f"{self.folder} has no whole checkpoint: start a new run")

    def weights(self, complain=print):
        """(state, facts) of the net as it is at the end of the run, or at the newest whole checkpoint.

        Raises  RunError: there is none yet. CheckpointError: the weights at the end are damaged.
        """
        final = self.folder / "weights.safetensors"
        return checkpoint.load_weights(final) if final.exists() else self.newest(complain)[:2]

    # The end.

    def result(self):
        """What the test gave, once, at the end: a dict, or None before that."""
        path = self.folder / "result.json"
        return (
            _facts(path, ("test_accuracy",), "remove it, and --resume tests again")
            if path.exists()
            else None
        )

    def write_result(self, result):
        """Write result.json: from then on the run is finished."""
        files.write(self.folder / "result.json", json.dumps(result, indent=2).encode() + b"\n")

    def write_card(self, facts, config):
        """Write card.md: a row per fact (label -> text) about the run, and its config without paths."""
        rows = [f"| {name} | {text} |" for name, text in facts.items()]
        settings = json.dumps(config, indent=2)
        head = [f"# {self.folder.name}", "", "| | |", "| --- | --- |"]
        tail = ["", "![curves](curves.png)", "", "```json", settings, "```"]
        text = "\n".join([*head, *rows, *tail, ""])
        files.write(self.folder / "card.md", text.encode(errors="backslashreplace"))

    # The log.

    def log(self):
        """The rows of log.csv: dicts of numbers (None where there is none)."""
        path = self.folder / "log.csv"
        if not path.exists():
            return []
        try:
            with open(path, newline="", encoding="utf-8") as file:
                rows = [
                    {name: _number(text) for name, text in row.items()}
                    for row in csv.DictReader(file)
                ]
        except (ValueError, AttributeError, TypeError) as error:
            raise RunError(
                f"{path} is damaged ({error}): its rows must be numbers. --resume writes it anew"
            ) from None
        if rows and "train_loss" not in rows[0]:
            raise RunError(
                f"{path} is damaged: it has the columns {', '.join(rows[0])}. --resume writes it anew"
            )
        return rows

    def write_log(self, rows):
        """Write log.csv anew."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]) if rows else ["epoch"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        files.write(self.folder / "log.csv", text.getvalue().encode())

    def curves(self):
        """The log as lists, for show.curves: what there is of "train loss", "validation accuracy", ..."""
        rows = self.log()
        names = [
            f"{part} {quantity}"
            for part in ("train", "validation")
            for quantity in ("loss", "accuracy")
        ]
        return {name: [row[name.replace(" ", "_")] for row in rows] for name in names
                if rows and rows[0].get(name.replace(" ", "_")) is not None}  # fmt: skip

    def draw(self, title):
        """Write curves.png."""
        picture = self.folder / "curves.png"
        show.curves(self.curves(), title=title).save(picture)
        return picture


def find(name):
    """A run's folder by its path, or by its name in runs/."""
    return next(
        (path for path in (Path(name), Path("runs", name)) if (path / "config.json").is_file()),
        Path(name),
    )


def newest():
    """The folder in runs/ whose log was written last.

    Raises  RunError: there is none.
    """
    logs = sorted(Path("runs").glob("*/log.csv"), key=lambda path: path.stat().st_mtime)
    if not logs:
        raise RunError("there is no run in runs/: `minires train` makes one")
    return logs[-1].parent


def _number(text):
    if text == "":
        return None
    return float(text) if "." in text or "n" in text or "e" in text else int(text)


def _others(folder):
    """The runs beside a folder that is none, and those in runs/."""
    found = {
        str(path.parent)
        for parent in (folder.parent, Path("runs"))
        for path in parent.glob("*/config.json")
    }
    return f"; there are {', '.join(sorted(found))}" if found else ""


def _name(step):
    return f"step-{step:08}"


def _facts(path, wanted, remedy):
    """The dict in a JSON file, which must hold the `wanted` keys.

    Raises  RunError: it does not. It says what to do.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise RunError(f"{path} is damaged ({error}): {remedy}") from None
    lacking = [name for name in wanted if not isinstance(facts, dict) or name not in facts]
    if lacking:
        raise RunError(f"{path} is damaged: it lacks {', '.join(lacking)}. To mend it, {remedy}")
    return facts
