"""A run's folder: what is in it, what it refuses, and 100 SIGKILLs in the middle of saving."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from numpy.testing import assert_array_equal

from minires import checkpoint, files, runs
from minires.runs import Run, RunError

ROOT = Path(__file__).parents[1]
CONFIG = {"data": "digits", "model": "m", "epochs": 2, "seed": 0, "lr": 0.1, "name": "ä"}


def save(run, step, **more):
    run.save(
        step,
        ({"w": numpy.full((2, 3), float(step))}, {"model": "m"}),
        ({"0.velocity": numpy.ones(3)}, {"step": step, **more}),
    )


@pytest.fixture
def run(tmp_path):
    return Run.new(tmp_path / "runs" / "a", CONFIG)


def test_a_new_run_is_opened_again_with_its_settings(run):
    assert Run(run.folder).config == run.config == CONFIG
    assert run.log() == [] and run.saved() == [] and run.result() is None and run.curves() == {}


def test_a_folder_that_is_there_is_not_made_into_a_run_again(run):
    with pytest.raises(
        RunError,
        match="a already exists: --resume .*a continues it, a different --name starts a new run",
    ):
        Run.new(run.folder, {})
    assert Run(run.folder).config == CONFIG


def test_a_folder_without_a_run_names_those_beside_it(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "runs")
    with pytest.raises(
        RunError, match="b is not a run: it has no config.json; choose from .*runs.a$"
    ):
        Run(run.folder.parent / "b")
    for text, told in (
        ('{"data": ', "config.json is damaged .*: start a new run"),
        ("[" * 100_000, "config.json is damaged"),
        (json.dumps({**CONFIG, "extensions": 3}), "config.json is damaged: expected a list"),
        (
            json.dumps({**CONFIG, "extensions": [{"from": 1}]}),
            "config.json is damaged: expected a list",
        ),
        ("[]", "it lacks data, model"),
        ('{"data": 1}', "it lacks model"),
    ):
        (run.folder / "config.json").write_text(text)
        with pytest.raises(RunError, match=told):
            Run(run.folder)
    (run.folder.parent / "file").write_text("")
    with pytest.raises(RunError, match="file is not a run"):
        Run(run.folder.parent / "file")


def test_an_empty_folder_becomes_a_run_and_a_file_does_not(tmp_path):
    (tmp_path / "empty").mkdir()
    assert Run.new(tmp_path / "empty", CONFIG).config == CONFIG
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write .*file"):
        Run.new(tmp_path / "file", CONFIG)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file"]


def test_damaged_results_and_logs_are_named_with_what_to_do(run):
    for text in ("{", '{"a": 1}'):
        (run.folder / "result.json").write_text(text)
        with pytest.raises(
            RunError, match="result.json is damaged.* remove it, and --resume runs the test again"
        ):
            run.result()
    (run.folder / "log.csv").write_text("a,b\n1,2\n")
    with pytest.raises(RunError, match="log.csv is damaged: it has the columns a, b"):
        run.log()


def test_damaged_checkpoints_make_way_for_whole_ones(run):
    for step in (1, 2, 3):
        save(run, step)
    (run.saved()[0] / "loop.safetensors").write_bytes(b"")
    run.forget_after(run.newest(lambda _: None)[3]["step"])
    assert [folder.name for folder in run.saved()] == ["step-00000002"]
    save(run, 3)
    assert [folder.name for folder in run.saved()] == ["step-00000003", "step-00000002"]


def test_a_checkpoint_comes_back_and_the_last_two_are_kept(run):
    for step in (0, 5, 20, 100):
        save(run, step, seconds=1.5)
    assert [folder.name for folder in run.saved()] == ["step-00000100", "step-00000020"]
    state, facts, arrays, loop = run.newest()
    assert_array_equal(state["w"], numpy.full((2, 3), 100.0))
    assert_array_equal(arrays["0.velocity"], numpy.ones(3))
    assert facts == {"model": "m"} and loop == {"step": 100, "seconds": 1.5}


def test_a_checkpoint_of_the_same_step_is_replaced(run):
    save(run, 3, seconds=1)
    save(run, 3, seconds=2)
    assert len(run.saved()) == 1 and run.newest()[3]["seconds"] == 2


@pytest.mark.parametrize("name", ["weights.safetensors", "loop.safetensors"])
@pytest.mark.parametrize("harm", ["cut", "flip", "gone", "newer"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_taken(run, name, harm, monkeypatch):
    save(run, 1)
    if harm == "newer":
        monkeypatch.setattr(checkpoint, "VERSION", 2)
    save(run, 2)
    monkeypatch.undo()
    path, told = run.saved()[0] / name, []
    data = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(data[:-5])
    elif harm == "flip":
        data[-3] ^= 16
        path.write_bytes(data)
    elif harm == "gone":
        path.unlink()
    assert run.newest(told.append)[3]["step"] == 1
    assert (
        len(told) == 1
        and "step-00000002" in told[0]
        and told[0].endswith("Loading the checkpoint before it")
    )
    for folder in run.saved():
        (folder / "loop.safetensors").write_bytes(b"")
    with pytest.raises(RunError, match="has no complete checkpoint"):
        run.newest(told.append)


def test_the_log_comes_back_as_numbers(run):
    rows = [{"epoch": 1, "train_loss": 0.1 + 0.2, "train_accuracy": 1e-7, "validation_loss": None, "validation_accuracy": None},
            {"epoch": 2, "train_loss": float("inf"), "train_accuracy": 1.0, "validation_loss": None, "validation_accuracy": None}]  # fmt: skip
    run.write_log(rows)
    assert run.log() == rows and type(run.log()[0]["epoch"]) is int
    assert run.curves() == {"train loss": [0.1 + 0.2, float("inf")], "train accuracy": [1e-7, 1.0]}
    (run.folder / "log.csv").write_text("epoch,train_loss\n1,abc\n")
    with pytest.raises(RunError, match="log.csv is damaged"):
        run.log()


def test_two_processes_may_not_share_a_run(run):
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from minires.runs import Run
with Run({str(run.folder)!r}).locked():
    print("mine", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(RunError, match="a is in use by another process"), run.locked():
            pass
        other.kill()
    with run.locked():  # a killed one leaves no lock
        pass


def test_a_lock_removes_what_a_killed_process_left(run):
    save(run, 1)
    gone = 2**22 + 1  # Linux has no process with a number above 2**22
    (run.folder / f".log.csv.{gone}.part").write_text("half")
    (run.checkpoints / f".step-00000002.{gone}.part").mkdir()
    with run.locked():
        assert not list(run.folder.glob("**/*.part"))
    assert run.newest()[3]["step"] == 1


def test_a_full_disk_leaves_the_checkpoint_before_it(run, monkeypatch):
    save(run, 1)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        OSError, match=r"cannot write .*step-00000002 \([\d,]+ bytes\): No space left on device"
    ):
        save(run, 2)
    monkeypatch.undo()
    assert [folder.name for folder in run.saved()] == ["step-00000001"] and not list(
        run.folder.glob("**/*.part")
    )


def test_runs_are_found_by_path_and_by_name_and_the_newest_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="there is no run in runs/"):
        runs.newest()
    Path("a").mkdir()  # a folder of images, say, with the name of a run
    for i, name in enumerate("ab"):
        run = Run.new(Path("runs", name), CONFIG)
        run.write_log([{"epoch": 1}])
        os.utime(run.folder / "log.csv", (i, i))
    assert runs.newest() == Path("runs/b")
    assert runs.find("a") == runs.find("runs/a") == Path("runs/a") and runs.find("c") == Path("c")


def test_the_weights_are_those_of_the_end_or_of_the_newest_checkpoint(run):
    save(run, 4)
    assert run.weights()[0]["w"][0, 0] == 4
    checkpoint.save_weights(
        run.folder / "weights.safetensors", {"w": numpy.zeros((2, 3))}, model="m"
    )
    assert run.weights()[0]["w"][0, 0] == 0


def test_a_card_has_a_row_per_fact_and_the_config(run):
    run.write_card({"seed": 3, "data": "digits, all of them"}, {"lr": 0.1})
    text = (run.folder / "card.md").read_text(encoding="utf-8")
    assert (
        "| seed | 3 |" in text and "| data | digits, all of them |" in text and '"lr": 0.1' in text
    )


KILLS = r"""
import os, random, signal, sys, time
sys.path.insert(0, sys.argv[1])
import numpy
from minires import files
from minires.runs import Run

config = {"data": "", "model": "", "epochs": 0, "seed": 0}
run, rng, step, lost = Run.new("run", config), random.Random(0), 0, []
big = numpy.arange(200_000, dtype=numpy.float32)

def save(step):
    run.save(step, ({"w": big + step}, {}), ({"v": big - step}, {"step": step}))

save(0)
for kill in range(100):
    r, w = os.pipe()
    child = os.fork()
    if not child:
        with run.locked():
            while True:
                step += 1
                save(step)
                os.write(w, step.to_bytes(4, "little"))
    os.close(w)
    os.read(r, 4)  # the first save of this child is done
    time.sleep(rng.random() * 0.03)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told = step + 1
    while word := os.read(r, 4):
        told = int.from_bytes(word, "little")
    os.close(r)
    complaints = []
    state, _, arrays, loop = run.newest(complaints.append)
    step = loop["step"]
    whole = (state["w"] == big + step).all() and (arrays["v"] == big - step).all()
    if complaints or not whole or not told <= step <= told + 1:
        lost.append((kill, told, step, complaints))
    print(len(list(run.checkpoints.glob(".*.part"))), end=" ")
print()
print("lost", lost)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_no_checkpoint_is_lost_by_100_sigkills_in_the_middle_of_saving(tmp_path):
    """Each time the newest checkpoint is whole, and is the last that was reported as saved, or the one after it."""
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(ROOT)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    remnants, lost = done.stdout.splitlines()
    assert lost == "lost []"
    # So many kills did fall into the middle of a save.
    assert sum(count != "0" for count in remnants.split()) > 20


def test_a_killed_removal_of_an_old_checkpoint_leaves_a_remnant_and_no_half_of_one(
    run, monkeypatch
):
    save(run, 1)
    save(run, 2)

    def killed(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        save(run, 3)
    monkeypatch.undo()
    assert [folder.name for folder in run.saved()] == ["step-00000003", "step-00000002"]
    with run.locked():
        assert len(list(run.checkpoints.iterdir())) == 2
    assert json.loads((run.folder / "config.json").read_text(encoding="utf-8")) == CONFIG
