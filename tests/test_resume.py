"""Runs that survive: killed, stopped, out of disk, gone wrong; and resumed to the same bits. As processes, as typed."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest
from PIL import Image

from minires.runs import Run

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]

# 78 images for training, of 16 x 16 pixels; 26 batches of 3 an epoch.
TRAIN = ["train", "--data", "folder:images", "--epochs", "2", "--batch-size", "3", "--augment", "crop=2,flip,cutout=4",
         "--validation", "0.2", "--save-every", "0", "--seed", "7", "--keep-epochs"]  # fmt: skip
STEPS = 52


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder with images/CLASS/*.png of two classes."""
    folder, rng = tmp_path_factory.mktemp("data"), numpy.random.default_rng(0)
    for k, name in enumerate(("dark", "bright")):
        (folder / "images" / name).mkdir(parents=True)
        for i in range(60):
            pixels = rng.integers(5 * k, 250 + 5 * k, (16, 16, 3)).astype(numpy.uint8)
            Image.fromarray(pixels).save(folder / "images" / name / f"{i:02}.png")
    return folder


def started(folder, *words, threads=1, code=None):
    """A process `minires WORDS` in a folder."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MINIRES_THREADS": str(threads),
    }
    command = ["-c", code, *words] if code else ["-m", "minires", *words]
    options = {
        "cwd": folder,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "env": environment,
    }
    return subprocess.Popen([sys.executable, *command], **options)


def finished(*arguments, **options):
    """(exit status, stdout, stderr)."""
    process = started(*arguments, **options)
    out, error = process.communicate(timeout=300)
    return process.returncode, out, error


def reached(run, step, process):
    """Wait until a run has a checkpoint of this step or a later one."""
    wanted = f"step-{step:08}"
    for _ in range(6000):
        saved = sorted(path.name for path in run.glob("checkpoints/step-*"))
        if saved and saved[-1] >= wanted:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    raise AssertionError(f"no checkpoint {wanted} in 30 s")


def outcome(folder):
    """What a run came to: its weights to the bit, what it kept, and its logs and its result without times."""
    run = Run(folder)
    log = [{key: value for key, value in row.items() if key != "seconds"} for row in run.log()]
    result = {key: value for key, value in run.result().items() if key.startswith("test")}
    _, _, arrays, loop = run.newest()
    velocities = {name: array.tobytes() for name, array in arrays.items()}
    layers = folder / "layers.csv"
    watched = layers.read_text(encoding="utf-8") if layers.exists() else None
    seconds = [row["seconds"] for row in run.log()]
    assert seconds == sorted(seconds) and seconds[-1] <= run.result()["seconds"] + 0.01
    return (
        (folder / "weights.safetensors").read_bytes(),
        log,
        result,
        (loop["meter"]["steps"], loop["generator"], loop["optimizer"]),
        velocities,
        watched,
        (folder / "steps.csv").read_bytes(),
        {path.parent.name: path.read_bytes() for path in folder.glob("kept/*/weights.safetensors")},
    )


@pytest.fixture(scope="module")
def undisturbed(images):
    """What a run comes to that nothing stops."""
    status, out, error = finished(images, *TRAIN, "--name", "whole")
    assert status == 0, error
    assert len(re.findall(r"^epoch  \d/2", out, re.M)) == 2
    return outcome(images / "runs" / "whole")


def resumed(images, name, threads, kills):
    """What a run comes to that is killed as soon as it has these checkpoints, one after the other, with so many threads each
    time.
    """
    words = [*TRAIN, "--name", name]
    for number, step in zip(threads, kills):
        process = started(images, *words, threads=number)
        reached(images / "runs" / name, step, process)
        process.kill()
        process.communicate()
        words = ["train", "--resume", name, "--save-every", "0"]
    status, out, error = finished(images, *words, threads=threads[-1])
    assert status == 0, error
    assert f"runs/{name} resumes at step {kills[-1]}" in out or not kills[-1]
    return outcome(images / "runs" / name)


@pytest.mark.parametrize("kills", [(20, 26), (0, 46)], ids=str)
def test_a_run_that_was_killed_and_resumed_ends_bitwise_equal(images, undisturbed, kills):
    """From the middle of an epoch and from its end, from before the first step, and several times."""
    assert resumed(images, f"killed-{kills[0]}", (1, 1, 1), kills) == undisturbed


def test_it_may_go_on_with_another_number_of_threads(images, undisturbed):
    assert resumed(images, "killed-with-two", (2, 1), (20,)) == undisturbed
    assert resumed(images, "killed-with-one", (1, 2), (20,)) == undisturbed


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_save_say_how_to_go_on_and_resume_bitwise(
    images, undisturbed, number, status
):
    name = f"stopped{status}"
    process = started(images, *TRAIN, "--name", name)
    reached(images / "runs" / name, 20, process)
    process.send_signal(number)
    out, error = process.communicate()
    assert process.returncode == status
    assert "stopping after this step; press Ctrl-C again to quit immediately" in error
    step = int(
        re.search(
            rf"stopped at step (\d+) of {STEPS}; a checkpoint is saved. To resume:\n  minires train --resume runs/{name}\n",
            out,
        )[1]
    )
    assert Run(images / "runs" / name).newest()[1]["step"] == step >= 20
    status, _, error = finished(images, "train", "--resume", f"runs/{name}")
    assert status == 0, error
    assert outcome(images / "runs" / name) == undisturbed


def test_a_finished_run_is_not_run_again_and_its_test_part_not_read_again(images, undisturbed):
    name = "whole"
    status, out, _ = finished(images, "train", "--resume", name)
    assert status == 0 and re.search(rf"runs/{name} is finished: test accuracy [\d.]+ %", out)
    assert outcome(images / "runs" / name) == undisturbed


AT = """
import os, signal, sys
from minires import cli, train
_, number, where, at = sys.argv[:4]
cross_entropy, counts = train.cross_entropy, {"train": 0, "evaluate": 0}
def signalled(logits, labels, **options):
    kind = "train" if options else "evaluate"  # label smoothing is for training
    counts[kind] += 1
    if (kind, counts[kind]) == (where, int(at)):
        os.kill(os.getpid(), int(number))
    return cross_entropy(logits, labels, **options)
train.cross_entropy = signalled
cli.main(sys.argv[4:])
"""


@pytest.mark.parametrize(
    ("name", "number", "where", "at", "more"),
    [
        (
            "validating",
            signal.SIGINT,
            "evaluate",
            1,
            ["--optimizer", "adam", "--lr", "0.001", "--watch", "7"],
        ),
        (
            "testing",
            signal.SIGTERM,
            "evaluate",
            1,
            ["--validation", "0", "--drop-last", "--batch-size", "4"],
        ),
        ("killed", signal.SIGKILL, "train", 33, ["--watch", "5", "--augment", "flip=alternating"]),
        ("hung-up", signal.SIGHUP, "train", 12, ["--schedule", "step", "--no-nesterov"]),
        ("mixed", signal.SIGHUP, "train", 12, ["--precision", "float16"]),
    ],
)
def test_wherever_it_is_stopped_it_ends_bitwise_equal(images, name, number, where, at, more):
    """In the validation of an epoch, in the final test, in a step; with other optimizers, and watched."""
    words = [*TRAIN, *more]
    status, _, error = finished(images, *words, "--name", f"{name}-not")
    assert status == 0, error
    status, *_ = finished(images, str(int(number)), where, str(at), *words, "--name", name, code=AT)
    assert status == (-9 if number == signal.SIGKILL else 128 + number)
    run = Run(images / "runs" / name)
    assert (
        run.result() is None
        and len(run.log())
        == {"validating": 0, "testing": 2, "killed": 1, "hung-up": 0, "mixed": 0}[name]
    )
    status, _, error = finished(images, "train", "--resume", name)
    assert status == 0, error
    assert outcome(images / "runs" / name) == outcome(images / "runs" / f"{name}-not")


def test_lines_reach_a_file_as_they_come_and_a_closed_pipe_loses_nothing(images):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = (
        f"{sys.executable} -m minires {' '.join(TRAIN)} --name pipe --save-every 1000 | head -n 1"
    )
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=images,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (
        done.stdout.startswith("resnet20, ")
        and done.stdout.count("\n") == 1
        and "Traceback" not in done.stderr
    )
    assert Run(images / "runs" / "pipe").newest()[1]["step"] == 26


SLOW_STEP = """
import signal, sys, time
from minires import cli, optim
step = optim.SGD.step
def slow(self):
    step(self)
    print("in a step", flush=True)
    time.sleep({seconds})
optim.SGD.step = slow
cli.main(sys.argv[1:])
"""


def test_the_step_ends_before_a_stop_and_a_second_ctrl_c_ends_at_once(images):
    process = started(images, *TRAIN, "--name", "twice", code=SLOW_STEP.format(seconds=1000))
    while process.stdout.readline() != "in a step\n":
        pass
    process.send_signal(signal.SIGINT)
    assert "stopping after this step" in process.stderr.readline() + process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)  # long before the step would have ended
    assert process.returncode in (-signal.SIGINT, 130)
    assert Run(images / "runs" / "twice").newest()[1]["step"] == 0  # the checkpoint before is whole


BAD_LOSS = """
import sys
from minires import cli, train
counter, cross_entropy = iter(range(10**6)), train.cross_entropy
def spoiled(logits, labels, **options):
    loss = cross_entropy(logits, labels, **options)
    return loss * float("nan") if logits.node is not None and next(counter) == 33 else loss
train.cross_entropy = spoiled
cli.main(sys.argv[1:])
"""


def test_a_loss_that_is_nan_stops_the_run_names_the_step_and_keeps_the_last_good_checkpoint(images):
    status, _, error = finished(images, *TRAIN, "--name", "nan", code=BAD_LOSS)
    run = Run(images / "runs" / "nan")
    assert status == 2
    assert re.search(
        r"minires train: the loss is nan at step 33; the last finite one was \d\.\d+\. A smaller learning rate",
        error,
    )
    assert re.search(r"The last good checkpoint is runs/nan/checkpoints/step-00000033", error)
    state, facts, _, _ = run.newest()
    assert facts["step"] == 33 and all(numpy.isfinite(array).all() for array in state.values())


def test_weights_that_are_not_finite_are_not_saved(images):
    code = """
import sys
from minires import cli, optim
step, counter = optim.SGD.step, iter(range(10**6))
def spoiled(self):
    step(self)
    if next(counter) == 19:
        self.groups[0]["params"][0].data[...] = float("inf")
optim.SGD.step = spoiled
cli.main(sys.argv[1:])
"""
    status, _, error = finished(images, *TRAIN, "--name", "inf", code=code)
    assert status == 2 and "conv1.weight is not finite after step 20; the last loss was" in error
    assert Run(images / "runs" / "inf").newest()[1]["step"] == 19


FULL = """
import errno, os, sys
from minires import cli
calls, fsync = iter(range(10**6)), os.fsync
def full(descriptor):
    if next(calls) > {calls}:
        raise OSError(errno.ENOSPC, "No space left on device")
    fsync(descriptor)
os.fsync = full
cli.main(sys.argv[1:])
"""


def test_a_full_disk_ends_the_run_with_path_and_size_and_it_can_be_resumed(images, undisturbed):
    name = "full"
    status, _, error = finished(images, *TRAIN, "--name", name, code=FULL.format(calls=12))
    assert status == 2 and re.search(
        rf"cannot write runs/{name}/.* \([\d,]+ bytes\): No space left on device", error
    )
    assert f"stopped. To resume:\n  minires train --resume runs/{name}\n" in error
    assert not list((images / "runs" / name).glob("**/*.part"))
    status, _, error = finished(images, "train", "--resume", name)
    assert status == 0, error
    assert outcome(images / "runs" / name) == undisturbed


def test_a_disk_that_is_full_from_the_start_is_told_before_the_training(images):
    status, out, error = finished(images, *TRAIN, "--name", "none", code=FULL.format(calls=-1))
    assert status == 2 and "No space left on device" in error and "epoch" not in out


def test_a_run_in_use_is_not_resumed_by_another_process(images):
    process = started(images, *TRAIN, "--name", "busy")
    reached(images / "runs" / "busy", 20, process)
    status, _, error = finished(images, "train", "--resume", "busy")
    process.kill()
    process.communicate()
    assert status == 2 and "runs/busy is in use by another process" in error


def test_a_run_whose_images_changed_is_not_resumed(images, tmp_path):
    (tmp_path / "images").symlink_to(images / "images")
    process = started(tmp_path, *TRAIN, "--name", "a")
    reached(tmp_path / "runs" / "a", 20, process)
    process.kill()
    process.communicate()
    (tmp_path / "images").unlink()
    (tmp_path / "images").mkdir()
    for name in ("dark", "bright"):
        (tmp_path / "images" / name).mkdir()
        for path in sorted((images / "images" / name).iterdir())[1:]:
            (tmp_path / "images" / name / path.name).symlink_to(path)
    status, _, error = finished(tmp_path, "train", "--resume", "a")
    assert status == 2 and "the run began with different images" in error


def test_damaged_checkpoints_are_told_and_the_one_before_is_resumed_bitwise(images, undisturbed):
    name = "damaged"
    process = started(images, *TRAIN, "--name", name)
    reached(images / "runs" / name, 26, process)
    process.kill()
    process.communicate()
    newest = Run(images / "runs" / name).saved()[0] / "loop.safetensors"
    newest.write_bytes(newest.read_bytes()[:-100])
    status, _, error = finished(images, "train", "--resume", name)
    assert status == 0 and "Loading the checkpoint before it" in error
    assert outcome(images / "runs" / name) == undisturbed


@pytest.fixture(scope="module")
def extended(images):
    """What a run comes to that is extended from 1 epoch to 3, with averages and float16, and that nothing stops."""
    status, _, error = finished(images, *LONGER, "--epochs", "1", "--name", "long")
    assert status == 0, error
    words = ("train", "--resume", "long", "--epochs", "3", "--save-every", "0")
    status, _, error = finished(images, *words)
    assert status == 0, error
    return outcome(images / "runs" / "long")


LONGER = [*TRAIN, "--average", "4", "--precision", "float16", "--watch", "9"]


@pytest.mark.parametrize("steps", [(27, 40, 53)], ids=str)
def test_an_extension_stopped_by_signals_and_killed_ends_bitwise_equal(images, extended, steps):
    """By SIGTERM, then by Ctrl-C twice, then by a kill; each time as soon as it has a checkpoint of some step."""
    name = f"long-{steps[0]}"
    status, _, error = finished(images, *LONGER, "--epochs", "1", "--name", name)
    assert status == 0, error
    run = images / "runs" / name
    words = ["train", "--resume", name, "--save-every", "0"]
    signals = ([signal.SIGTERM], [signal.SIGINT, signal.SIGINT], [signal.SIGKILL])
    for number, (step, each) in enumerate(zip(steps, signals)):
        process = started(images, *words, *(["--epochs", "3"] if number == 0 else []))
        reached(run, step, process)
        for one in each:
            process.send_signal(one)
        out, error = process.communicate(timeout=300)
        assert process.returncode in (143, -2, 130, -9) and "Traceback" not in error, (out, error)
        assert not (run / "result.json").exists() and Run(run).config["epochs"] == 3
        Run(run).newest(complain=pytest.fail)
    status, _, error = finished(images, *words)
    assert status == 0, error
    assert outcome(run) == extended
    assert len(Run(run).extensions) == 1 and not list(run.glob("**/*.part"))
    assert sorted(path.name for path in (run / "epoch-1").iterdir()) == [
        "card.md",
        "curves.png",
        "predictions.npz",
        "result.json",
        "weights.safetensors",
    ]
