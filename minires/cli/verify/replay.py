"""Replaying steps of a run in a process of its own: python -m minires.cli.verify.replay. This is not a sandbox.

The process gets a checkpoint, settings and perhaps the learner's files; not the losses that are expected of it. It returns those
it computed, and the weights at the end.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from minires import checkpoint, nn, streams
from minires.backend import to_host
from minires.cli import settings, state
from minires.cli.loop import Loop
from minires.cli.options import Options
from minires.course import apart, engine, trouble

LIMIT = 3600  # seconds
TAIL = 300  # characters of an error


@dataclass
class Replay:
    """The result of a replay.

    losses  of its steps    calls  id -> [calls before the steps, and after] of each exercise that ran
    tried  ids whose functions called the library's
    weights  at the end    start  the weights that the seed gives    error  why there is nothing else, or None
    """

    losses: list = field(default_factory=list)
    calls: dict = field(default_factory=dict)
    tried: list = field(default_factory=list)
    weights: dict = field(default_factory=dict)
    start: dict = field(default_factory=dict)
    error: str | None = None


def replay(options, folder, *, steps, home=None, tests=None, threads=1):
    """Replay steps from a checkpoint in a process of its own, and return the Replay, whatever happens there.

    options  of the run, a dict as in config.json    folder  of the checkpoint
    home  the folder with the learner's files; without one, the library runs    tests  the folder with the claims
    """
    task = {"options": options, "folder": folder, "steps": steps, "home": home, "tests": tests}  # fmt: skip
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        token, out = secrets.token_hex(16), Path(place, secrets.token_hex(8))
        # Away from the run, whose steps.csv has the losses.
        task["folder"] = shutil.copytree(folder, Path(place, "checkpoint"))
        line = json.dumps({**task, "out": out, "token": token}, default=str)
        root = str(Path(__file__).parents[3])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        numbers = {"OPENBLAS_NUM_THREADS": str(threads), "MINIRES_THREADS": str(threads)}
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "minires.cli.verify.replay"],
                cwd=place,
                env={**os.environ, "PYTHONPATH": paths, **numbers},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=os.name == "posix",
            )
            try:
                with suppress(OSError):
                    process.stdin.write(line.encode() + b"\n")
                    process.stdin.close()
                process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                return Replay(error=f"it ran for more than {LIMIT} s")
            finally:
                apart.end(process)
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
        try:
            found = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
            if found.pop("token") != token:
                raise ValueError
            arrays = [checkpoint.load(out.with_suffix(f".{name}"))[0] for name in ("weights", "start")]  # fmt: skip
            return Replay(**found, weights=arrays[0], start=arrays[1])
        except (OSError, ValueError, KeyError, TypeError):
            return Replay(error=_last(said) or f"its process ended with exit status {process.returncode}")  # fmt: skip


def _last(said):
    """Return the last line that a process printed, which names the error."""
    return trouble.printable(said.splitlines()[-1][:TAIL]) if said else ""


class Losses:
    """A meter that only keeps the losses."""

    def __init__(self):
        self.losses = []

    def update(self, loss, logits, labels):
        """Add a step's loss."""
        self.losses.append(float(to_host(loss.data)))

    def add(self, score):
        """Add the loss of a step of several shards."""
        self.losses.append(score.loss)

    def score(self):
        """Return None: nobody asks for a score."""


def restored(options, parts, folder):
    """Return (loop, the weights that the seed gives): a Loop at a checkpoint."""
    nn.manual_seed(options.seed)
    loop = Loop(options, parts)
    start = loop.model.state_dict()
    start = {name: array.copy() for name, array in start.items()}
    model, _ = checkpoint.load_weights(Path(folder, "weights.safetensors"))
    found = {"model": model, **state.unpack(*checkpoint.load(Path(folder, "loop.safetensors")))}
    for name, part in loop.stateful.items():
        part.load_state_dict(found[name])
    return loop, start


def run(loop, steps):
    """Do steps from where a loop is, as `minires train` does, and return their losses. No epoch is logged or evaluated."""
    meter, step = Losses(), loop.step
    while steps:
        epoch, done = divmod(step, loop.steps)
        count = min(steps, loop.steps - done)
        loop.do_steps(islice(loop.coming(epoch, start=done), count), meter)
        steps, step = steps - count, step + count
    return meter.losses


def main():
    """Do a task, a line of JSON in stdin."""
    streams.take_any_text()
    task = json.loads(sys.stdin.readline())
    out, token = Path(task["out"]), task["token"]
    options = Options.from_config(task["options"])
    parts = settings.datasets(options)
    with ExitStack() as stack:
        stack.enter_context(settings.precision(options))
        report = None
        if task["home"]:
            report = stack.enter_context(engine.mine(task["home"], tests=task["tests"], seal=True))
        loop, start = restored(options, parts, task["folder"])
        before = dict(report.calls) if report else {}
        losses = run(loop, task["steps"])
        weights = loop.model.state_dict()
    after = dict(report.calls) if report else {}
    calls = {id: [before.get(id, 0), count] for id, count in after.items()}
    tried = sorted(set(report.tried)) if report else []
    for name, arrays in (("weights", weights), ("start", start)):
        out.with_suffix(f".{name}").write_bytes(checkpoint.packed(arrays, {}))
    found = {"token": token, "losses": losses, "calls": calls, "tried": tried}
    out.with_suffix(".json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # without waiting for threads that the learner's code left running
