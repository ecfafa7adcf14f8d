"""`mpiexec -n 4 minires train`: the bits of one process, also when it is killed or stopped and resumed with fewer."""

import re
import shutil
import signal

import numpy
import pytest

from minires.runs import Run
from tests import mpi
from tests.machines import SHORT, STEPS, TRAIN, Job, at, bits, ended, ours, raised, step_of
from tests.test_resume import finished, images, reached  # noqa: F401  (a fixture among them)

slow = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def launcher():
    """Skip these tests where no processes can be started."""
    if why := mpi.why_not():
        pytest.skip(why)


@pytest.fixture(scope="module")
def undisturbed(images):
    """What a run of one process without a launcher comes to."""
    status, _, error = finished(images, *TRAIN, "--name", "one")
    assert status == 0, error
    assert len((images / "runs/one/steps.csv").read_text().splitlines()) == 1 + STEPS
    return bits(images / "runs" / "one")


@pytest.mark.parametrize("size", [pytest.param(1, marks=slow), 2, pytest.param(4, marks=slow)])
def test_any_number_of_processes_ends_in_the_bits_of_one(images, undisturbed, size):
    name = f"of-{size}"
    status, out, error = ended(size, *TRAIN, "--name", name, cwd=images)
    assert status == 0, error
    assert bits(images / "runs" / name) == undisturbed
    assert len(re.findall(r"^epoch  \d/3", out, re.M)) == 3 and out.count("test loss") == 1
    assert ours(error) == []
    card = (images / "runs" / name / "card.md").read_text(encoding="utf-8")
    assert (f"{size} processes on 1 host (MPICH " in card) == (size > 1)


@slow
def test_another_number_of_shards_has_other_bits(images, undisturbed):
    words = ("train", *TRAIN[1:-1], "2")
    status, _, error = ended(2, *words, "--name", "two-shards", cwd=images)
    assert status == 0, error
    assert bits(images / "runs" / "two-shards") != undisturbed


@slow
def test_killed_with_four_and_stopped_with_two_it_ends_with_one_in_the_same_bits(
    images, undisturbed
):
    """By SIGKILL of rank 3, then by SIGINT of rank 1, which none of the others gets."""
    run, words = images / "runs" / "fewer", [*TRAIN, "--name", "fewer"]
    status, *_ = ended(4, *words, cwd=images, fault=at(3, 8, raised(signal.SIGKILL)))
    assert status != 0 and 7 <= step_of(run) <= 8
    words, fault = ["train", "--resume", "fewer", "--save-every", "0"], raised(signal.SIGINT)
    status, out, error = ended(2, *words, cwd=images, fault=at(1, 2 * 9, fault))
    assert status == 130, (out, error)
    step = step_of(run)
    told = f"stopped at step {step} of {STEPS}; a checkpoint is saved. To resume:\n  minires train --resume runs/fewer\n"
    assert out.count(told) == 1 and 16 <= step <= 18
    assert ours(error) == []
    status, out, error = finished(images, *words)
    assert status == 0 and f"runs/fewer resumes at step {step}" in out, error
    assert bits(run) == undisturbed


@slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_launcher_stops_all_after_one_step_and_saves(
    images, undisturbed, number, status
):
    name = f"stopped-{status}"
    job = Job(4, *TRAIN, "--name", name, cwd=images)
    reached(images / "runs" / name, 5, job.process)
    job.process.send_signal(number)
    found, out, error = job.end()
    assert found in (status, 130), (out, error)  # the launcher itself ends with 130
    step = step_of(images / "runs" / name)
    assert out.count(f"stopped at step {step} of {STEPS}; a checkpoint is saved.") == 1
    assert error.count("stopping after this step") == 1
    status, _, error = ended(2, "train", "--resume", name, cwd=images)
    assert status == 0, error
    assert bits(images / "runs" / name) == undisturbed


@slow
def test_a_stop_in_one_process_in_the_middle_of_a_validation_resumes_in_the_same_bits(
    images, undisturbed
):
    fault = """
from minires import train
original = train.cross_entropy
def interrupted(*arguments):
    train.cross_entropy = original
    os.kill(os.getpid(), signal.SIGINT)
    return original(*arguments)
if rank == 1:
    train.cross_entropy = interrupted
"""
    run = images / "runs" / "validating"
    status, out, error = ended(2, *TRAIN, "--name", "validating", cwd=images, fault=fault)
    assert status == 130 and f"stopped at step {STEPS // 3} of {STEPS}" in out, (out, error)
    assert step_of(run) == STEPS // 3 and Run(run).log() == []
    status, _, error = ended(4, "train", "--resume", "validating", cwd=images)
    assert status == 0, error
    assert bits(run) == undisturbed


@slow
def test_a_run_is_extended_on_several_processes_as_on_one(images):
    for size, name in ((0, "longer-one"), (4, "longer-four")):
        words = [*SHORT, "--shards", "4", "--epochs", "1", "--name", name]
        status, _, error = ended(size, *words, cwd=images)
        assert status == 0, error
        words = ["train", "--resume", name, "--epochs", "2", "--save-every", "0"]
        status, _, error = ended(size // 2, *words, cwd=images)
        assert status == 0, error
    assert bits(images / "runs/longer-one") == bits(images / "runs/longer-four")


@slow
@pytest.mark.parametrize("more", [
    ["--average", "4", "--precision", "float16", "--keep-epochs"], ["--optimizer", "adam", "--lr", "0.001", "--label-smoothing", "0.1", "--drop-last"],
    ["--augment", "flip=alternating", "--test-flips", "--validation", "0"]])  # fmt: skip
def test_other_options_have_the_same_bits_on_any_number_too(images, more):
    words = [*SHORT, "--shards", "2", "--epochs", "2", *more]
    names = [f"with{more[0]}-{size}" for size in (0, 2)]
    for size, name in zip((0, 2), names):
        status, _, error = ended(size, *words, "--name", name, cwd=images)
        assert status == 0, error
    alone, both = (bits(images / "runs" / name) for name in names)
    assert both == alone


@pytest.mark.parametrize("size", [2, pytest.param(4, marks=slow)])
def test_evaluate_prints_the_same_lines_on_any_number_of_processes(images, undisturbed, size):
    told = ended(0, "evaluate", "one", cwd=images)
    assert told[0] == 0 and re.search(r"^test part of .*: loss [\d.]+, accuracy", told[1], re.M)
    assert ended(size, "evaluate", "one", cwd=images) == told


@slow
def test_synchronised_batch_norm_trains_on_two_processes(images):
    words = [*SHORT, "--epochs", "1", "--sync-batch-norm", "--name", "synchronised"]
    status, _, error = ended(2, *words, cwd=images)
    assert status == 0 and ours(error) == [], error
    run = Run(images / "runs" / "synchronised")
    state, *_ = run.newest()
    assert all(numpy.isfinite(array).all() for array in state.values())
    assert run.config["sync_batch_norm"] is True and len(run.log()) == 1


@slow
def test_a_resumed_run_refuses_more_processes_than_shards(images, undisturbed):
    begun = images / "runs" / "begun"
    shutil.copytree(images / "runs" / "one", begun)
    (begun / "result.json").unlink()
    config = (begun / "config.json").read_text()
    assert '"shards": 4' in config
    (begun / "config.json").write_text(config.replace('"shards": 4', '"shards": 2'))
    status, _, error = ended(
        4, "train", "--resume", "begun", cwd=images, fault="cli.ranks.PATIENCE = 60"
    )
    assert status == 2 and len(ours(error)) == 1, error
    assert "4 processes cannot share out 2 shards of a batch" in error
    assert "began with --shards 2, so start at most 2 processes" in error
    assert "add --shards" not in error  # --resume would refuse it
