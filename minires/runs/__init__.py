"""A run's folder: its configuration, log, checkpoints, curves and card; made once, locked while in use, resumed.

runs/NAME/
    config.json     all settings; only extend() changes them, and records that it did
    log.csv         a row per epoch
    checkpoints/    step-00000390/weights.safetensors (to be used anywhere) and loop.safetensors (the rest of the
                    loop's state), of the last two checkpoints
    weights.safetensors, result.json, curves.png, card.md     at the end
    epoch-5/        these four as they were at epoch 5, if the run finished there and was then extended
"""

import errno
import json
import os
import shlex
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from minires import checkpoint, files, show
from minires.runs import log

__all__ = ["Run", "RunError", "find", "newest"]

_KEPT = 2  # checkpoints
# What a finished run has at its end. result.json comes last: it says that the run is finished.
_FINAL = ("weights.safetensors", "curves.png", "card.md", "result.json")


class RunError(ValueError):
    """A run's folder that is in use, taken, or holds no run."""


class Run:
    """A run's folder. Run.new makes one, Run(folder) opens one.

    config  its settings, a dict
    extensions  a dict for each time that its number of epochs changed: from, to, after which epoch and step
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        if not (self.folder / "config.json").is_file():
            raise RunError(
                f"{self.folder} holds no run: there is no config.json in it{_others(self.folder)}"
            )
        self.config, self.extensions = self._read()

    def _read(self):
        """(config, extensions), as config.json has them now."""
        path, needed = self.folder / "config.json", ("data", "model", "epochs", "seed")
        config = _facts(path, needed, "start a new run")
        extensions = config.pop("extensions", [])
        if not isinstance(extensions, list) or not all(map(_is_extension, extensions)):
            raise RunError(f"{path} is damaged: expected a list of extensions")
        return config, extensions

    @classmethod
    def new(cls, folder, config):
        """A new run in a folder that is not there yet.

        Raises  RunError: the folder is there. OSError: it cannot be made.
        """
        try:
            files.write_folder(
                folder,
                {"config.json": _as_json(config)},
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
            if self._read() != (self.config, self.extensions):
                raise RunError(f"{self.folder} has just been changed by another process: try again")
            for folder in (self.folder, self.checkpoints):
                files.remove_remnants(folder)
            yield
        finally:
            lock.release()

    def quoted(self):
        """Its folder as a word of the command line."""
        folder = str(self.folder)
        return subprocess.list2cmdline([folder]) if os.name == "nt" else shlex.quote(folder)

    # Extensions.

    def extend(self, extension):
        """Record an extension: from then on the run has extension["to"] epochs, and is not finished before them."""
        config = {**self.config, "epochs": extension["to"]}
        extensions = [*self.extensions, extension]
        files.write(self.folder / "config.json", _as_json({**config, "extensions": extensions}))
        self.config, self.extensions = config, extensions

    def reopen(self):
        """Before an unfinished run goes on: move what it left where it finished earlier to epoch-N/.

        A kill in between leaves result.json, and the next start moves the rest. Weights without it are those of a
        run that was killed while it finished, which writes them again.
        """
        path = self.folder / "result.json"
        if not path.exists():
            (self.folder / _FINAL[0]).unlink(missing_ok=True)
            return
        kept = self.folder / f"epoch-{self._epochs_of(_read_result(path))}"
        kept.mkdir(exist_ok=True)
        for name in _FINAL:
            if (self.folder / name).exists():
                (self.folder / name).replace(kept / name)

    def _epochs_of(self, result):
        """How many epochs a result is for. Results of minires 0.1.0 do not say it: it could not extend a run."""
        first = self.extensions[0]["from"] if self.extensions else self.config["epochs"]
        return result.get("epochs", first)

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
        for old in self.saved()[_KEPT:]:
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
        """The result of the test at the end: a dict, or None before that."""
        path = self.folder / "result.json"
        result = _read_result(path) if path.exists() else None
        return result if result and self._epochs_of(result) == self.config["epochs"] else None

    def write_result(self, result):
        """Write result.json: from then on the run is finished."""
        contents = _as_json({**result, "epochs": self.config["epochs"]})
        files.write(self.folder / "result.json", contents)

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
        try:
            return log.read(path) if path.exists() else []
        except ValueError as error:
            raise RunError(f"{error}. --resume writes it again") from None

    def write_log(self, rows):
        """Write log.csv, all of it."""
        log.write(self.folder / "log.csv", rows)

    def curves(self):
        """The log as lists, for show.curves: what there is of "train loss", "validation accuracy", ..."""
        return log.curves(self.log())

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


def _is_extension(found):
    return isinstance(found, dict) and {"from", "to", "epoch", "step", "schedule"} <= found.keys()


def _as_json(facts):
    return json.dumps(facts, indent=2).encode() + b"\n"


def _read_result(path):
    return _facts(path, ("test_accuracy",), "remove it, and --resume tests again")


def _facts(path, wanted, remedy):
    """The dict in a JSON file, which must hold the `wanted` keys.

    Raises  RunError: it does not. It says what to do.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error}): {remedy}") from None
    lacking = [name for name in wanted if not isinstance(facts, dict) or name not in facts]
    if lacking:
        raise RunError(f"{path} is damaged: it lacks {', '.join(lacking)}. To mend it, {remedy}")
    return facts
