"""`minires train` on several processes, with something that goes wrong in one of them."""

import itertools
import os
import re
import signal
import sys
import time

import numpy

from minires.runs import Run
from tests import mpi
from tests.test_resume import outcome

# 78 images for training, of 16 x 16 pixels: 10 batches an epoch, the last one of 6.
SHORT = ["train", "--data", "folder:images", "--batch-size", "8", "--augment", "crop=2,flip,cutout=4",
         "--validation", "0.2", "--save-every", "0", "--seed", "7"]  # fmt: skip
TRAIN = [*SHORT, "--epochs", "3", "--shards", "4"]
STEPS = 30

# What each process runs. It writes its id where the test finds it.
PROGRAM = """
import os, signal, sys
from pathlib import Path
rank = int(os.environ.get("PMI_RANK", "0"))
Path(sys.argv[1], str(rank)).write_text(str(os.getpid()))
from minires import cli, shards
{fault}
cli.main(sys.argv[2:])
"""
# In one process, an action after one of its forward passes in training; rank 0 of two has two of them in a step of four shards.
AT = """
calls, cross_entropy = iter(range(10**6)), shards.cross_entropy
def changed(logits, labels, **options):
    loss = cross_entropy(logits, labels, **options)
    if rank == {rank} and next(calls) == {call}:
        {action}
    return loss
shards.cross_entropy = changed
"""


def at(rank, call, action):
    """The code that does something in one rank, at one of its forward passes in training."""
    return AT.format(rank=rank, call=call, action=action)


def raised(number):
    """The code that sends this process a signal."""
    return f"os.kill(os.getpid(), signal.{signal.Signals(number).name})"


def state(pid):
    """The letter of a process's state: R, S, T if it is stopped, Z if it has ended, or None if there is none."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


class Job:
    """Processes that run minires with some words, started by MPICH's mpiexec.

    fault  code that runs in each of them first    others  words for the last process, instead of the same ones
    """

    numbers = itertools.count()

    def __init__(self, size, *words, cwd, fault="", others=None, mpiexec=None):
        self.size, self.pids = size, cwd / f"pids-{next(self.numbers)}"
        self.pids.mkdir()
        program = [sys.executable, "-c", PROGRAM.format(fault=fault), str(self.pids)]
        command = [mpi.launcher(), "-n", str(size - (others is not None)), *program, *words]
        if others is not None:
            command += [":", "-n", "1", *program, *others]
        if mpiexec:
            command = mpiexec(size, [*program, *words])
        self.process = mpi.start(command if size else [*program, *words], cwd)

    def pid(self, rank):
        """The id of a process."""
        return int((self.pids / str(rank)).read_text())

    def end(self, seconds=120):
        """Wait until the job ends by itself, with all its processes. Returns (exit status, stdout, stderr)."""
        try:
            done = mpi.end(self.process, seconds)
        finally:
            left = [rank for rank in range(self.size) if not self._gone(rank)]
        assert not left, f"ranks {left} are still there"
        return done.returncode, done.stdout, done.stderr

    def wait_until_stopped(self, rank, seconds=120):
        """Wait until a process has been stopped by SIGSTOP."""
        end = time.monotonic() + seconds
        while not (self.pids / str(rank)).exists() or state(self.pid(rank)) != "T":
            assert self.process.poll() is None and time.monotonic() < end
            time.sleep(0.02)

    def _gone(self, rank):
        """Whether a process ends within ten seconds; if not, it is killed."""
        if not (self.pids / str(rank)).exists():
            return True
        pid = self.pid(rank)
        for _ in range(1000):
            if state(pid) in (None, "Z"):
                return True
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        return False


def ended(size, *words, cwd, seconds=120, **options):
    """(exit status, stdout, stderr) of a job."""
    return Job(size, *words, cwd=cwd, **options).end(seconds)


def ours(text):
    """The lines that minires reports an error with."""
    return [line for line in text.splitlines() if re.match(r"(minires|rank \d+:)", line)]


def bits(folder):
    """What a run came to, to the bit: weights, running statistics, velocities, logs, steps.csv, and the predictions of the test."""
    with numpy.load(folder / "predictions.npz") as file:
        predictions = {name: file[name].tobytes() for name in file.files}
    return outcome(folder), predictions


def step_of(run):
    """The step of a run's newest checkpoint, which is complete."""

    def complain(sentence):
        raise AssertionError(sentence)

    return Run(run).newest(complain)[1]["step"]
