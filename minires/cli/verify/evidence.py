"""The contents of a finished run's folder, read once and with care: they come from somebody else."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minires import checkpoint
from minires.cli import state
from minires.cli.options import Options
from minires.course.evidence import arrays
from minires.runs import Run, steps

LARGEST = 1 << 30  # bytes of a file that is read
FILES = ("config.json", "log.csv", "steps.csv", "weights.safetensors", "predictions.npz", "card.md", "result.json")  # fmt: skip
SETTINGS = re.compile(r"```json\n(.*?)\n```", re.DOTALL)
NAME = re.compile(r"step-(\d{8})")


class Missing(ValueError):
    """A file of a run is missing, damaged, or not what it should be."""


@dataclass
class Kept:
    """A kept checkpoint. facts  of its weights    loop  the rest of its state"""

    folder: Path
    step: int
    weights: dict[str, Any]
    facts: dict[str, Any]
    loop: dict[str, Any]


@dataclass
class Evidence:
    """A run, as its folder tells it.

    card  label -> text, from the table    shown  the settings in the card
    rows  of log.csv    steps  of steps.csv, (step, lr, loss)    kept  step -> folder of a checkpoint
    """

    run: Run
    options: Options
    result: dict[str, Any]
    card: dict[str, str]
    shown: dict[str, Any]
    rows: list[dict[str, Any]]
    steps: list[tuple[int, float, float]]
    kept: dict[int, Path]
    weights: dict[str, Any]
    facts: dict[str, Any]
    logits: Any
    labels: Any

    @property
    def losses(self):
        """The losses of all steps."""
        return [loss for _, _, loss in self.steps]

    @property
    def exercises(self):
        """The folder with the learner's files."""
        return self.run.folder / "exercises"

    @property
    def calls(self):
        """id -> [calls, whether the function was the learner's], as the run counted."""
        return self.result["calls"]

    def checkpoint(self, step):
        """Return the Kept checkpoint of a step.

        Raises  Missing: it is not there, is damaged, or belongs to a different step.
        """
        if step not in self.kept:
            raise Missing(f"kept/ has no checkpoint of step {step:,}")
        folder = self.kept[step]
        try:
            weights, facts = checkpoint.load_weights(_sized(folder / "weights.safetensors"))
            loop = state.unpack(*checkpoint.load(_sized(folder / "loop.safetensors")))
            found = facts.get("step"), loop["meter"]["steps"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Missing(f"kept/{folder.name} is damaged: {error}") from None
        if found != (step, step):
            raise Missing(f"kept/{folder.name} is the checkpoint of step {found[0]}")
        return Kept(folder, step, weights, facts, loop)


def read(run):
    """Return the Evidence in the folder of a Run.

    Raises  Missing: something is not there or damaged; the message says what.
    """
    folder = run.folder
    lacking = [name for name in FILES if not (folder / name).is_file()]
    lacking += [f"{name}/" for name in ("kept", "exercises") if not (folder / name).is_dir()]
    if lacking:
        raise Missing(f"expected {', '.join(lacking)} in {folder}: a run with --mine and --keep-epochs that is finished has them")  # fmt: skip
    for name in FILES:
        _sized(folder / name)
    try:
        options = Options.from_config(run.config)
        result = run.result()
        card, shown = _card((folder / "card.md").read_text(encoding="utf-8", errors="replace"))
        weights, facts = checkpoint.load_weights(folder / "weights.safetensors")
        logits, labels = arrays.predictions(folder / "predictions.npz")
        rows, done = run.log(), _steps(folder / "steps.csv")
    except (OSError, ValueError) as error:
        raise Missing(str(error)) from None
    if result is None:
        raise Missing("result.json: expected the result after all epochs, got that of fewer")
    _check(result)
    kept = {int(found[1]): path for path in sorted((folder / "kept").iterdir()) if (found := NAME.fullmatch(path.name))}  # fmt: skip
    return Evidence(run, options, result, card, shown, rows, done, kept, weights, facts, logits, labels)  # fmt: skip


def _sized(path):
    """Return a file's path, if it is not larger than anything a run writes."""
    if path.stat().st_size > LARGEST:
        raise Missing(f"{path.name}: expected at most {LARGEST:,} bytes")
    return path


def _check(result):
    """Refuse a result without the facts of `train --mine`."""
    calls = result.get("calls")
    whole = isinstance(calls, dict) and all(
        isinstance(each, list) and len(each) == 2 and type(each[0]) is int and type(each[1]) is bool
        for each in calls.values()
    )
    if not whole:
        raise Missing("result.json: expected calls of the exercises, as --mine counts them")
    for name in ("test_hits", "test_images", "test_reads"):
        if type(result.get(name)) is not int:
            raise Missing(f"result.json: expected a whole number as {name}, got {result.get(name)!r}")  # fmt: skip


def _card(text):
    """Return (label -> text, settings) of a card."""
    cells = [line.strip().strip("|").split("|", 1) for line in text.splitlines() if line.startswith("| ")]  # fmt: skip
    rows = {pair[0].strip(): pair[1].strip() for pair in cells if len(pair) == 2}
    found = SETTINGS.search(text)
    try:
        shown = json.loads(found[1]) if found else None
    except (ValueError, RecursionError):
        shown = None
    if not isinstance(shown, dict):
        raise Missing("card.md is damaged: expected the settings as JSON")
    return rows, shown


def _steps(path):
    """Return [(step, lr, loss)] from steps.csv.

    Raises  ValueError: it is damaged.
    """
    found = [(row["step"], row["lr"], row["loss"]) for row in steps.read(path)]
    if not all(math.isfinite(number) for row in found for number in row):
        raise ValueError("steps.csv is damaged: not all numbers are finite")
    return found
