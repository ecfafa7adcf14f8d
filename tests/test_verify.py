"""minires exercises verify accepts honest runs: as they end, killed and resumed, on one and two threads."""

import shutil
import sys
from pathlib import Path

import pytest

from minires.cli import main
from tests import mpi
from tests.verified import EPOCH, room  # noqa: F401  (a fixture)

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


def test_an_honest_run_is_accepted_and_each_check_says_what_it_found(room):
    reasons, printed = room.verify(room.honest)
    assert reasons == []
    for words in (
        "recipe tiny, seed 0",
        "the test set was read once",
        "from the 39 losses of steps.csv",
        "and the same logits",
        "exercises ran, all the learner's",
        "pass on the learner's files",
        "losses differ by at most 0",
        "the weights that seed 0 gives",
        "accepted",
    ):
        assert words in printed


def test_a_run_that_was_killed_and_resumed_on_two_threads_is_accepted(room):
    folder = room.folder / "runs" / "killed"
    shutil.copytree(room.honest, folder)
    for name in ("result.json", "weights.safetensors", "predictions.npz", "card.md"):
        (folder / name).unlink()
    shutil.rmtree(folder / "checkpoints")
    shutil.copytree(folder / "kept" / f"step-{EPOCH:08}", folder / "checkpoints" / f"step-{EPOCH:08}")  # fmt: skip
    room.command("train", "--resume", "killed", threads=2)
    assert (folder / "steps.csv").read_bytes() == (room.honest / "steps.csv").read_bytes()
    assert room.verify(folder)[0] == []


def test_a_run_on_two_processes_is_accepted_and_its_calls_are_those_of_rank_0(room):
    if why := mpi.why_not():
        pytest.skip(why)
    recipe = room.folder / "halves.toml"
    recipe.write_text(f"{room.recipe.read_text()}shards = 2\n")
    words = ["train", "--recipe", str(recipe), "--name", "halves", "--mine"]
    command = [mpi.launcher(), "-n", "2", sys.executable, "-m", "minires", *words]
    done = mpi.run(command, room.folder, seconds=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "whose code ran on rank 0:" in done.stdout
    assert room.verify(room.folder / "runs" / "halves", recipe=str(recipe))[0] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whichever_checkpoint_is_drawn(room, seed):
    assert room.verify(room.honest, seed=seed)[0] == []


def test_the_command_has_an_exit_status(room, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(room.folder)
    words = ["exercises", "verify", "--recipe", str(room.recipe)]
    for folder, status in (("honest", 0), ("other", 1), (str(tmp_path), 2)):
        with pytest.raises(SystemExit) as stop:
            main([*words, folder])
        assert stop.value.code == status, capsys.readouterr()
    assert "is not a run" in capsys.readouterr().err


def test_without_a_recipe_it_has_to_be_one_of_the_capstones(room):
    reasons, _ = room.verify(room.honest, recipe=None)
    assert len(reasons) == 1 and "expected the recipe" in reasons[0]


def test_what_the_learners_files_import_is_noted(room):
    _, printed = room.verify(room.honest, tests=ROOT / "exercises")
    assert "note: besides NumPy and minires, the files import tests.course.solutions" in printed
