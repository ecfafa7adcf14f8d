"""What goes wrong on several processes: one clear message, an exit status, nothing left running, and a checkpoint to resume from."""

import os
import re
import shutil
import signal
import sys
import time

import pytest

from tests.machines import SHORT, TRAIN, Job, at, bits, ended, ours, raised, step_of
from tests.test_machines import launcher, undisturbed  # noqa: F401  (fixtures)
from tests.test_resume import finished, images  # noqa: F401  (a fixture among them)

pytestmark = pytest.mark.usefixtures("launcher")
slow = pytest.mark.slow
# So that a slow machine has time: processes that all fail wait for each other as long as this.
PATIENT = "from minires.cli import ranks; ranks.PATIENCE = 60\n"
TWO = [*SHORT, "--epochs", "1", "--shards", "2"]


def resumed(images, name, undisturbed, least):
    """Check that a run has a checkpoint of at least this step, and that resumed with one process it ends in the same bits."""
    assert step_of(images / "runs" / name) >= least
    status, _, error = finished(images, "train", "--resume", name)
    assert status == 0, error
    assert bits(images / "runs" / name) == undisturbed


# In one process only.


@slow
@pytest.mark.parametrize(("name", "action", "status", "told"), [
    ("bug", 'raise RuntimeError("broken")', 1, r"rank 1: Traceback \(most recent call last\):"),
    ("expected", 'raise ValueError("unusable")', 2, "rank 1: minires train: unusable"),
    ("memory", "raise MemoryError", 2, "rank 1: minires train: not enough memory")])  # fmt: skip
def test_an_error_in_one_process_ends_all_and_has_its_number(
    images, undisturbed, name, action, status, told
):
    found, _, error = ended(4, *TRAIN, "--name", name, cwd=images, fault=at(1, 8, action))
    assert found == status, error
    (line,) = (line for line in ours(error) if "To resume" not in line and "stopped" not in line)
    assert re.fullmatch(told, line)
    assert (error.count("RuntimeError: broken") == 1) == (name == "bug")
    resumed(images, name, undisturbed, 7)


def test_an_error_in_the_first_process_ends_the_other(images):
    fault = at(0, 3, 'raise ValueError("unusable")')
    status, _, error = ended(2, *TWO, "--name", "first", cwd=images, fault=fault)
    assert status == 2 and ours(error) == ["rank 0: minires train: unusable"]
    assert step_of(images / "runs" / "first") >= 2


@slow
def test_an_error_before_the_first_word_is_read_ends_all(images):
    fault = """
from minires.cli import ranks
def broken(group):
    raise MemoryError
if rank == 1:
    ranks._share_cores = broken
"""
    status, _, error = ended(2, *TWO, "--name", "early", cwd=images, fault=fault)
    assert status == 2 and ours(error) == ["rank 1: minires: not enough memory"]
    assert not (images / "runs" / "early").exists()


@slow
@pytest.mark.parametrize("rank", [2, 0])
def test_a_process_that_stands_still_is_named_and_all_end(images, undisturbed, rank):
    name, fault = f"still-{rank}", at(rank, 8, raised(signal.SIGSTOP))
    words = [*TRAIN, "--name", name, "--timeout", "4"]
    status, _, error = ended(4, *words, cwd=images, fault=fault)
    told = f"no answer for 4 s from rank {rank}: stopped, out of reach, or too slow (--timeout changes the limit)"
    assert status not in (0, 130) and error.count(told) == 1, error
    speaker = 1 if rank == 0 else 0
    assert f"rank {speaker}: minires train: {told}. To resume:" in ours(error)
    assert error.count(f"  minires train --resume runs/{name}\n") == 1
    resumed(images, name, undisturbed, 7)


@slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_that_continues_in_time_costs_nothing(images, undisturbed):
    words = [*TRAIN, "--name", "continued", "--timeout", "40"]
    job = Job(2, *words, cwd=images, fault=at(1, 8, raised(signal.SIGSTOP)))
    job.wait_until_stopped(1)
    time.sleep(1)
    os.kill(job.pid(1), signal.SIGCONT)
    status, _, error = job.end()
    assert status == 0 and ours(error) == [], error
    assert bits(images / "runs" / "continued") == undisturbed


@slow
def test_a_killed_process_ends_all(images, undisturbed):
    fault = at(0, 8, raised(signal.SIGKILL))
    status, *_ = ended(2, *TRAIN, "--name", "killed", cwd=images, fault=fault)
    assert status != 0
    resumed(images, "killed", undisturbed, 3)


@slow
def test_a_full_disk_of_the_first_process_is_reported_once(images, undisturbed):
    fault = """
calls, fsync = iter(range(10**6)), os.fsync
def full(descriptor):
    if rank == 0 and next(calls) > 12:
        raise OSError(28, "No space left on device")
    fsync(descriptor)
os.fsync = full
"""
    status, _, error = ended(2, *TRAIN, "--name", "full", cwd=images, fault=fault)
    told = r"rank 0: minires train: cannot write runs/full/.* \([\d,]+ bytes\): No space left on device"
    assert status == 2, error
    assert len([line for line in ours(error) if re.fullmatch(told, line)]) == 1
    assert error.count("stopped. To resume:\n  minires train --resume runs/full\n") == 1
    assert error.count("No space left") == 1
    resumed(images, "full", undisturbed, 0)


@slow
def test_a_loss_that_is_nan_in_one_process_is_reported_once(images):
    fault = PATIENT + at(1, 8, 'return loss * float("nan")')
    status, _, error = ended(4, *TRAIN, "--name", "nan", cwd=images, fault=fault)
    (line,) = ours(error)
    assert status == 2 and line.startswith("minires train: the loss is nan at step 8; the last")
    assert line.endswith("The last good checkpoint is runs/nan/checkpoints/step-00000008")
    assert step_of(images / "runs" / "nan") == 8


# In all of them, or from one to another.


@pytest.mark.parametrize(("size", "words", "told"), [
    (2, SHORT, "minires train: 2 processes cannot share out 1 shard of a batch: add --shards 2, or a larger power of two."),
    (2, ["data"], "minires data: expected one process, got 2: only train and evaluate run on several"),
    pytest.param(4, TWO, "minires train: 4 processes cannot share out 2 shards of a batch: add --shards 4", marks=slow),
    pytest.param(3, TRAIN, "minires: expected 1, 2, 4, 8, ... processes, got 3", marks=slow),
    pytest.param(2, [*TWO, "--watch"], "minires train: expected --watch or --shards, got both", marks=slow),
    pytest.param(2, [*TWO, "--sync-batch-norm"], "minires train: expected --sync-batch-norm or --shards, got both", marks=slow),
    pytest.param(2, [*TWO, "--engine", "nccl"], "minires train: --engine nccl needs GPUs: the backend is numpy, expected cupy", marks=slow),
    pytest.param(2, ["train", "--data", "folder:nowhere", "--shards", "2"], "minires train: nowhere", marks=slow),
    pytest.param(2, ["train", "--resume", "nowhere"], "minires train: nowhere", marks=slow),
    pytest.param(2, [*SHORT, "--batch-size", "7", "--shards", "2"], "minires train: the last batch of an epoch has 1 image, too few for 2 shards: leave it out", marks=slow),
    pytest.param(2, ["evaluate", "nowhere"], "minires evaluate: nowhere", marks=slow)])  # fmt: skip
def test_what_all_processes_refuse_is_said_once(images, size, words, told):
    before = {*(images / "runs").glob("*")}
    status, out, error = ended(size, *words, cwd=images, fault=PATIENT)
    assert status == 2 and len(ours(error)) == 1, error
    assert ours(error)[0].startswith(told) and out == ""
    assert {*(images / "runs").glob("*")} == before


@slow
def test_an_unknown_option_is_said_once(images):
    status, out, error = ended(2, "train", "--shard-size", "2", cwd=images, fault=PATIENT)
    assert status == 2 and out == ""
    assert error.count("usage:") == 1 and error.count("error: unrecognized arguments") == 1


@slow
def test_a_name_that_exists_is_refused_once_and_its_run_left_alone(images, undisturbed):
    status, _, error = ended(2, *TRAIN, "--name", "one", cwd=images, fault=PATIENT)
    assert status == 2 and len(ours(error)) == 1 and "one already exists: --resume" in error
    assert bits(images / "runs" / "one") == undisturbed


def test_other_settings_in_one_process_are_refused(images):
    words = [*TWO, "--name", "settings"]
    others = [*words, "--seed", "8"]
    status, _, error = ended(2, *words, cwd=images, others=others, fault=PATIENT)
    assert status == 2
    expected = "minires train: the processes have different --seed: 7 (rank 0); 8 (rank 1)"
    assert ours(error) == [expected] and not (images / "runs" / "settings").exists()


@slow
def test_other_images_on_one_host_are_refused(images, tmp_path):
    shutil.copytree(images / "images", tmp_path / "images")
    (tmp_path / "images" / "dark" / "00.png").unlink()
    fault = f"{PATIENT}if rank == 1:\n    os.chdir({str(tmp_path)!r})\n"
    status, _, error = ended(2, *TWO, "--name", "others", cwd=images, fault=fault)
    assert status == 2 and len(ours(error)) == 1, error
    assert "minires train: the processes have different images: " in error
    assert not (images / "runs" / "others").exists()


@pytest.mark.parametrize(("fault", "told"), [
    ('from minires.cli import ranks; ranks.__version__ = f"0.{rank}"', "minires: 0.0 (rank 0); 0.1 (rank 1)"),
    pytest.param('from minires.backend import machine; machine.numpy_version = lambda: f"2.{rank}"', "NumPy: 2.0 (rank 0); 2.1 (rank 1)", marks=slow)])  # fmt: skip
def test_other_versions_are_refused(images, fault, told):
    status, _, error = ended(2, *TWO, cwd=images, fault=PATIENT + fault)
    assert status == 2
    assert ours(error) == [f"minires: the processes have different versions of {told}"]


@slow
def test_other_blas_kernels_are_a_warning_and_the_run_goes_on(images):
    fault = 'from minires.backend import machine; blas = machine.blas(); machine.blas = lambda: {**blas, "kernel": f"kind{rank}"}'
    status, _, error = ended(2, *TWO, "--name", "kernels", cwd=images, fault=fault)
    assert status == 0 and len(ours(error)) == 1, error
    assert re.search(
        r"the processes have different BLAS kernels: .* kind0 \(rank 0\); .* kind1 \(rank 1\)",
        error,
    )


@slow
def test_weights_that_came_apart_are_found_at_the_end_of_an_epoch(images):
    fault = """
from minires import optim
step = optim.SGD.step
def apart(self):
    step(self)
    self.groups[0]["params"][0].data[...] += 1e-3 * rank
optim.SGD.step = apart
"""
    status, _, error = ended(2, *TWO, "--name", "apart", cwd=images, fault=PATIENT + fault)
    assert status == 2 and len(ours(error)) == 1, error
    assert "minires train: the processes have different weights: " in error


def test_a_launcher_without_mpi4py_is_one_line(images):
    fault = 'sys.modules["mpi4py"] = None'
    status, _, error = ended(2, *TWO, cwd=images, fault=fault)
    (line,) = ours(error)
    assert status == 2 and line.startswith("minires: 2 processes need mpi4py with an MPI library")
    assert line.endswith(": pip install 'minires[mpi]'")


@slow
def test_a_process_of_another_mpi_is_one_line(images):
    fault = """
import types
world = types.SimpleNamespace(size=1)
made = types.ModuleType("mpi4py")
made.MPI = types.SimpleNamespace(COMM_WORLD=world, get_vendor=lambda: ("Open MPI", (5, 0, 0)))
sys.modules["mpi4py"] = made
"""
    status, _, error = ended(2, *TWO, cwd=images, fault=fault)
    assert status == 2 and len(ours(error)) == 1, error
    assert "2 processes, but mpi4py sees 1: they belong to different MPIs" in error


@slow
def test_a_program_that_a_process_starts_is_alone(images):
    fault = """
import subprocess
from minires import parallel
parallel.launched()
told = subprocess.run([sys.executable, "-m", "minires", "info"], capture_output=True, text=True)
Path(sys.argv[1], f"told-{rank}").write_text(f"{told.returncode} {len(told.stdout) > 50}{told.stderr}")
sys.exit()
"""
    before = {*images.glob("pids-*")}
    status, *_ = ended(2, cwd=images, fault=fault)
    (pids,) = {*images.glob("pids-*")} - before
    assert status == 0 and [(pids / f"told-{rank}").read_text() for rank in (0, 1)] == ["0 True"] * 2  # fmt: skip
