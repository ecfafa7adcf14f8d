"""A run's folder: its settings, log, checkpoints, curves and card. It is made once, and locked while in use.

runs/NAME/
    config.json     all settings; only extend() changes them, and records it
    log.csv         a row per epoch
    steps.csv       a row per step: its learning rate and its loss
    checkpoints/    the last two checkpoints: step-00000390/weights.safetensors, for use anywhere, and
                    loop.safetensors, the rest of the loop's state
    kept/           checkpoints of the start, of each epoch, and of ten steps before the end (--keep-epochs)
    exercises/      the learner's files that run (--mine)
    weights.safetensors, predictions.npz, result.json, curves.png, card.md     at the end
    epoch-5/        these five as of epoch 5, if the run finished there and was then extended
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
from minires.runs import documents, log, steps
from minires.runs.documents import RunError

__all__ = ["Run", "RunError", "find", "newest"]

_KEPT = 2  # checkpoints
# Files of a finished run. result.json comes last: it marks the run as finished.
_FINAL = ("weights.safetensors", "predictions.npz", "curves.png", "card.md", "result.json")


class Run:
    """A run's folder. Run.new creates one, and Run(folder) opens one.

    config  its settings, a dict
    extensions  a dict for each change of its number of epochs: from, to, and the epoch and step when it was made
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        if not (self.folder / "config.json").is_file():
            raise RunError(
                f"{self.folder} is not a run: it has no config.json{_others(self.folder)}"
            )
        self.config, self.extensions = documents.config(self.folder / "config.json")

    @classmethod
    def new(cls, folder, config):
        """Create a run in a new folder.

        Raises  RunError: the folder already exists. OSError: it cannot be created.
        """
        try:
            files.write_folder(
                folder,
                {"config.json": documents.as_json(config)},
                replace=False,
            )
        except files.NotWritten as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            taken = f"{folder} already exists: --resume {folder} continues it, a different --name starts a new run"
            raise RunError(taken) from None
        return cls(folder)

    @contextmanager
    def locked(self):
        """Context manager: no other process may use this folder. Unfinished files of a killed process are removed.

        Raises  RunError: another process is using it.
        """
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise RunError(
                f"{self.folder} is in use by another process: wait for it, or choose a different --name"
            ) from None
        try:
            if documents.config(self.folder / "config.json") != (self.config, self.extensions):
                raise RunError(f"{self.folder} has just been changed by another process: try again")
            for folder in (self.folder, self.checkpoints, self.kept):
                files.remove_remnants(folder)
            yield
        finally:
            lock.release()

    def quoted(self):
        """Return the folder as it is typed in a shell."""
        folder = str(self.folder)
        return subprocess.list2cmdline([folder]) if os.name == "nt" else shlex.quote(folder)

    # Extensions.

    def extend(self, extension):
        """Record an extension: from now on, the run is finished after extension["to"] epochs."""
        config = {**self.config, "epochs": extension["to"]}
        extensions = [*self.extensions, extension]
        files.write(
            self.folder / "config.json", documents.as_json({**config, "extensions": extensions})
        )
        self.config, self.extensions = config, extensions

    def reopen(self):
        """Move the files of an earlier finish to epoch-N/, before an unfinished run continues.

        A kill in between leaves result.json, and the next start moves the rest. Weights without a result come from
        a run that was killed while it finished: it writes them again.
        """
        path = self.folder / "result.json"
        if not path.exists():
            (self.folder / _FINAL[0]).unlink(missing_ok=True)
            return
        kept = self.folder / f"epoch-{self._epochs_of(documents.result(path))}"
        kept.mkdir(exist_ok=True)
        for name in _FINAL:
            if (self.folder / name).exists():
                (self.folder / name).replace(kept / name)

    def _epochs_of(self, result):
        """Return the number of epochs that a result is for. minires 0.1.0 did not write it, and could not extend a run."""
        first = self.extensions[0]["from"] if self.extensions else self.config["epochs"]
        return result.get("epochs", first)

    # Checkpoints.

    @property
    def checkpoints(self):
        """The folder of checkpoints."""
        return self.folder / "checkpoints"

    @property
    def kept(self):
        """The folder of checkpoints that stay."""
        return self.folder / "kept"

    def save(self, step, weights, loop, *, keep=False):
        """Save a checkpoint of `weights` (state, facts) and `loop` (arrays, facts), and remove all but it and the one before it.

        keep  save it among those that stay, too
        """
        (state, facts), (arrays, numbers) = weights, loop
        contents = {
            "weights.safetensors": checkpoint.packed_weights(state, **facts),
            "loop.safetensors": checkpoint.packed(arrays, numbers),
        }
        # The one to resume from comes last, so that a killed process leaves none that stays unwritten.
        for folder in (self.kept, self.checkpoints) if keep else (self.checkpoints,):
            files.write_folder(folder / _name(step), contents)
        for old in self.saved()[_KEPT:]:
            with suppress(OSError):  # another process may have it open: the next save removes it
                files.remove_folder(old)

    def saved(self):
        """Return the folders of the checkpoints, newest first."""
        return sorted(self.checkpoints.glob("step-*"), reverse=True)

    def forget_after(self, step):
        """Remove checkpoints of later steps: they are damaged, and training will write them again."""
        for folder in self.saved():
            if folder.name > _name(step):
                files.remove_folder(folder)

    def newest(self, complain=print):
        """Return (state, facts, arrays, numbers) of the newest complete checkpoint.

        complain  is called with a sentence about each newer one, which is damaged

        Raises  RunError: there is none.
        """
        saved = self.saved()
        for folder in saved:
            try:
                loop = checkpoint.load(folder / "loop.safetensors")
                return *checkpoint.load_weights(folder / "weights.safetensors"), *loop
            except (OSError, checkpoint.CheckpointError) as error:
                before = ". Loading the checkpoint before it" if folder != saved[-1] else ""
                complain(f"{error}{before}")
        final = (self.folder / "weights.safetensors").exists()
        way = f", with --weights {self.quoted()} from its weights" if final else ""
        raise RunError(f"{self.folder} has no complete checkpoint: start a new run{way}")

    def weights(self, complain=print):
        """Return (state, facts) of the network at the end of the run; if it hasn't ended, at the newest complete checkpoint.

        Raises  RunError: there is none yet. CheckpointError: the final weights are damaged.
        """
        final = self.folder / "weights.safetensors"
        return checkpoint.load_weights(final) if final.exists() else self.newest(complain)[:2]

    # The learner's files.

    @property
    def exercises(self):
        """The folder of the learner's files that run."""
        return self.folder / "exercises"

    def write_exercises(self, contents):
        """Write the learner's files, name -> bytes. Those of a run don't change, even if the learner's do."""
        files.write_folder(self.exercises, contents)

    # The end.

    def result(self):
        """Return the test result as a dict, or None if the run is not finished."""
        path = self.folder / "result.json"
        result = documents.result(path) if path.exists() else None
        return result if result and self._epochs_of(result) == self.config["epochs"] else None

    def write_result(self, result):
        """Write result.json, which marks the run as finished."""
        contents = documents.as_json({**result, "epochs": self.config["epochs"]})
        files.write(self.folder / "result.json", contents)

    def write_predictions(self, logits, labels):
        """Write predictions.npz. logits, labels  as in checkpoint.packed_predictions"""
        packed = checkpoint.packed_predictions(logits, labels)
        files.write(self.folder / "predictions.npz", packed)

    def write_card(self, facts, config):
        """Write card.md: a table of facts (label -> text), and the settings without paths."""
        rows = [f"| {name} | {text} |" for name, text in facts.items()]
        settings = json.dumps(config, indent=2)
        head = [f"# {self.folder.name}", "", "| | |", "| --- | --- |"]
        tail = ["", "![curves](curves.png)", "", "```json", settings, "```"]
        text = "\n".join([*head, *rows, *tail, ""])
        files.write(self.folder / "card.md", text.encode(errors="backslashreplace"))

    # The log.

    def log(self):
        """Return the rows of log.csv, as dicts of numbers (None for an empty field)."""
        path = self.folder / "log.csv"
        try:
            return log.read(path) if path.exists() else []
        except ValueError as error:
            raise RunError(f"{error}. --resume writes it again") from None

    def write_log(self, rows):
        """Write all rows of log.csv."""
        log.write(self.folder / "log.csv", rows)

    def steps(self, before):
        """Return the file steps.csv, open for the rows of later steps than `before`."""
        return steps.Steps(self.folder / "steps.csv", before)

    def curves(self):
        """Return the columns of the log as lists, for show.curves: "train loss", "validation accuracy", ..."""
        return log.curves(self.log())

    def draw(self, title):
        """Write curves.png."""
        picture = self.folder / "curves.png"
        show.curves(self.curves(), title=title).save(picture)
        return picture


def find(name):
    """Return a run's folder, from its path or its name in runs/."""
    return next(
        (path for path in (Path(name), Path("runs", name)) if (path / "config.json").is_file()),
        Path(name),
    )


def newest():
    """Return the folder in runs/ whose log was written last.

    Raises  RunError: there is none.
    """
    logs = sorted(Path("runs").glob("*/log.csv"), key=lambda path: path.stat().st_mtime)
    if not logs:
        raise RunError("there is no run in runs/: `minires train` starts one")
    return logs[-1].parent


def _others(folder):
    """List the runs next to a folder, and those in runs/, for an error."""
    found = {
        str(path.parent)
        for parent in (folder.parent, Path("runs"))
        for path in parent.glob("*/config.json")
    }
    return f"; choose from {', '.join(sorted(found))}" if found else ""


def _name(step):
    return f"step-{step:08}"
